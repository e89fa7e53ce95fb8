/* What a host behind the tunnel does: it answers ping. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Write the reply to an ICMP echo request; return its length, 0 for any other packet. */
static size_t echo_reply(const uint8_t *packet, size_t length, uint8_t *reply) {
    if (length < 28 || packet[0] != 0x45 || packet[9] != 1 || packet[20] != 8) return 0;
    memcpy(reply, packet, length);
    memcpy(reply + 12, packet + 16, 4); /* source and destination change places */
    memcpy(reply + 16, packet + 12, 4);
    reply[20] = 0; /* type 8 becomes 0, so the checksum grows by 0x0800 */
    uint32_t checksum = (uint32_t)(packet[22] << 8 | packet[23]) + 0x0800;
    checksum = (checksum & 0xffff) + (checksum >> 16);
    reply[22] = checksum >> 8;
    reply[23] = checksum & 0xff;
    return length;
}
