/* The packets of the benchmark: IPv4 and UDP, numbered, so that loss and disorder show. */
#ifndef BENCH_PACKET_H
#define BENCH_PACKET_H

#include <arpa/inet.h>
#include <stdint.h>
#include <string.h>

enum {
    HEADERS = 28,      /* IPv4 without options (RFC 791) and UDP (RFC 768) */
    MIN_PACKET = 36,   /* room for the number behind the headers */
    MAX_PACKET = 65535,
    PORT_DISCARD = 9,  /* where the flood goes (RFC 863) */
    PORT_ECHO = 7,     /* what an echoing client answers (RFC 862) */
};

static inline uint16_t get16(const uint8_t *p) { return (uint16_t)(p[0] << 8 | p[1]); }

static inline void put16(uint8_t *p, unsigned value)
{
    p[0] = (uint8_t)(value >> 8);
    p[1] = (uint8_t)value;
}

static inline uint16_t ip_checksum(const uint8_t *header)
{
    uint32_t sum = 0;
    for (int i = 0; i < 20; i += 2)
        sum += get16(header + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Build a UDP datagram of `size` bytes in all. Its UDP checksum is 0: none (RFC 768). */
static inline void build_udp(uint8_t *p, size_t size, const char *from, const char *to, int port)
{
    memset(p, 0, size);
    p[0] = 0x45;
    put16(p + 2, (unsigned)size);
    p[8] = 64;
    p[9] = IPPROTO_UDP;
    inet_pton(AF_INET, from, p + 12);
    inet_pton(AF_INET, to, p + 16);
    put16(p + 10, ip_checksum(p));
    put16(p + 20, 40000);
    put16(p + 22, (unsigned)port);
    put16(p + 24, (unsigned)size - 20);
}

/* Whether this is UDP over IPv4 to `port`, with room for a number. The host says other things too. */
static inline int is_udp_to(const uint8_t *p, size_t size, int port)
{
    return size >= MIN_PACKET && p[0] == 0x45 && p[9] == IPPROTO_UDP && get16(p + 22) == port;
}

static inline uint64_t packet_number(const uint8_t *p)
{
    uint64_t number;
    memcpy(&number, p + HEADERS, sizeof number);
    return number;
}

#endif
