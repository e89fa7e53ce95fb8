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

/* Read up to `limit` packets of at most `size` bytes, one behind another, while there is room for
   one more. Returns how many. `failure` is the error that ended it, 0 where `limit` or room did. */
uint32_t read_burst(int descriptor, uint8_t *room, size_t bytes, size_t size, uint32_t limit,
                    uint32_t *lengths, int *failure)
{
    uint32_t count = 0;
    uint8_t *end = room + bytes;
    *failure = 0;
    while (count < limit && (size_t)(end - room) >= size) {
        ssize_t got = read(descriptor, room, size);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            *failure = errno;
            break;
        }
        lengths[count++] = (uint32_t)got;
        room += got;
    }
    return count;
}

/* Write `count` packets that lie one behind another from `packets` + `offset` on. Returns how many
   were taken. `failure` is the error of the one after them, 0 where there is none. */
uint32_t write_burst(int descriptor, const uint8_t *packets, size_t offset,
                     const uint32_t *lengths, uint32_t count, int *failure)
{
    packets += offset;
    *failure = 0;
    for (uint32_t taken = 0; taken < count; taken++) {
        while (write(descriptor, packets, lengths[taken]) < 0) {
            if (errno == EINTR)
                continue;
            *failure = errno;
            return taken;
        }
        packets += lengths[taken];
    }
    return count;
}
