/* A WebSocket client that echoes: UDP to port 7 goes back to whoever sent it.

   echo PORT PROTOCOL HEADERS PATH

   It counts the flood that comes beside. What one read brings is answered with one write. Ends by a
   signal. Prints "open", and the counts as JSON. */
#define _GNU_SOURCE
#include "batch.h"
#include "clock.h"
#include "packet.h"
#include "websocket.h"

enum { BUFFER = 1 << 20, REPLIES = 65536 };

static int batched;
static uint64_t echoed, packets;
static uint8_t replies[REPLIES + 2048];
static size_t filled;

/* Append a reply as a frame of its own; a batch of one in a frame is what a client does at rest. */
static void reply(const uint8_t *packet, size_t size)
{
    uint8_t turned[2048];
    memcpy(turned, packet, size);
    /* Addresses and ports change places, which leaves every checksum as it is. */
    memcpy(turned + 12, packet + 16, 4);
    memcpy(turned + 16, packet + 12, 4);
    memcpy(turned + 20, packet + 22, 2);
    memcpy(turned + 22, packet + 20, 2);
    struct batch head = batch_header(1, (uint32_t)size, 0);
    uint16_t length = (uint16_t)size;
    size_t extra = batched ? sizeof head + 2 : 0;
    filled += frame_header(replies + filled, BINARY, extra + size, MASKED);
    uint8_t *body = replies + filled;
    if (batched) {
        memcpy(body, &head, sizeof head);
        memcpy(body + sizeof head, &length, 2);
    }
    memcpy(body + extra, turned, size);
    apply_mask(body, extra + size, MASK);
    filled += extra + size;
    echoed++;
}

static void packet(void *context, uint8_t *p, size_t size)
{
    (void)context;
    if (is_udp_to(p, size, PORT_ECHO) && size <= 1500 && filled < REPLIES) {
        reply(p, size);
    } else if (is_udp_to(p, size, PORT_DISCARD)) {
        packets++;
    }
}

int main(int count, char **argument)
{
    if (count != 5) {
        fprintf(stderr, "usage: echo PORT PROTOCOL HEADERS PATH\n");
        return 2;
    }
    batched = !strcmp(argument[2], BATCH);
    stop_on_signals();
    int s = ws_connect(atoi(argument[1]), argument[4], argument[2], argument[3]);
    static uint8_t buffer[BUFFER];
    size_t have = 0;
    say("open");
    while (!stopping) {
        ssize_t n = read(s, buffer + have, BUFFER - have);
        if (n <= 0)
            break;
        have += (size_t)n;
        uint8_t *p = buffer, *end = buffer + have;
        struct frame frame;
        size_t taken;
        filled = 0;
        while ((taken = next_frame(p, end, &frame))) {
            if (frame.opcode == BINARY && batched)
                each_of_batches(frame.payload, frame.size, packet, NULL);
            else if (frame.opcode == BINARY)
                packet(NULL, frame.payload, frame.size);
            else if (frame.opcode == PING)
                send_pong(s, &frame);
            p += taken;
        }
        have = (size_t)(end - p);
        memmove(buffer, p, have);
        if (filled && !write_all(s, replies, filled))
            break;
    }
    printf("{\"echoed\": %lu, \"packets\": %lu}\n", echoed, packets);
    return 0;
}
