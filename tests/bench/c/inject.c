/* A WebSocket client that sends packets as fast as the other side takes them.

   inject PORT PROTOCOL HEADERS PATH PACKET_SIZE FROM TO

   64 KiB at a time: one message of a batch, or a message per packet, but many to a write. The bytes
   are made and masked once, so that the client costs as little as it can. Ends by a signal, with
   the closing handshake, so that everything sent was taken. Prints "sending", and the count as JSON. */
#define _GNU_SOURCE
#include "batch.h"
#include "clock.h"
#include "packet.h"
#include "websocket.h"

#include <fcntl.h>
#include <poll.h>

enum { CHUNK = 65536 };

int main(int count, char **argument)
{
    if (count != 8) {
        fprintf(stderr, "usage: inject PORT PROTOCOL HEADERS PATH PACKET_SIZE FROM TO\n");
        return 2;
    }
    size_t size = (size_t)atoi(argument[5]);
    int batched = !strcmp(argument[2], BATCH);
    stop_on_signals();
    int s = ws_connect(atoi(argument[1]), argument[4], argument[2], argument[3]);

    static uint8_t packet[MAX_PACKET], chunk[2 * CHUNK];
    build_udp(packet, size, argument[6], argument[7], PORT_DISCARD);
    size_t packets = CHUNK / size, filled = 0;
    if (batched) {
        struct batch head = batch_header((uint32_t)packets, (uint32_t)(packets * size), 0);
        uint16_t length = (uint16_t)size;
        size_t body = sizeof head + packets * (2 + size);
        filled = frame_header(chunk, BINARY, body, MASKED);
        uint8_t *start = chunk + filled;
        memcpy(chunk + filled, &head, sizeof head);
        filled += sizeof head;
        for (size_t i = 0; i < packets; i++, filled += 2)
            memcpy(chunk + filled, &length, 2);
        for (size_t i = 0; i < packets; i++, filled += size)
            memcpy(chunk + filled, packet, size);
        apply_mask(start, body, MASK);
    } else {
        for (size_t i = 0; i < packets; i++) {
            filled += frame_header(chunk + filled, BINARY, size, MASKED);
            memcpy(chunk + filled, packet, size);
            apply_mask(chunk + filled, size, MASK);
            filled += size;
        }
    }

    fcntl(s, F_SETFL, O_NONBLOCK);
    say("sending");
    static uint8_t answers[65536];
    uint64_t chunks = 0;
    size_t sent = 0;
    while (!stopping || sent) {  /* never ends within a message */
        struct pollfd ready = {s, POLLIN | POLLOUT, 0};
        poll(&ready, 1, 1000);
        if (ready.revents & (POLLERR | POLLHUP))
            break;
        if (ready.revents & POLLIN && read(s, answers, sizeof answers) == 0)
            break;
        if (!(ready.revents & POLLOUT))
            continue;
        ssize_t n = write(s, chunk + sent, filled - sent);
        if (n > 0 && (sent += (size_t)n) == filled) {
            sent = 0;
            chunks++;
        }
    }
    fcntl(s, F_SETFL, 0);
    uint8_t close_frame[MAX_HEADER];
    int whole = write_all(s, close_frame, frame_header(close_frame, CLOSE, 0, MASKED));
    struct timeval patience = {20, 0};
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    while (whole && read(s, answers, sizeof answers) > 0)
        ;
    printf("{\"sent\": %lu, \"messages\": %lu}\n", chunks * packets,
           batched ? chunks : chunks * packets);
    return 0;
}
