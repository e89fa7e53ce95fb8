/* The limit of the whole job: a TUN device and one WebSocket client, both ways, in C.

   relay DEVICE PORT FRAMING [offload]

   FRAMING is raw, a frame per packet, or batch, a frame per burst. It does what the service does
   for one client and no more: no token, no second subscriber, no queue. What the client does not
   take waits in the device, and the device drops. With `offload` a call to the device moves many
   segments of TCP or UDP; the client sees none of that. Prints "ready" and serves until a signal. */
#define _GNU_SOURCE
#include "batch.h"
#include "clock.h"
#include "packet.h"
#include "websocket.h"

#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>

#include "segments.h"

enum {
    BURST = 512,            /* packets, at most */
    BURST_BYTES = 65536,    /* bytes, about: what fits the caches is fastest */
    MAX_READ = 2048,        /* more than the MTU */
    COMING = 1 << 20,
};

static int device, batched, offload, udp_segments;
static uint64_t sequence;
static struct super super;
static struct group group;

/* Frames on their way to the client: [out, out_end). */
static uint8_t going[MAX_HEADER + sizeof(struct batch) + 2 * BURST + BURST_BYTES + 2 * MAX_READ];
static uint8_t *out, *out_end;

static int open_device(const char *name)
{
    struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
    if (offload)
        request.ifr_flags |= IFF_VNET_HDR;
    int descriptor = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    if (descriptor < 0 || ioctl(descriptor, TUNSETIFF, &request))
        fail(name);
    if (offload)
        udp_segments = set_offloads(descriptor);
    return descriptor;
}

static int listen_on(int port)
{
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(s, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(s, (struct sockaddr *)&at, sizeof at) || listen(s, 4))
        fail("listen");
    return s;
}

/* Put the next packet at `at`, where MAX_READ bytes are free; returns its size, 0 for none. */
static size_t next_packet(uint8_t *at)
{
    if (!offload) {
        ssize_t size = read(device, at, MAX_READ);
        return size > 0 ? (size_t)size : 0;
    }
    if (!is_pending(&super)) {
        struct iovec parts[] = {{super.head, HEAD_SIZE}, {super.packet, sizeof super.packet}};
        ssize_t size = readv(device, parts, 2);
        if (size <= HEAD_SIZE)
            return 0;
        begin_split(&super, (size_t)size);
        if (super.segment ? super.headers + super.segment > MAX_READ : super.size > MAX_READ) {
            fprintf(stderr, "a packet is larger than %d bytes\n", MAX_READ);
            exit(1);
        }
    }
    return split_next(&super, at);
}

/* Read a burst, a frame per packet, each straight to its place behind its header. */
static void burst_of_frames(void)
{
    out = out_end = going;
    for (int i = 0; i < BURST && out_end - out < BURST_BYTES; i++) {
        size_t size = next_packet(out_end + 4);
        if (!size)
            return;
        size_t head = frame_header(out_end, BINARY, size, 0);
        if (head < 4)  /* a short packet has a shorter header */
            memmove(out_end + head, out_end + 4, size);
        out_end += head + size;
    }
}

/* Read a burst as one frame. The packets are read behind the longest head there may be; the head
   is then written so that it ends where they begin. */
static void burst_of_batch(void)
{
    uint8_t *packets = going + MAX_HEADER + sizeof(struct batch) + 2 * BURST, *end = packets;
    uint16_t lengths[BURST];
    uint32_t count = 0;
    out = out_end = going;
    while (count < BURST && end - packets < BURST_BYTES) {
        size_t size = next_packet(end);
        if (!size)
            break;
        lengths[count++] = (uint16_t)size;
        end += size;
    }
    if (!count)
        return;
    struct batch head = batch_header(count, (uint32_t)(end - packets), sequence);
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    head.time_ns = (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
    sequence += count;
    uint8_t frame[MAX_HEADER];
    uint64_t size = sizeof head + 2 * count + head.payload;
    size_t frame_size = frame_header(frame, BINARY, size, 0);
    out = packets - 2 * count - sizeof head - frame_size;
    memcpy(out, frame, frame_size);
    memcpy(out + frame_size, &head, sizeof head);
    memcpy(packets - 2 * count, lengths, 2 * count);
    out_end = end;
}

static void check_written(ssize_t written)
{
    /* EIO: the device is down, as it is while it is moved to another namespace. */
    if (written < 0 && errno != EAGAIN && errno != EINVAL && errno != EIO)
        fail("write");
}

static void write_packet(void *context, uint8_t *packet, size_t size)
{
    (void)context;
    check_written(offload ? join(&group, device, udp_segments, packet, size)
                          : write(device, packet, size));
}

/* Take the whole frames of [p, end); returns where the rest begins, NULL at the client's close. */
static uint8_t *take_frames(uint8_t *p, uint8_t *end)
{
    struct frame frame;
    size_t taken;
    while ((taken = next_frame(p, end, &frame))) {
        if (frame.opcode == CLOSE)
            return NULL;
        if (frame.opcode == BINARY && batched) {
            if (each_of_batches(frame.payload, frame.size, write_packet, NULL) < 0)
                return NULL;
        } else if (frame.opcode == BINARY) {
            write_packet(NULL, frame.payload, frame.size);
        }
        p += taken;
    }
    return p;
}

static void serve(int client)
{
    static uint8_t coming[COMING];
    size_t have = 0;
    out = out_end = going;
    while (!stopping) {
        int waiting = out < out_end;  /* then the device has to wait, too */
        struct pollfd ready[2] = {
            {client, (short)(POLLIN | (waiting ? POLLOUT : 0)), 0},
            {device, (short)(waiting ? 0 : POLLIN), 0},
        };
        int pending = !waiting && is_pending(&super);
        poll(ready, 2, pending ? 0 : -1);
        if (ready[0].revents & POLLIN) {
            ssize_t n = read(client, coming + have, COMING - have);
            if (n == 0 || (n < 0 && errno != EAGAIN))
                return;
            have += n > 0 ? (size_t)n : 0;
            uint8_t *rest = take_frames(coming, coming + have);
            if (offload)  /* the packets will not stay where they are */
                check_written(write_group(&group, device));
            if (!rest)
                return;
            have -= (size_t)(rest - coming);
            memmove(coming, rest, have);
        } else if (ready[0].revents & (POLLERR | POLLHUP)) {
            return;
        }
        if (pending || (!waiting && ready[1].revents & POLLIN))
            batched ? burst_of_batch() : burst_of_frames();
        if (out < out_end) {
            ssize_t n = write(client, out, (size_t)(out_end - out));
            if (n < 0 && errno != EAGAIN)
                return;
            out += n > 0 ? n : 0;
        }
    }
}

int main(int count, char **argument)
{
    offload = count == 5 && !strcmp(argument[4], "offload");
    if (count != 4 + offload) {
        fprintf(stderr, "usage: relay DEVICE PORT raw|batch [offload]\n");
        return 2;
    }
    batched = !strcmp(argument[3], "batch");
    stop_on_signals();
    device = open_device(argument[1]);
    int listening = listen_on(atoi(argument[2])), one = 1;
    say("ready");
    while (!stopping) {
        int client = accept(listening, NULL, NULL);
        if (client < 0)
            continue;
        char head[8192];
        const char *answer = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                             "Connection: Upgrade\r\nSec-WebSocket-Accept: " ACCEPT "\r\n\r\n";
        setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (read_head(client, head, sizeof head)
            && write_all(client, (const uint8_t *)answer, strlen(answer))) {
            fcntl(client, F_SETFL, O_NONBLOCK);
            serve(client);
        }
        close(client);
    }
    return 0;
}
