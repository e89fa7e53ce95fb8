/* Many packets through a TUN descriptor with one call: the optional native part.

   A packet costs one system call here as in Python, and nothing else: no object, no list, no
   hand-over of the interpreter lock. native.py builds and loads it. Descriptors are non-blocking. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#ifndef BURST_SOURCE
#define BURST_SOURCE ""
#endif

/* What this was built from: SHA-256 of this file, so that an old library is not taken for a new. */
const char burst_source[] = BURST_SOURCE;

enum { FAILURE, LONGEST, BYTES };

/* Read up to `limit` packets of at most `size` bytes, one behind another, while there is room for
   one more. Returns how many, and the length of each. Of `outcome`, FAILURE is the error that ended
   it, 0 where `limit` or room did; LONGEST is the length of the longest, BYTES that of all. */
uint32_t read_burst(int descriptor, uint8_t *room, size_t bytes, size_t size, uint32_t limit,
                    uint16_t *lengths, uint32_t *outcome)
{
    uint32_t count = 0, longest = 0;
    uint8_t *at = room, *end = room + bytes;
    outcome[FAILURE] = 0;
    while (count < limit && (size_t)(end - at) >= size) {
        ssize_t got = read(descriptor, at, size);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            outcome[FAILURE] = (uint32_t)errno;
            break;
        }
        lengths[count++] = (uint16_t)got;
        if ((uint32_t)got > longest)
            longest = (uint32_t)got;
        at += got;
    }
    outcome[LONGEST] = longest;
    outcome[BYTES] = (uint32_t)(at - room);
    return count;
}

/* Write `count` packets that lie one behind another from `packets` + `offset` on. Returns how many
   were taken; FAILURE is the error of the one after them, 0 where there is none. */
uint32_t write_burst(int descriptor, const uint8_t *packets, size_t offset,
                     const uint16_t *lengths, uint32_t count, uint32_t *outcome)
{
    packets += offset;
    outcome[FAILURE] = 0;
    for (uint32_t taken = 0; taken < count; taken++) {
        while (write(descriptor, packets, lengths[taken]) < 0) {
            if (errno == EINTR)
                continue;
            outcome[FAILURE] = (uint32_t)errno;
            return taken;
        }
        packets += lengths[taken];
    }
    return count;
}
