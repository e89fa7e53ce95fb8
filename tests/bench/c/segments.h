/* Super-packets of the kernel (linux/virtio_net.h, struct virtio_net_hdr): those that it hands out
   are split into the packets that a network would have carried; packets that follow one another in
   a flow are joined to one for it. Little-endian, like the machines this runs on. */
#ifndef BENCH_SEGMENTS_H
#define BENCH_SEGMENTS_H

#include "packet.h"

#include <fcntl.h>
#include <linux/virtio_net.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#ifndef VIRTIO_NET_HDR_GSO_UDP_L4 /* Linux 6.2 */
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

enum {
    MAX_SUPER = 65535,
    MAX_JOINED = 64,        /* what a kernel before 6.9 takes of UDP */
    HEAD_SIZE = 10,         /* of a device whose header size was not set: without num_buffers */
    FIN = 0x01, PSH = 0x08, ACK = 0x10, CWR = 0x80,
};

/* Let the kernel hand out and take super-packets; returns whether those of UDP are among them. */
static inline int set_offloads(int device)
{
    unsigned tcp = TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN;
    if (!ioctl(device, TUNSETOFFLOAD, tcp | TUN_F_USO4 | TUN_F_USO6))
        return 1;
    if (ioctl(device, TUNSETOFFLOAD, tcp))
        fail("TUNSETOFFLOAD");
    return 0;
}

/* Add 16-bit words as they lie in memory, without folding; the sum does not depend on their order
   (RFC 1071). Fewer than 64 KiB. */
static inline uint64_t add_words(const uint8_t *p, size_t size)
{
    uint64_t sum = 0;
    uint32_t wide;
    uint16_t narrow;
    size_t i = 0;
    for (; i + 4 <= size; i += 4) {
        memcpy(&wide, p + i, 4);
        sum += wide;
    }
    if (i + 2 <= size) {
        memcpy(&narrow, p + i, 2);
        sum += narrow;
        i += 2;
    }
    return i < size ? sum + p[i] : sum;
}

static inline uint16_t folded(uint64_t sum)
{
    sum = (sum & 0xffffffff) + (sum >> 32);
    sum = (sum & 0xffffffff) + (sum >> 32);
    uint32_t half = (uint32_t)(sum & 0xffff) + (uint32_t)(sum >> 16);
    half = (half & 0xffff) + (half >> 16);
    return (uint16_t)((half & 0xffff) + (half >> 16));
}

static inline void put_sum(uint8_t *p, uint16_t value) { memcpy(p, &value, 2); }

static inline uint32_t get32(const uint8_t *p) { return (uint32_t)get16(p) << 16 | get16(p + 2); }

static inline void put32(uint8_t *p, uint32_t value)
{
    put16(p, value >> 16);
    put16(p + 2, value & 0xffff);
}

static inline int is_ipv4(const uint8_t *p) { return p[0] >> 4 == 4; }

/* The sum of the pseudo-header: addresses, protocol, and the length behind the IP header. */
static inline uint64_t pseudo_sum(const uint8_t *p, int protocol, size_t length)
{
    uint64_t sum = is_ipv4(p) ? add_words(p + 12, 8) : add_words(p + 8, 32);
    return sum + htons((uint16_t)protocol) + htons((uint16_t)length);
}

/* Write the length of the packet into its IP header, and that header's checksum. */
static inline void set_length(uint8_t *p, size_t size)
{
    if (!is_ipv4(p)) {
        put16(p + 4, (unsigned)size - 40);
        return;
    }
    put16(p + 2, (unsigned)size);
    put16(p + 10, 0);
    put_sum(p + 10, (uint16_t)~folded(add_words(p, (p[0] & 15) * 4u)));
}

static inline uint8_t *checksum_of(uint8_t *transport, int protocol)
{
    return transport + (protocol == IPPROTO_TCP ? 16 : 6);
}

/* What was read from the device last, and how much of it was handed on. */
struct super {
    uint8_t head[HEAD_SIZE];
    uint8_t packet[MAX_SUPER + 1];
    size_t size, ip, headers, segment, offset;
    int protocol, index;
};

