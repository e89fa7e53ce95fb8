/* A WebSocket client that joins two adapters: what one host sends, the other one receives.

   bridge HEADERS PORT PATH PORT PATH

   In v1.batch: a batch is a batch in both directions, so a message goes on as it came, but masked.
   What the other side does not take yet waits, and then nothing more is read. Prints "open", and the
   counts as JSON. */
#define _GNU_SOURCE
#include "batch.h"
#include "clock.h"
#include "websocket.h"

#include <fcntl.h>
#include <poll.h>

enum { BUFFER = 1 << 20 };

struct way {
    int from, to;
    uint8_t coming[BUFFER];
    uint8_t going[2 * BUFFER]; /* room for the masks */
    size_t have, out, out_end;
    uint64_t messages, bytes;
};

static int waits(const struct way *way) { return way->out < way->out_end; }

/* Move the whole frames of `coming` to `going`. */
static void pass_on(struct way *way)
{
    uint8_t *p = way->coming, *end = p + way->have;
    struct frame frame;
    size_t taken;
    way->out = way->out_end = 0;
    while ((taken = next_frame(p, end, &frame))) {
        if (frame.opcode == BINARY) {
            uint8_t *at = way->going + way->out_end;
            size_t head = frame_header(at, BINARY, frame.size, MASKED);
            memcpy(at + head, frame.payload, frame.size);
            apply_mask(at + head, frame.size, MASK);
            way->out_end += head + frame.size;
            way->messages++;
            way->bytes += frame.size;
        } else if (frame.opcode == PING) {
            send_pong(way->from, &frame);
        } else if (frame.opcode == CLOSE) {
            stopping = 1;
        }
        p += taken;
    }
    way->have = (size_t)(end - p);
    memmove(way->coming, p, way->have);
}

/* Read where nothing waits, write where something does. Returns 0 when one side is gone. */
static int turn(struct way *way, short ready)
{
    if (!waits(way) && ready & (POLLIN | POLLHUP)) {
        ssize_t n = read(way->from, way->coming + way->have, BUFFER - way->have);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
            return 0;
        way->have += n > 0 ? (size_t)n : 0;
        pass_on(way);
    }
    if (waits(way)) {
        ssize_t n = write(way->to, way->going + way->out, way->out_end - way->out);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return 0;
        way->out += n > 0 ? (size_t)n : 0;
    }
    return 1;
}

int main(int count, char **argument)
{
    if (count != 6) {
        fprintf(stderr, "usage: bridge HEADERS PORT PATH PORT PATH\n");
        return 2;
    }
    static struct way ways[2];
    stop_on_signals();
    for (int i = 0; i < 2; i++) {
        ways[i].from = ws_connect(atoi(argument[2 + 2 * i]), argument[3 + 2 * i], BATCH, argument[1]);
        fcntl(ways[i].from, F_SETFL, O_NONBLOCK);
        ways[1 - i].to = ways[i].from;
    }
    say("open");
    while (!stopping) {
        struct pollfd ready[2];
        for (int i = 0; i < 2; i++)
            ready[i] = (struct pollfd){
                .fd = ways[i].from,
                .events = (short)((waits(&ways[i]) ? 0 : POLLIN)
                                  | (waits(&ways[1 - i]) ? POLLOUT : 0)),
            };
        poll(ready, 2, 1000);
        if (!turn(&ways[0], ready[0].revents) || !turn(&ways[1], ready[1].revents))
            break;
    }
    printf("{\"messages\": %lu, \"bytes\": %lu}\n", ways[0].messages + ways[1].messages,
           ways[0].bytes + ways[1].bytes);
    return 0;
}
