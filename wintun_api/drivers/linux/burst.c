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

/* Of the interpreter that loads this (Python's C API, "Bytes Objects"). Declared here, so that its
   headers need not be installed. `header` below is where the content of a bytes object begins. */
extern void *PyBytes_FromStringAndSize(const char *content, ptrdiff_t size);
extern int _PyBytes_Resize(void **bytes, ptrdiff_t size);

enum { FAILURE, COUNT, BYTES, CUT };
enum { LINK_DOWN = 1, REFUSED, REASON };

/* One more than the largest IP packet. Every read offers as much, so that none is cut, whatever the
   MTU has become meanwhile; memory that no packet fills costs nothing. */
#define LARGEST 65536

/* Read up to `limit` packets, one behind another, until about `enough` bytes are there. Returns a
   bytes object of exactly these, NULL with an exception set where there is no memory; `lengths` gets
   the length of each. Of `outcome`, FAILURE is the error that ended it, 0 where `limit` or `enough`
   did; COUNT is how many packets there are, BYTES their length together, and CUT how many more came
   that were larger than any IP packet and are not among them. */
void *read_burst(int descriptor, size_t header, size_t enough, uint32_t limit, uint16_t *lengths,
                 uint32_t *outcome)
{
    void *burst = PyBytes_FromStringAndSize(NULL, (ptrdiff_t)(enough + LARGEST));
    uint32_t count = 0, cut = 0;
    size_t used = 0;
    outcome[FAILURE] = 0;
    if (burst) {
        uint8_t *room = (uint8_t *)burst + header;
        while (count + cut < limit && used < enough) {
            ssize_t got = read(descriptor, room + used, LARGEST);
            if (got >= LARGEST) {
                cut++;
            } else if (got >= 0) {
                lengths[count++] = (uint16_t)got;
                used += (size_t)got;
            } else if (errno != EINTR) {
                outcome[FAILURE] = (uint32_t)errno;
                break;
            }
        }
        _PyBytes_Resize(&burst, (ptrdiff_t)used);
    }
    outcome[COUNT] = count;
    outcome[BYTES] = (uint32_t)used;
    outcome[CUT] = cut;
    return burst;
}

/* Write `count` packets that lie one behind another from `packets` + `offset` on. Returns how many
   were taken. FAILURE is the error of the one after them, 0 where there is none: the device is gone
   or has no room, and nothing behind that packet was written. Of those taken, LINK_DOWN found the
   link set down, and REFUSED were refused for another reason, the last time for REASON. */
uint32_t write_burst(int descriptor, const uint8_t *packets, size_t offset,
                     const uint16_t *lengths, uint32_t count, uint32_t *outcome)
{
    packets += offset;
    outcome[FAILURE] = outcome[LINK_DOWN] = outcome[REFUSED] = outcome[REASON] = 0;
    for (uint32_t taken = 0; taken < count; taken++) {
        while (write(descriptor, packets, lengths[taken]) < 0) {
            if (errno == EINTR)
                continue;
            switch (errno) {
            case EAGAIN:
            case ENOBUFS:
            case ENOMEM:
            case EBADF:
            case EBADFD:
                outcome[FAILURE] = (uint32_t)errno;
                return taken;
            case EIO:
                outcome[LINK_DOWN]++;
                break;
            default:
                outcome[REFUSED]++;
                outcome[REASON] = (uint32_t)errno;
            }
            break;
        }
        packets += lengths[taken];
    }
    return count;
}
