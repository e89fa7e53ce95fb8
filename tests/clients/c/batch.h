/* The batch frame of v1.batch.wintun-api: many packets in one binary message, little-endian.
   Nothing is copied or allocated: a batch points into its message. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { BATCH_HEADER = 32 };
enum { BATCH_ORIGINAL_LENGTHS = 1, BATCH_SEQUENCE_DELTAS = 2, BATCH_INJECTED = 4 };

struct batch {
    uint16_t flags;
    uint32_t count, payload;
    uint64_t sequence, time_ns;
    const uint8_t *lengths, *original_lengths, *sequence_deltas; /* u16[count]; NULL where absent */
    const uint8_t *packets;                                      /* concatenated */
};

static inline uint64_t batch_read(const uint8_t *at, int bytes) {
    uint64_t value = 0;
    while (bytes-- > 0) value = value << 8 | at[bytes];
    return value;
}

static inline void batch_write(uint8_t *at, uint64_t value, int bytes) {
    for (int index = 0; index < bytes; index++) at[index] = (uint8_t)(value >> 8 * index);
}

static inline uint16_t batch_column(const uint8_t *column, uint32_t index) {
    return (uint16_t)batch_read(column + 2 * (size_t)index, 2);
}

/* Read the batch at the start of the bytes. Returns NULL and sets `size`, or says what is wrong. */
static const char *batch_next(const uint8_t *bytes, size_t left, struct batch *batch, size_t *size) {
    if (left < BATCH_HEADER) return "truncated_header";
    if (batch_read(bytes, 4) != 0x31425457) return "bad_magic"; /* "WTB1" */
    size_t header = (size_t)batch_read(bytes + 4, 2);
    if (header < BATCH_HEADER) return "bad_header_length";
    batch->flags = (uint16_t)batch_read(bytes + 6, 2);
    if (batch->flags & ~7) return "unknown_flags";
    batch->count = (uint32_t)batch_read(bytes + 8, 4);
    batch->payload = (uint32_t)batch_read(bytes + 12, 4);
    batch->sequence = batch_read(bytes + 16, 8);
    batch->time_ns = batch_read(bytes + 24, 8);
    uint64_t column = 2 * (uint64_t)batch->count;
    uint64_t columns = 1 + (batch->flags & 1) + (batch->flags >> 1 & 1);
    if (header + columns * column + batch->payload > left) return "truncated";
    const uint8_t *at = bytes + header;
    batch->lengths = at;
    batch->original_lengths = batch->flags & BATCH_ORIGINAL_LENGTHS ? at += column : NULL;
    batch->sequence_deltas = batch->flags & BATCH_SEQUENCE_DELTAS ? at += column : NULL;
    batch->packets = at + column;
    uint64_t sum = 0;
    for (uint32_t index = 0; index < batch->count; index++)
        sum += batch_column(batch->lengths, index);
    if (sum != batch->payload) return "bad_lengths";
    *size = (size_t)(header + columns * column + batch->payload);
    return NULL;
}

/* Look through a whole message, before any packet of it counts. */
static const char *batch_check(const uint8_t *message, size_t length) {
    if (length == 0) return "empty";
    for (size_t offset = 0, size = 0; offset < length; offset += size) {
        struct batch batch;
        const char *fault = batch_next(message + offset, length - offset, &batch, &size);
        if (fault) return fault;
    }
    return NULL;
}

/* Write the header; the columns and the packets follow it. */
static void batch_head(uint8_t *at, const struct batch *batch) {
    batch_write(at, 0x31425457, 4);
    batch_write(at + 4, BATCH_HEADER, 2);
    batch_write(at + 6, batch->flags, 2);
    batch_write(at + 8, batch->count, 4);
    batch_write(at + 12, batch->payload, 4);
    batch_write(at + 16, batch->sequence, 8);
    batch_write(at + 24, batch->time_ns, 8);
}
