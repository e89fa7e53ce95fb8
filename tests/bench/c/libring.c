/* A stand-in for the packet functions of wintun.dll, for machines without Windows.

   Written for the benchmark after the behaviour in wintun.h and the ring layout that wintun's
   sources document: records of a 4-byte size and the packet, aligned to 4; one unit kept free; a
   mark on records not given back yet; a lock around every call, as the DLL has a critical section.
   The error number of a call is errno, which ctypes saves as it saves GetLastError on Windows,
   and which RingLastError returns to C.
   There is no kernel behind it: Ring* fills and empties the rings in its place. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { EMPTY = 259, FULL = 111, MAX_PACKET = 0xffff };
#define PENDING 0x80000000u

struct ring {
    pthread_mutex_t lock;
    uint8_t *data;
    uint32_t head, tail; /* what the kernel sees */
    uint32_t next;       /* the next record to receive or to allocate */
};

struct session {
    uint32_t capacity;
    struct ring received, sent;
};

static uint32_t record(uint32_t size) { return (size + 7) & ~3u; }
static uint32_t *size_at(struct ring *ring, uint32_t offset) { return (uint32_t *)(ring->data + offset); }

/* Move `from` over the unbroken run of records that were given back. */
static uint32_t settled(struct session *s, struct ring *ring, uint32_t from)
{
    while (from != ring->next) {
        uint32_t size = *size_at(ring, from);
        if (size & PENDING)
            break;
        from = (from + record(size)) & (s->capacity - 1);
    }
    return from;
}

uint8_t *WintunReceivePacket(struct session *s, uint32_t *packet_size)
{
    struct ring *ring = &s->received;
    uint8_t *packet = NULL;
    pthread_mutex_lock(&ring->lock);
    if (ring->next != ring->tail) {
        uint32_t *size = size_at(ring, ring->next);
        *packet_size = *size;
        packet = (uint8_t *)(size + 1);
        ring->next = (ring->next + record(*size)) & (s->capacity - 1);
        *size |= PENDING;
    }
    pthread_mutex_unlock(&ring->lock);
    errno = packet ? 0 : EMPTY;
    return packet;
}

void WintunReleaseReceivePacket(struct session *s, uint8_t *packet)
{
    struct ring *ring = &s->received;
    pthread_mutex_lock(&ring->lock);
    ((uint32_t *)packet)[-1] &= ~PENDING;
    ring->head = settled(s, ring, ring->head);
    pthread_mutex_unlock(&ring->lock);
}

uint8_t *WintunAllocateSendPacket(struct session *s, uint32_t size)
{
    struct ring *ring = &s->sent;
    uint8_t *packet = NULL;
    pthread_mutex_lock(&ring->lock);
    if (record(size) <= ((ring->head - ring->next - 4) & (s->capacity - 1))) {
        *size_at(ring, ring->next) = size | PENDING;
        packet = ring->data + ring->next + 4;
        ring->next = (ring->next + record(size)) & (s->capacity - 1);
    }
    pthread_mutex_unlock(&ring->lock);
    errno = packet ? 0 : FULL;
    return packet;
}

void WintunSendPacket(struct session *s, uint8_t *packet)
{
    struct ring *ring = &s->sent;
    pthread_mutex_lock(&ring->lock);
    ((uint32_t *)packet)[-1] &= ~PENDING;
    ring->tail = settled(s, ring, ring->tail);
    pthread_mutex_unlock(&ring->lock);
}

uint32_t RingLastError(void) { return (uint32_t)errno; }

/* No thread waits here, so an address that is not NULL is event enough. */
void *WintunGetReadWaitEvent(struct session *s) { return s; }

void WintunEndSession(struct session *s)
{
    free(s->received.data);
    free(s->sent.data);
    free(s);
}

struct session *RingOpen(uint32_t capacity)
{
    struct session *s = calloc(1, sizeof *s);
    s->capacity = capacity;
    for (int i = 0; i < 2; i++) {
        struct ring *ring = i ? &s->sent : &s->received;
        pthread_mutex_init(&ring->lock, NULL);
        ring->data = calloc(1, capacity + MAX_PACKET + 8); /* the last record runs over the end */
    }
    return s;
}

/* Put packets of one size into the receive ring until it is full; returns how many. */
uint32_t RingFill(struct session *s, uint32_t size)
{
    struct ring *ring = &s->received;
    uint32_t count = 0;
    for (; record(size) <= ((ring->head - ring->tail - 4) & (s->capacity - 1)); count++) {
        *size_at(ring, ring->tail) = size;
        ring->data[ring->tail + 4] = 0x45;
        ring->tail = (ring->tail + record(size)) & (s->capacity - 1);
    }
    return count;
}

/* Take everything out of the send ring. */
void RingEmpty(struct session *s) { s->sent.head = s->sent.tail; }