static inline int is_pending(const struct super *s) { return s->offset < s->size; }

/* Look at what was read: `size` bytes in all. */
static inline void begin_split(struct super *s, size_t size)
{
    struct virtio_net_hdr head;
    memcpy(&head, s->head, HEAD_SIZE);
    s->size = size - HEAD_SIZE;
    s->offset = 0;
    s->index = 0;
    s->segment = 0;
    if (head.gso_type == VIRTIO_NET_HDR_GSO_NONE) {
        if (head.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) { /* the sum begun is in the field */
            uint8_t *field = s->packet + head.csum_start + head.csum_offset;
            uint64_t sum = add_words(s->packet + head.csum_start, s->size - head.csum_start);
            uint16_t checksum = (uint16_t)~folded(sum);
            put_sum(field, checksum || head.csum_offset != 6 ? checksum : 0xffff);
        }
        return;
    }
    int type = head.gso_type & ~VIRTIO_NET_HDR_GSO_ECN;
    s->protocol = type == VIRTIO_NET_HDR_GSO_UDP_L4 ? IPPROTO_UDP : IPPROTO_TCP;
    s->ip = head.csum_start;
    s->headers = s->ip + (s->protocol == IPPROTO_UDP ? 8 : (s->packet[s->ip + 12] >> 4) * 4u);
    s->segment = head.gso_size;
    s->offset = s->headers;
}

/* Write the next packet to `at`; returns its size. */
static inline size_t split_next(struct super *s, uint8_t *at)
{
    if (!s->segment) {
        memcpy(at, s->packet, s->size);
        s->offset = s->size;
        return s->size;
    }
    size_t left = s->size - s->offset, n = left < s->segment ? left : s->segment;
    size_t size = s->headers + n;
    uint8_t *transport = at + s->ip;
    memcpy(at, s->packet, s->headers);
    memcpy(at + s->headers, s->packet + s->offset, n);
    if (is_ipv4(at))
        put16(at + 4, (get16(at + 4) + (unsigned)s->index) & 0xffff);
    set_length(at, size);
    if (s->protocol == IPPROTO_TCP) {
        put32(transport + 4, get32(transport + 4) + (uint32_t)(s->offset - s->headers));
        if (n < left)
            transport[13] &= (uint8_t)~(FIN | PSH);
        if (s->index)
            transport[13] &= (uint8_t)~CWR; /* says it once (RFC 3168, 6.1.2) */
    } else {
        put16(transport + 4, (unsigned)(size - s->ip));
    }
    uint8_t *field = checksum_of(transport, s->protocol);
    put16(field, 0);
    uint64_t sum = pseudo_sum(at, s->protocol, size - s->ip) + add_words(transport, size - s->ip);
    uint16_t checksum = (uint16_t)~folded(sum);
    put_sum(field, checksum || s->protocol == IPPROTO_TCP ? checksum : 0xffff);
    s->offset += n;
    s->index++;
    return size;
}

/* Packets that are joined: the first one whole, and the payloads of those behind it, where they
   lie. Each piece but the last has `segment` bytes. */
struct group {
    struct iovec parts[1 + MAX_JOINED];
    int count, full, protocol;
    uint8_t *first;
    size_t ip, headers, segment, size;
    uint8_t last_flags;
};

/* Find the headers of a packet that can be joined; returns its protocol, 0 for any other packet. */
static inline int headers_of(const uint8_t *p, size_t size, int udp, size_t *ip, size_t *headers)
{
    int protocol;
    if (size >= 40 && p[0] == 0x45 && get16(p + 2) == size && !(get16(p + 6) & 0x3fff)) {
        *ip = 20;
        protocol = p[9];
    } else if (size >= 60 && p[0] >> 4 == 6 && get16(p + 4) + 40u == size) {
        *ip = 40;
        protocol = p[6];
    } else {
        return 0;
    }
    const uint8_t *transport = p + *ip;
    if (protocol == IPPROTO_TCP) {
        *headers = *ip + (transport[12] >> 4) * 4u;
        int plain = (transport[13] & ~(PSH | FIN)) == ACK;
        return plain && transport[12] >= 0x50 && *headers < size ? protocol : 0;
    }
    *headers = *ip + 8;
    int whole = get16(transport + 4) == size - *ip && get16(transport + 6);
    return udp && protocol == IPPROTO_UDP && whole && *headers < size ? protocol : 0;
}

