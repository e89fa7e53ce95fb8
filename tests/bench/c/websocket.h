/* As much of RFC 6455 as both ends of the benchmark need: handshake, frame headers, masks. */
#ifndef BENCH_WEBSOCKET_H
#define BENCH_WEBSOCKET_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"

enum { TEXT = 1, BINARY = 2, CLOSE = 8, PING = 9, PONG = 10 };
enum { MASKED = 4, MAX_HEADER = 14 };

/* The key of the RFC's own example, and its answer: so that nobody here needs SHA-1. */
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
#define ACCEPT "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="

/* Any mask but zero costs the server the same. */
static const uint8_t MASK[4] = {0x37, 0xfa, 0x21, 0x3d};

/* Write the header of a final frame; returns its length. `masked` is 0 or MASKED. */
static inline size_t frame_header(uint8_t *p, int opcode, uint64_t length, int masked)
{
    size_t n;
    uint8_t bit = masked ? 0x80 : 0;
    p[0] = (uint8_t)(0x80 | opcode);
    if (length < 126) {
        p[1] = bit | (uint8_t)length;
        n = 2;
    } else if (length < 65536) {
        p[1] = bit | 126;
        p[2] = (uint8_t)(length >> 8);
        p[3] = (uint8_t)length;
        n = 4;
    } else {
        p[1] = bit | 127;
        for (int i = 0; i < 8; i++)
            p[2 + i] = (uint8_t)(length >> (56 - 8 * i));
        n = 10;
    }
    if (masked) {
        memcpy(p + n, MASK, 4);
        n += 4;
    }
    return n;
}

static inline void apply_mask(uint8_t *p, size_t size, const uint8_t mask[4])
{
    uint64_t wide;
    uint32_t narrow;
    memcpy(&narrow, mask, 4);
    wide = (uint64_t)narrow << 32 | narrow;
    size_t i = 0;
    for (; i + 8 <= size; i += 8) {
        uint64_t word;
        memcpy(&word, p + i, 8);
        word ^= wide;
        memcpy(p + i, &word, 8);
    }
    for (; i < size; i++)
        p[i] ^= mask[i & 3];
}

struct frame {
    int opcode;
    int final;
    uint8_t *payload;
    size_t size;
};

/* Find the next whole frame in [p, end) and take its mask off; returns the bytes it takes in all,
   0 when it is not whole yet. */
static inline size_t next_frame(uint8_t *p, const uint8_t *end, struct frame *frame)
{
    size_t have = (size_t)(end - p), head = 2;
    if (have < 2)
        return 0;
    uint64_t length = p[1] & 127;
    if (length == 126) {
        if (have < 4)
            return 0;
        length = (uint64_t)p[2] << 8 | p[3];
        head = 4;
    } else if (length == 127) {
        if (have < 10)
            return 0;
        length = 0;
        for (int i = 2; i < 10; i++)
            length = length << 8 | p[i];
        head = 10;
    }
    int masked = p[1] & 0x80;
    if (masked)
        head += 4;
    if (have < head + length)
        return 0;
    if (masked)
        apply_mask(p + head, length, p + head - 4);
    *frame = (struct frame){p[0] & 15, p[0] >> 7, p + head, length};
    return head + length;
}

/* Read until the blank line that ends an HTTP head; returns the bytes read, 0 at the end. */
static inline size_t read_head(int s, char *buffer, size_t size)
{
    size_t have = 0;
    while (have + 1 < size) {
        ssize_t n = read(s, buffer + have, 1);  /* one by one: what follows belongs to the caller */
        if (n <= 0)
            return 0;
        buffer[++have] = 0;
        if (have >= 4 && !memcmp(buffer + have - 4, "\r\n\r\n", 4))
            return have;
    }
    return 0;
}

/* Connect to ws://127.0.0.1:port/path. `headers` are whole lines, each with its CRLF. */
static inline int ws_connect(int port, const char *path, const char *protocol, const char *headers)
{
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(s, (struct sockaddr *)&to, sizeof to))
        fail("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    char head[8192];
    int n = snprintf(head, sizeof head,
                     "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\n"
                     "Connection: Upgrade\r\nSec-WebSocket-Key: " KEY "\r\n"
                     "Sec-WebSocket-Version: 13\r\n%s%s%s%s\r\n",
                     path, port, *protocol ? "Sec-WebSocket-Protocol: " : "", protocol,
                     *protocol ? "\r\n" : "", headers);
    if (write(s, head, (size_t)n) != n)
        fail("handshake");
    if (!read_head(s, head, sizeof head) || strncmp(head, "HTTP/1.1 101", 12)) {
        fprintf(stderr, "no WebSocket at %s: %.200s\n", path, head);
        exit(1);
    }
    return s;
}

/* Write everything, waiting as long as it takes; returns 0 when the other side is gone. */
static inline int write_all(int s, const uint8_t *p, size_t size)
{
    while (size) {
        ssize_t n = write(s, p, size);
        if (n < 0 && errno == EINTR && !stopping)
            continue;
        if (n <= 0)
            return 0;
        p += n;
        size -= (size_t)n;
    }
    return 1;
}

/* Answer a ping from a client. */
static inline void send_pong(int s, const struct frame *ping)
{
    uint8_t out[MAX_HEADER + 125];
    size_t n = frame_header(out, PONG, ping->size, MASKED);
    memcpy(out + n, ping->payload, ping->size);
    apply_mask(out + n, ping->size, MASK);
    if (send(s, out, n + ping->size, MSG_NOSIGNAL) < 0)
        perror("pong");
}

#endif
