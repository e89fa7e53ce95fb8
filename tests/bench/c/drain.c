/* A WebSocket client that only counts: one socket or many, some of which never read.

   drain PORT PROTOCOL HEADERS WARM SECONDS IDLE SOCKETS STALLED PATH...

   Socket i takes path i modulo their number; the last STALLED ones are opened and never read. The
   window of SECONDS begins WARM after the first packet of the flood. It ends when nothing came for
   IDLE seconds after that, or by a signal. Prints "open", and at the end the counts as JSON. */
#define _GNU_SOURCE
#include "batch.h"
#include "clock.h"
#include "packet.h"
#include "websocket.h"

#include <fcntl.h>
#include <sys/epoll.h>

enum { MAX_SOCKETS = 256, BUFFER = 1 << 20 };

struct socket {
    int descriptor;
    int closed;
    uint8_t *buffer;
    size_t have;
    uint64_t messages, packets, bytes, lost, disorder, next;
    uint64_t window_packets, window_bytes;
};

static int batched, in_window;
static double first_packet;

/* One packet of the flood: count it, and by its number what is missing before it. */
static void packet(void *context, uint8_t *p, size_t size)
{
    struct socket *s = context;
    if (!is_udp_to(p, size, PORT_DISCARD))
        return;
    uint64_t number = packet_number(p);
    if (number >= s->next) {
        s->lost += number - s->next;
        s->next = number + 1;
    } else {
        s->disorder++;
    }
    s->packets++;
    s->bytes += size;
    if (in_window) {
        s->window_packets++;
        s->window_bytes += size;
    }
}

static void take_frames(struct socket *s)
{
    uint8_t *p = s->buffer, *end = p + s->have;
    struct frame frame;
    size_t taken;
    while ((taken = next_frame(p, end, &frame))) {
        p += taken;
        if (frame.opcode == BINARY && batched) {
            s->messages++;
            if (each_of_batches(frame.payload, frame.size, packet, s) < 0) {
                fprintf(stderr, "a message is no row of batches\n");
                exit(1);
            }
        } else if (frame.opcode == BINARY) {
            s->messages++;
            packet(s, frame.payload, frame.size);
        } else if (frame.opcode == PING) {
            send_pong(s->descriptor, &frame);
        } else if (frame.opcode == CLOSE) {
            s->closed = 1;
        }
    }
    s->have = (size_t)(end - p);
    memmove(s->buffer, p, s->have);
}

int main(int count, char **argument)
{
    if (count < 10) {
        fprintf(stderr, "usage: drain PORT PROTOCOL HEADERS WARM SECONDS IDLE SOCKETS STALLED PATH...\n");
        return 2;
    }
    int port = atoi(argument[1]), sockets = atoi(argument[7]), stalled = atoi(argument[8]);
    const char *protocol = argument[2], *headers = argument[3];
    double warm = atof(argument[4]), seconds = atof(argument[5]), idle = atof(argument[6]);
    int paths = count - 9;
    batched = !strcmp(protocol, BATCH);
    if (sockets > MAX_SOCKETS || stalled > sockets)
        return 2;
    stop_on_signals();
    static struct socket all[MAX_SOCKETS];
    int poll = epoll_create1(0);
    for (int i = 0; i < sockets; i++) {
        struct socket *s = &all[i];
        s->descriptor = ws_connect(port, argument[9 + i % paths], protocol, headers);
        fcntl(s->descriptor, F_SETFL, O_NONBLOCK);
        if (i >= sockets - stalled)
            continue;
        s->buffer = malloc(BUFFER);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = s};
        epoll_ctl(poll, EPOLL_CTL_ADD, s->descriptor, &event);
    }
    say("open");

    int reading = sockets - stalled;
    double window_start = 0, window_end = 0, last = 0, time;
    while (!stopping && reading > 0) {
        struct epoll_event events[MAX_SOCKETS];
        int ready = epoll_wait(poll, events, MAX_SOCKETS, 50);
        time = now();
        /* Once a turn, not once a packet: what one turn brings came within a millisecond. */
        if (first_packet) {
            if (!window_start && time >= first_packet + warm) {
                window_start = time;
                in_window = 1;
            }
            if (in_window && time >= window_start + seconds) {
                window_end = time;
                in_window = 0;
            }
            if (window_end && time > last + idle)
                break;
        }
        for (int i = 0; i < ready; i++) {
            struct socket *s = events[i].data.ptr;
            uint64_t before = s->packets;
            ssize_t n = read(s->descriptor, s->buffer + s->have, BUFFER - s->have);
            if (n > 0) {
                s->have += (size_t)n;
                take_frames(s);
            }
            if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || s->closed) {
                epoll_ctl(poll, EPOLL_CTL_DEL, s->descriptor, NULL);
                s->closed = 1;
                reading--;
            }
            if (s->packets > before) {
                last = time;
                if (!first_packet)
                    first_packet = time;
            }
        }
    }
    if (window_start && !window_end)
        window_end = last;
    printf("{\"window\": %.6f, \"span\": %.6f, \"sockets\": [", window_end - window_start,
           last - first_packet);
    for (int i = 0; i < sockets - stalled; i++) {
        struct socket *s = &all[i];
        printf("%s{\"packets\": %lu, \"bytes\": %lu, \"messages\": %lu, \"lost\": %lu, "
               "\"disorder\": %lu, \"window_packets\": %lu, \"window_bytes\": %lu, \"closed\": %s}",
               i ? ", " : "", s->packets, s->bytes, s->messages, s->lost, s->disorder,
               s->window_packets, s->window_bytes, s->closed ? "true" : "false");
    }
    printf("]}\n");
    return 0;
}
