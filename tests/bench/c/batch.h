/* The batch frame of v1.batch, little-endian like the machines this runs on. */
#ifndef BENCH_BATCH_H
#define BENCH_BATCH_H

#include <stdint.h>
#include <string.h>

#define RAW "v1.raw.wintun-api"
#define BATCH "v1.batch.wintun-api"

struct batch {
    uint32_t magic;
    uint16_t header_length;
    uint16_t flags;
    uint32_t count;
    uint32_t payload;
    uint64_t sequence;
    uint64_t time_ns;
} __attribute__((packed));

#define BATCH_MAGIC 0x31425457u /* "WTB1" */

static inline struct batch batch_header(uint32_t count, uint32_t payload, uint64_t sequence)
{
    return (struct batch){BATCH_MAGIC, sizeof(struct batch), 0, count, payload, sequence, 0};
}

/* Call `each(context, packet, size)` for every packet of a message.
   Returns how many there were, -1 when the message is no row of batches. */
static inline long each_of_batches(uint8_t *message, size_t size,
                                   void (*each)(void *, uint8_t *, size_t), void *context)
{
    long packets = 0;
    uint8_t *end = message + size;
    while (message < end) {
        struct batch head;
        if ((size_t)(end - message) < sizeof head)
            return -1;
        memcpy(&head, message, sizeof head);
        if (head.magic != BATCH_MAGIC)
            return -1;
        int columns = 1 + !!(head.flags & 1) + !!(head.flags & 2);
        uint8_t *lengths = message + head.header_length;
        uint8_t *packet = lengths + (size_t)2 * head.count * columns;
        if (packet + head.payload > end)
            return -1;
        for (uint32_t i = 0; i < head.count; i++) {
            uint16_t length;
            memcpy(&length, lengths + 2 * i, 2);
            each(context, packet, length);
            packet += length;
        }
        packets += head.count;
        message = packet;
    }
    return packets;
}

#endif