/* Whether a packet with the same headers' sizes continues the group. */
static inline int continues(const struct group *g, const uint8_t *p)
{
    const uint8_t *first = g->first, *a = first + g->ip, *b = p + g->ip;
    if (is_ipv4(first)) {
        if (memcmp(first, p, 2) || memcmp(first + 6, p + 6, 4) || memcmp(first + 12, p + 12, 8)
            || get16(p + 4) != ((get16(first + 4) + g->count) & 0xffff))
            return 0;
    } else if (memcmp(first, p, 4) || memcmp(first + 6, p + 6, 34)) {
        return 0;
    }
    if (g->protocol == IPPROTO_UDP)
        return !memcmp(a, b, 4);
    uint32_t next = get32(a + 4) + (uint32_t)(g->size - g->headers);
    return !memcmp(a, b, 4) && get32(b + 4) == next && !memcmp(a + 8, b + 8, 5)
           && !memcmp(a + 14, b + 14, 2) && !memcmp(a + 18, b + 18, g->headers - g->ip - 18);
}

/* Write what was joined. A packet alone goes as it came, to be checked by the kernel; where several
   are one, the kernel believes their checksums, for they came over a connection that has its own. */
static inline ssize_t write_group(struct group *g, int device)
{
    struct virtio_net_hdr head = {0};
    if (!g->count)
        return 0;
    if (g->count > 1) {
        uint8_t *p = g->first, *transport = p + g->ip;
        set_length(p, g->size);
        if (g->protocol == IPPROTO_TCP)
            transport[13] |= g->last_flags;
        else
            put16(transport + 4, (unsigned)(g->size - g->ip));
        put_sum(checksum_of(transport, g->protocol),
                folded(pseudo_sum(p, g->protocol, g->size - g->ip)));
        head.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
        head.gso_type = g->protocol == IPPROTO_UDP ? VIRTIO_NET_HDR_GSO_UDP_L4
                        : is_ipv4(p)               ? VIRTIO_NET_HDR_GSO_TCPV4
                                                   : VIRTIO_NET_HDR_GSO_TCPV6;
        head.hdr_len = (uint16_t)g->headers;
        head.gso_size = (uint16_t)g->segment;
        head.csum_start = (uint16_t)g->ip;
        head.csum_offset = g->protocol == IPPROTO_TCP ? 16 : 6;
    }
    g->parts[0] = (struct iovec){&head, HEAD_SIZE};
    int parts = 1 + g->count;
    g->count = 0;
    return writev(device, g->parts, parts);
}

/* Let a packet join the group, which is written first where the packet does not continue it. The
   packet stays where it is until the group was written. Returns what that writing returned. */
static inline ssize_t join(struct group *g, int device, int udp, uint8_t *p, size_t size)
{
    size_t ip = 0, headers = 0;
    ssize_t written = 0;
    int protocol = headers_of(p, size, udp, &ip, &headers);
    size_t payload = size - headers;
    uint8_t flags = protocol == IPPROTO_TCP ? p[ip + 13] & (PSH | FIN) : 0;
    if (g->count && !g->full && protocol && protocol == g->protocol && ip == g->ip
        && headers == g->headers && payload <= g->segment && g->size + payload <= MAX_SUPER
        && continues(g, p)) {
        g->parts[1 + g->count++] = (struct iovec){p + headers, payload};
        g->size += payload;
        g->last_flags = flags;
        g->full = payload < g->segment || flags || g->count == MAX_JOINED;
        return 0;
    }
    written = write_group(g, device);
    g->parts[1] = (struct iovec){p, size};
    g->count = 1;
    g->full = !protocol || flags;
    g->protocol = protocol;
    g->first = p;
    g->ip = ip;
    g->headers = headers;
    g->segment = payload;
    g->size = size;
    return written;
}

#endif
