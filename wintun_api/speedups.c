/* The packet path in C: the optional extension `wintun_api.speedups`.

   Every function here has a twin in Python that does the same, so that nothing needs this file. It
   holds loops and nothing else: no state, no thread, no policy, no Python object per packet. It uses
   the stable ABI of CPython 3.11, so that one build serves every later release.

   Packets lie one behind another in one piece of memory. Their lengths are 16-bit numbers in a
   table that the caller owns, as `packet/block.py` has them. `native.py` decides whether this is
   used, and compares INTERFACE with its own number. */
#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#ifdef __linux__
#include <sys/uio.h>
#include <unistd.h>
#else
struct iovec {
    void *iov_base;
    size_t iov_len;
};
#endif

/* Raised whenever the arguments or the answer of a function change. */
#define INTERFACE 2

/* A digest of this file, which the build gives as a name; `native.py` compares it with the file. */
#ifndef SOURCE
#define SOURCE unknown
#endif
#define QUOTED(name) #name
#define TEXT(name) QUOTED(name)

/* One more than the largest IP packet. Every read offers as much, so that none is cut, whatever the
   MTU has become meanwhile; memory that no packet fills costs nothing. */
#define LARGEST 65536

#define CACHE_LINE 64 /* of most processors; another size costs some speed, nothing else */

/* ---- What all sections use ---- */

/* Get a whole number that fits `limit`; -1 with an exception set where it does not. */
static inline int64_t number(PyObject *value, int64_t limit)
{
    long long got = PyLong_AsLongLong(value);
    if (got == -1 && PyErr_Occurred())
        return -1;
    if (got < 0 || got > limit) {
        PyErr_Format(PyExc_ValueError, "%lld is not between 0 and %lld.", got, (long long)limit);
        return -1;
    }
    return got;
}

static inline int expect(Py_ssize_t given, Py_ssize_t wanted)
{
    if (given == wanted)
        return 1;
    PyErr_Format(PyExc_TypeError, "%zd arguments were given, not %zd.", given, wanted);
    return 0;
}

/* Get a table of 16-bit numbers with PyBUF_WRITABLE or PyBUF_SIMPLE; 0 with an exception set where
   it is not contiguous, or does not begin at an even address. An empty one may begin anywhere:
   on Windows, that of an empty array does. */
static inline int get_table(PyObject *object, Py_buffer *table, int flags)
{
    if (PyObject_GetBuffer(object, table, flags) < 0)
        return 0;
    if (!table->len || !((uintptr_t)table->buf % sizeof(uint16_t)))
        return 1;
    PyBuffer_Release(table);
    PyErr_SetString(PyExc_ValueError, "The lengths do not begin at an even address.");
    return 0;
}

/* Get packets in one piece; 0 with an exception set unless all of them lie in the memory. */
static inline int get_packets(PyObject *const *arguments, Py_buffer *memory, Py_buffer *table,
                              const uint8_t **first)
{
    int64_t start = number(arguments[1], INT64_MAX);
    if (start < 0 || PyObject_GetBuffer(arguments[0], memory, PyBUF_SIMPLE) < 0)
        return 0;
    if (!get_table(arguments[2], table, PyBUF_SIMPLE)) {
        PyBuffer_Release(memory);
        return 0;
    }
    const uint16_t *lengths = table->buf;
    uint64_t size = 0;
    for (Py_ssize_t at = 0; at < table->len / 2; at++)
        size += lengths[at];
    if (start <= memory->len && size <= (uint64_t)(memory->len - start)) {
        *first = (const uint8_t *)memory->buf + start;
        return 1;
    }
    PyErr_SetString(PyExc_ValueError, "The lengths are more than the memory.");
    PyBuffer_Release(memory);
    PyBuffer_Release(table);
    return 0;
}

/* Return the first `used` bytes of `memory`, which this takes over: the object itself, with other
   bytes behind them, unless they are few. What is kept for longer is copied then (hub/burst.py). */
static inline PyObject *settled(PyObject *memory, size_t used)
{
    if (used >= (size_t)PyBytes_Size(memory) / 16)
        return memory;
    PyObject *exact = PyBytes_FromStringAndSize(PyBytes_AsString(memory), (Py_ssize_t)used);
    Py_DECREF(memory);
    return exact;
}

/* ---- When packets were read; the twin is packet/stamps.py ---- */

#ifdef _WIN32
__declspec(dllimport) void __stdcall GetSystemTimePreciseAsFileTime(void *);
#define BEFORE_1970 116444736000000000 /* in steps of 100 ns, from 1601 on */
#endif

/* Return the time in nanoseconds since 1970. */
static inline int64_t now_ns(void)
{
#ifdef _WIN32
    int64_t steps;
    GetSystemTimePreciseAsFileTime(&steps);
    return (steps - BEFORE_1970) * 100;
#else
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
#endif
}

/* Where times of packets are noted: 32-bit numbers, in nanoseconds after the first. Without a table
   (`table.obj` is NULL) nothing is noted, and releasing the table does nothing. */
struct stamps {
    Py_buffer table;
    int64_t first, limit; /* the time of the first packet, 0 before it; how many have room */
};

/* Get the table for times, or None for none; 0 with an exception set otherwise. */
static int get_stamps(PyObject *table, struct stamps *stamps)
{
    memset(stamps, 0, sizeof *stamps);
    stamps->limit = INT64_MAX;
    if (Py_IsNone(table))
        return 1;
    if (PyObject_GetBuffer(table, &stamps->table, PyBUF_WRITABLE) < 0)
        return 0;
    stamps->limit = stamps->table.len / (Py_ssize_t)sizeof(uint32_t);
    return 1;
}

/* Note that the packets from `index` on, `count` of them, were read now. */
static inline void note(struct stamps *stamps, size_t index, size_t count)
{
    if (!stamps->table.obj)
        return;
    int64_t now = now_ns();
    if (!index)
        stamps->first = now;
    int64_t later = now - stamps->first;
    uint32_t time = later < 0 ? 0 : later > UINT32_MAX ? UINT32_MAX : (uint32_t)later;
    uint8_t *place = (uint8_t *)stamps->table.buf + index * sizeof time;
    for (; count; count--, place += sizeof time)
        memcpy(place, &time, sizeof time);
}

/* ---- Bursts of a descriptor (Linux); the twins are in drivers/linux/calls.py ---- */

#ifdef __linux__

/* Fetch the memory that the next packet will probably fill into the caches, while the kernel works.
   Where bursts are kept, each one is read into memory that was not used for long. */
static inline void warm(const uint8_t *memory, size_t size)
{
    for (size_t at = 0; at < size; at += CACHE_LINE)
        __builtin_prefetch(memory + at, 1);
}

PyDoc_STRVAR(read_burst_doc,
"read_burst(descriptor, limit, enough, lengths, times)\n--\n\n"
"Read up to `limit` packets, until about `enough` bytes are there.\n\n"
"Return (memory, count, size, failure, cut, first): the packets lie at the beginning of `memory`,\n"
"and `failure` is the error that ended it, 0 where a limit did. `cut` counts packets that were larger\n"
"than any IP packet and are left out. `lengths` has room for `limit` numbers. `times` is None, or gets\n"
"numbers of 32 bits: how many nanoseconds after the first packet each one was read. `first` is the\n"
"time of the first, in nanoseconds since 1970; 0 where no time was noted.");

static PyObject *read_burst(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    struct stamps stamps;
    if (!expect(given, 5))
        return NULL;
    int64_t descriptor = number(arguments[0], INT32_MAX);
    int64_t limit = descriptor < 0 ? -1 : number(arguments[1], UINT32_MAX);
    int64_t enough = limit < 0 ? -1 : number(arguments[2], INT32_MAX);
    Py_buffer table;
    if (enough < 0 || !get_table(arguments[3], &table, PyBUF_WRITABLE))
        return NULL;
    if (!get_stamps(arguments[4], &stamps)) {
        PyBuffer_Release(&table);
        return NULL;
    }
    PyObject *memory = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)enough + LARGEST);
    if (!memory) {
        PyBuffer_Release(&stamps.table);
        PyBuffer_Release(&table);
        return NULL;
    }
    if (limit > table.len / 2)
        limit = table.len / 2;
    if (limit > stamps.limit)
        limit = stamps.limit;
    uint8_t *room = (uint8_t *)PyBytes_AsString(memory);
    uint16_t *lengths = table.buf;
    size_t used = 0, last = 0;
    unsigned int count = 0, cut = 0;
    int failure = 0;
    while (count + cut < limit && used < (size_t)enough) {
        warm(room + used, last);
        ssize_t got = read((int)descriptor, room + used, LARGEST);
        if (got >= LARGEST) {
            cut++;
        } else if (got >= 0) {
            note(&stamps, count, 1);
            lengths[count++] = (uint16_t)got;
            last = (size_t)got;
            used += last;
        } else if (errno != EINTR) {
            failure = errno;
            break;
        }
    }
    PyBuffer_Release(&stamps.table);
    PyBuffer_Release(&table);
    memory = settled(memory, used);
    return memory ? Py_BuildValue("(NInIIL)", memory, count, (Py_ssize_t)used, failure, cut,
                                  (long long)stamps.first)
                  : NULL;
}

/* Say whether an error means that no later packet may be written: STOPS of the twin. */
static int stops(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == EBADF
        || error == EBADFD;
}

/* Write a packet to a descriptor; return 0 or the error. */
static int write_packet(int descriptor, const uint8_t *packet, size_t size)
{
    while (write(descriptor, packet, size) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

PyDoc_STRVAR(write_burst_doc,
"write_burst(descriptor, memory, start, lengths)\n--\n\n"
"Write the packets that lie one behind another in `memory` from `start` on.\n\n"
"Return (taken, failure, link_down, refused, reason): `failure` is the error of the packet behind\n"
"those that were taken, 0 where there is none. Of those taken, the kernel refused `link_down` and\n"
"`refused`, the last of these for `reason`.");

static PyObject *write_burst(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    if (!expect(given, 4))
        return NULL;
    int64_t descriptor = number(arguments[0], INT32_MAX);
    Py_buffer memory, table;
    const uint8_t *packet;
    if (descriptor < 0 || !get_packets(arguments + 1, &memory, &table, &packet))
        return NULL;
    const uint16_t *lengths = table.buf;
    unsigned int count = (unsigned int)(table.len / 2), taken = 0, link_down = 0, refused = 0;
    int failure = 0, reason = 0;
    for (; taken < count; taken++) {
        int error = write_packet((int)descriptor, packet, lengths[taken]);
        if (stops(error)) {
            failure = error;
            break;
        }
        if (error == EIO) {
            link_down++;
        } else if (error) {
            refused++;
            reason = error;
        }
        packet += lengths[taken];
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    return Py_BuildValue("(IiIIi)", taken, failure, link_down, refused, reason);
}

#endif

/* ---- Bursts of Wintun; the twins are in drivers/wintun/bursts.py ---- */

#ifdef _WIN32
#define FOREIGN __stdcall /* how wintun.dll and kernel32.dll are called on 32-bit Windows */
#else
#define FOREIGN
#endif

typedef uint8_t *(FOREIGN *Receive)(void *session, uint32_t *size);
typedef void (FOREIGN *Release)(void *session, const uint8_t *packet);
typedef uint8_t *(FOREIGN *Allocate)(void *session, uint32_t size);
typedef void (FOREIGN *Send)(void *session, const uint8_t *packet);
typedef uint32_t (FOREIGN *LastError)(void);

#define HIGHEST_ADDRESS (sizeof(void *) < 8 ? (int64_t)UINT32_MAX : INT64_MAX)

/* How many packets are taken from a ring before they are given back. */
#define MOST_HELD 1024

/* What WintunReceivePacket says of a corrupt ring. */
#define ERROR_INVALID_DATA 13

/* Get `count` addresses, of which none is 0; 0 with an exception set otherwise. */
static int addresses(PyObject *const *values, int count, uintptr_t *found)
{
    for (int i = 0; i < count; i++) {
        int64_t got = number(values[i], HIGHEST_ADDRESS);
        if (got == 0)
            PyErr_SetString(PyExc_ValueError, "0 is not an address.");
        if (got <= 0)
            return 0;
        found[i] = (uintptr_t)got;
    }
    return 1;
}

/* The tables may begin at an odd address. */
static uint16_t length_at(const void *table, size_t index)
{
    uint16_t length;
    memcpy(&length, (const uint8_t *)table + 2 * index, 2);
    return length;
}

static void set_length(void *table, size_t index, uint16_t length)
{
    memcpy((uint8_t *)table + 2 * index, &length, 2);
}

/* Return an error number, or None if there was no error: 0 is one that a call can leave. */
static PyObject *outcome(int64_t failure)
{
    return failure < 0 ? Py_NewRef(Py_None) : PyLong_FromLongLong(failure);
}

PyDoc_STRVAR(receive_burst_doc,
"receive_burst(receive, release, last_error, session, limit, enough, lengths, times)\n--\n\n"
"Receive up to `limit` packets, until about `enough` bytes are there.\n\n"
"The first four are addresses: of the functions WintunReceivePacket,\n"
"WintunReleaseReceivePacket and GetLastError, and of a session. Return (memory, count, size,\n"
"failure, first): the packets fill `memory`, and `failure` is the error number of the call that\n"
"ended it, None where a limit did. At most 1,024 packets come in one call. A packet larger than any\n"
"IP packet means a corrupt ring.\n"
"`lengths` has room for `limit` numbers. Every packet is given back, also if this raises.\n"
"`times` and `first` are as in `read_burst`.");

static PyObject *receive_burst(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    uintptr_t at[4];
    struct stamps stamps;
    if (!expect(given, 8) || !addresses(arguments, 4, at))
        return NULL;
    int64_t limit = number(arguments[4], UINT32_MAX);
    int64_t enough = limit < 0 ? -1 : number(arguments[5], UINT32_MAX);
    Py_buffer table;
    if (enough < 0 || PyObject_GetBuffer(arguments[6], &table, PyBUF_WRITABLE) < 0)
        return NULL;
    if (!get_stamps(arguments[7], &stamps)) {
        PyBuffer_Release(&table);
        return NULL;
    }
    if (limit > table.len / 2)
        limit = table.len / 2;
    if (limit > stamps.limit)
        limit = stamps.limit;
    if (limit > MOST_HELD)
        limit = MOST_HELD;
    Receive receive = (Receive)at[0];
    Release release = (Release)at[1];
    LastError last_error = (LastError)at[2];
    void *session = (void *)at[3];
    const uint8_t *packets[MOST_HELD];
    size_t count = 0, used = 0;
    int64_t failure = -1;
    while (count < (size_t)limit && used < (size_t)enough) {
        uint32_t size = 0;
        const uint8_t *packet = receive(session, &size);
        if (!packet) {
            failure = last_error();
            break;
        }
        if (size >= LARGEST) {
            release(session, packet);
            failure = ERROR_INVALID_DATA;
            break;
        }
        note(&stamps, count, 1);
        packets[count] = packet;
        set_length(table.buf, count++, (uint16_t)size);
        used += size;
    }
    /* The room is made now, when its size is known: a packet that comes alone, and an empty ring,
       then cost no large piece of memory, which is slow to get on Windows. */
    PyObject *memory = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)used);
    uint8_t *room = memory ? (uint8_t *)PyBytes_AsString(memory) : NULL;
    for (size_t i = 0; i < count; i++) {
        if (room) {
            memcpy(room, packets[i], length_at(table.buf, i));
            room += length_at(table.buf, i);
        }
        release(session, packets[i]);
    }
    PyBuffer_Release(&stamps.table);
    PyBuffer_Release(&table);
    return memory ? Py_BuildValue("(NnnNL)", memory, (Py_ssize_t)count, (Py_ssize_t)used,
                                  outcome(failure), (long long)stamps.first)
                  : NULL;
}

PyDoc_STRVAR(send_burst_doc,
"send_burst(allocate, send, last_error, session, memory, start, lengths)\n--\n\n"
"Send the packets that lie one behind another in `memory` from `start` on.\n\n"
"The first four are addresses: of the functions WintunAllocateSendPacket, WintunSendPacket and\n"
"GetLastError, and of a session. Return (sent, failure): `failure` is the error number of the\n"
"packet behind those that were sent, None where there is none.");

static PyObject *send_burst(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    uintptr_t at[4];
    if (!expect(given, 7) || !addresses(arguments, 4, at))
        return NULL;
    int64_t start = number(arguments[5], PY_SSIZE_T_MAX);
    Py_buffer memory, table;
    if (start < 0 || PyObject_GetBuffer(arguments[4], &memory, PyBUF_SIMPLE) < 0)
        return NULL;
    if (PyObject_GetBuffer(arguments[6], &table, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&memory);
        return NULL;
    }
    Allocate allocate = (Allocate)at[0];
    Send send = (Send)at[1];
    LastError last_error = (LastError)at[2];
    void *session = (void *)at[3];
    size_t count = (size_t)table.len / 2, sent = 0;
    int64_t left = memory.len - start, failure = -1;
    for (size_t i = 0; left >= 0 && i < count; i++)
        left -= length_at(table.buf, i);
    /* Checked before the first packet, because nothing may fail between two calls of a packet:
       one that is allocated and not sent holds up all later ones. */
    if (left >= 0) {
        const uint8_t *packet = (const uint8_t *)memory.buf + start;
        for (; sent < count; sent++) {
            uint16_t size = length_at(table.buf, sent);
            uint8_t *room = allocate(session, size);
            if (!room) {
                failure = last_error();
                break;
            }
            memcpy(room, packet, size);
            send(session, room);
            packet += size;
        }
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    if (left < 0) {
        PyErr_SetString(PyExc_ValueError, "The lengths are more than the memory.");
        return NULL;
    }
    return Py_BuildValue("(nN)", (Py_ssize_t)sent, outcome(failure));
}

/* ---- Frames of RFC 6455; the twins are in chunks.py and frames.py ---- */

#define MASKED 0x80      /* RFC 6455, section 5.2 */
#define WHOLE_BINARY 0x82 /* FIN and the opcode of a binary message */
#define MASK_LENGTH 4
#define BATCH_HEADER 32 /* wire.py says what a batch is */
#define BATCH_MAGIC 0x31425457u
#define ORIGINAL_LENGTHS 1u
#define SEQUENCE_DELTAS 2u
#define INJECTED 4u
#define TIMES 8u
#define KNOWN_FLAGS 15u
#define MIN_IPV4 20 /* packet/check.py */
#define MIN_IPV6 40

/* Why cutting stopped: as chunks.py has them. */
enum { USED_UP, OTHER, BROKEN };

/* The payload of one frame, still masked. */
struct payload {
    const uint8_t *bytes;
    uint64_t size;
    uint8_t mask[MASK_LENGTH];
};

/* Where valid packets are put, and what was counted. */
struct sieve {
    uint8_t *room;
    size_t used;
    uint16_t *lengths;
    unsigned int count, too_short, too_long, bad_version;
};

/* Unmask `size` bytes of a payload from `offset` on, eight at a time. */
static void unmask(uint8_t *target, const struct payload *from, uint64_t offset, size_t size)
{
    const uint8_t *source = from->bytes + offset;
    uint8_t turned[8];
    for (unsigned int i = 0; i < 8; i++)
        turned[i] = from->mask[(offset + i) % MASK_LENGTH];
    if (size < 8) {
        for (size_t i = 0; i < size; i++)
            target[i] = source[i] ^ turned[i];
        return;
    }
    uint64_t mask, a, b, c, d;
    size_t at = 0;
    memcpy(&mask, turned, 8);
    for (; at + 32 <= size; at += 32) {
        memcpy(&a, source + at, 8);
        memcpy(&b, source + at + 8, 8);
        memcpy(&c, source + at + 16, 8);
        memcpy(&d, source + at + 24, 8);
        a ^= mask, b ^= mask, c ^= mask, d ^= mask;
        memcpy(target + at, &a, 8);
        memcpy(target + at + 8, &b, 8);
        memcpy(target + at + 16, &c, 8);
        memcpy(target + at + 24, &d, 8);
    }
    for (; at + 8 <= size; at += 8) {
        memcpy(&a, source + at, 8);
        a ^= mask;
        memcpy(target + at, &a, 8);
    }
    for (; at < size; at++)
        target[at] = source[at] ^ turned[at % 8];
}

static uint8_t unmasked(const struct payload *from, uint64_t offset)
{
    return from->bytes[offset] ^ from->mask[offset % MASK_LENGTH];
}

static uint32_t field(const uint8_t *bytes, unsigned int width)
{
    uint32_t value = 0;
    while (width--)
        value = value << 8 | bytes[width];
    return value;
}

/* Count the packet that begins at `offset`, and say whether a driver may get it. */
static int sound(struct sieve *sieve, const struct payload *from, uint64_t offset, uint64_t size)
{
    if (size < MIN_IPV4) {
        sieve->too_short++;
        return 0;
    }
    if (size >= LARGEST) {
        sieve->too_long++;
        return 0;
    }
    uint8_t version = unmasked(from, offset) >> 4;
    if (version == 4 || (version == 6 && size >= MIN_IPV6)) {
        sieve->lengths[sieve->count++] = (uint16_t)size;
        return 1;
    }
    if (version == 6)
        sieve->too_short++;
    else
        sieve->bad_version++;
    return 0;
}

static void put(struct sieve *sieve, const struct payload *from, uint64_t offset, uint64_t size)
{
    unmask(sieve->room + sieve->used, from, offset, (size_t)size);
    sieve->used += (size_t)size;
}

/* Take the packets of one batch at `*offset` and move it to the next; 0 where it has a fault. */
static int take_batch(struct sieve *sieve, const struct payload *from, uint64_t *offset)
{
    uint8_t head[BATCH_HEADER];
    if (from->size - *offset < BATCH_HEADER)
        return 0;
    unmask(head, from, *offset, BATCH_HEADER);
    uint32_t header_length = field(head + 4, 2), flags = field(head + 6, 2);
    uint64_t count = field(head + 8, 4), size = field(head + 12, 4);
    if (field(head, 4) != BATCH_MAGIC || header_length < BATCH_HEADER || flags & ~KNOWN_FLAGS)
        return 0;
    uint64_t columns = 1u + !!(flags & ORIGINAL_LENGTHS) + !!(flags & SEQUENCE_DELTAS)
        + (flags & TIMES ? 2u : 0u); /* a time is as wide as two of the others */
    uint64_t column = *offset + header_length, packet = column + 2 * count * columns;
    if (packet + size > from->size)
        return 0;
    /* Valid packets that lie one behind another are unmasked together. */
    uint64_t end = packet + size, begin = packet;
    for (uint64_t i = 0; i < count; i++, column += 2) {
        uint64_t length = unmasked(from, column) | (uint64_t)unmasked(from, column + 1) << 8;
        if (length > end - packet)
            return 0;
        if (!sound(sieve, from, packet, length)) {
            put(sieve, from, begin, packet - begin);
            begin = packet + length;
        }
        packet += length;
    }
    if (packet != end)
        return 0;
    put(sieve, from, begin, end - begin);
    *offset = end;
    return 1;
}

/* Take all packets of a message, or none where it has a fault; say whether it was taken. */
static int take_message(struct sieve *sieve, const struct payload *from, int batched)
{
    if (!batched) {
        if (sound(sieve, from, 0, from->size))
            put(sieve, from, 0, from->size);
        return 1;
    }
    struct sieve before = *sieve;
    uint64_t offset = 0;
    do {
        if (!take_batch(sieve, from, &offset)) {
            *sieve = before;
            return 0;
        }
    } while (offset < from->size);
    return 1;
}

/* Read the frame that begins here; set `need` to its size, or to what must be there to know more. */
static int read_frame(const uint8_t *frame, uint64_t have, uint64_t max_size,
                      struct payload *payload, uint64_t *need)
{
    unsigned int wide = 0;
    *need = 2;
    if (have < 2)
        return USED_UP;
    uint64_t size = frame[1] & 0x7F;
    if (size >= 126) {
        wide = size == 126 ? 2 : 8;
        *need = 2 + wide;
        if (have < *need)
            return USED_UP;
        size = 0;
        for (unsigned int i = 0; i < wide; i++)
            size = size << 8 | frame[2 + i];
    }
    if (!(frame[1] & MASKED) || size > max_size)
        return BROKEN;
    *need = 2 + wide + MASK_LENGTH + size;
    if (have < *need)
        return USED_UP;
    memcpy(payload->mask, frame + 2 + wide, MASK_LENGTH);
    payload->bytes = frame + 2 + wide + MASK_LENGTH;
    payload->size = size;
    return OTHER;
}

PyDoc_STRVAR(cut_frames_doc,
"cut_frames(data, start, max_size, batched, lengths)\n--\n\n"
"Unmask and check the packets of the complete binary messages from `start` on.\n\n"
"A message is one packet, or batches of packets. Return (memory, count, size, messages, position,\n"
"need, stop, too_short, too_long, bad_version): the valid packets lie at the beginning of\n"
"`memory`; the last three count the others. `stop` says why the frame at `position` was not taken:\n"
"it is not complete (0) and needs at least `need` bytes, or it is complete, of `need` bytes, and is\n"
"another frame or a message with a fault (1), or it breaks the protocol or has more than `max_size`\n"
"bytes (2). `lengths` has room for a number per 20 bytes of the data.");

static PyObject *cut_frames(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    if (!expect(given, 5))
        return NULL;
    int64_t start = number(arguments[1], INT64_MAX);
    int64_t max_size = start < 0 ? -1 : number(arguments[2], INT64_MAX / 2);
    int batched = max_size < 0 ? -1 : PyObject_IsTrue(arguments[3]);
    Py_buffer data, table;
    if (batched < 0 || PyObject_GetBuffer(arguments[0], &data, PyBUF_SIMPLE) < 0)
        return NULL;
    if (!get_table(arguments[4], &table, PyBUF_WRITABLE)) {
        PyBuffer_Release(&data);
        return NULL;
    }
    PyObject *memory = NULL;
    struct sieve sieve = {.lengths = table.buf};
    struct payload payload;
    uint64_t position = (uint64_t)start, end = (uint64_t)data.len, need = 2;
    unsigned int messages = 0;
    int stop = USED_UP;
    if (position > end || (end - position) / MIN_IPV4 > (uint64_t)table.len / 2) {
        PyErr_SetString(PyExc_ValueError, "The start is behind the data, or the table is small.");
        goto done;
    }
    const uint8_t *bytes = data.buf;
    while ((stop = read_frame(bytes + position, end - position, (uint64_t)max_size, &payload,
                              &need))
           == OTHER) {
        if (bytes[position] != WHOLE_BINARY)
            break;
        if (!memory) {
            memory = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(end - position));
            if (!memory)
                goto done;
            sieve.room = (uint8_t *)PyBytes_AsString(memory);
        }
        if (!take_message(&sieve, &payload, batched))
            break;
        messages++;
        position += need;
    }
    if (!memory)
        memory = PyBytes_FromStringAndSize(NULL, 0);
    else
        memory = settled(memory, sieve.used);
done:
    PyBuffer_Release(&table);
    PyBuffer_Release(&data);
    if (!memory || PyErr_Occurred()) {
        Py_XDECREF(memory);
        return NULL;
    }
    return Py_BuildValue("(NInIKKiIII)", memory, sieve.count, (Py_ssize_t)sieve.used, messages,
                         (unsigned long long)position, (unsigned long long)need, stop,
                         sieve.too_short, sieve.too_long, sieve.bad_version);
}

/* Return the size of the header of an unmasked frame. */
static size_t head_size(uint64_t payload)
{
    return payload < 126 ? 2 : payload <= UINT16_MAX ? 4 : 10;
}

/* Write the header of an unmasked binary frame; return where its payload begins. */
static uint8_t *put_head(uint8_t *frame, uint64_t payload)
{
    size_t head = head_size(payload);
    frame[0] = WHOLE_BINARY;
    frame[1] = (uint8_t)(head == 2 ? payload : head == 4 ? 126 : 127);
    for (size_t at = head; at-- > 2; payload >>= 8)
        frame[at] = (uint8_t)payload;
    return frame + head;
}

/* Write a number as a batch has it, which is little-endian; return where the next one begins. */
static uint8_t *put_field(uint8_t *at, uint64_t value, unsigned int width)
{
    for (; width; width--, value >>= 8)
        *at++ = (uint8_t)value;
    return at;
}

PyDoc_STRVAR(packet_frames_doc,
"packet_frames(memory, start, lengths)\n--\n\n"
"Put each packet into an unmasked binary frame (RFC 6455, section 5.2).\n\n"
"Return all frames in one piece. The packets lie one behind another in `memory` from `start` on.");

static PyObject *packet_frames(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    Py_buffer memory, table;
    const uint8_t *packet;
    if (!expect(given, 3) || !get_packets(arguments, &memory, &table, &packet))
        return NULL;
    const uint16_t *lengths = table.buf;
    size_t count = (size_t)table.len / 2, size = 0;
    for (size_t i = 0; i < count; i++)
        size += head_size(lengths[i]) + lengths[i];
    PyObject *frames = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (frames) {
        uint8_t *frame = (uint8_t *)PyBytes_AsString(frames);
        for (size_t i = 0; i < count; i++) {
            frame = put_head(frame, lengths[i]);
            memcpy(frame, packet, lengths[i]);
            frame += lengths[i];
            packet += lengths[i];
        }
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    return frames;
}

PyDoc_STRVAR(batch_frame_doc,
"batch_frame(memory, start, lengths, sequence, time_ns, injected)\n--\n\n"
"Put packets into one batch, in an unmasked binary frame (RFC 6455, section 5.2).\n\n"
"Return the frame. The packets lie one behind another in `memory` from `start` on.");

static PyObject *batch_frame(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    if (!expect(given, 6))
        return NULL;
    unsigned long long sequence = PyLong_AsUnsignedLongLong(arguments[3]);
    unsigned long long time_ns = PyErr_Occurred() ? 0 : PyLong_AsUnsignedLongLong(arguments[4]);
    int injected = PyErr_Occurred() ? -1 : PyObject_IsTrue(arguments[5]);
    Py_buffer memory, table;
    const uint8_t *packet;
    if (injected < 0 || !get_packets(arguments, &memory, &table, &packet))
        return NULL;
    const uint16_t *lengths = table.buf;
    size_t count = (size_t)table.len / 2, size = 0;
    for (size_t i = 0; i < count; i++)
        size += lengths[i];
    uint64_t payload = BATCH_HEADER + 2 * (uint64_t)count + size;
    PyObject *frame = NULL;
    if (size > UINT32_MAX)
        PyErr_SetString(PyExc_OverflowError, "A batch has less than 4 GiB of packets.");
    else
        frame = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(head_size(payload) + payload));
    if (frame) {
        uint8_t *at = put_head((uint8_t *)PyBytes_AsString(frame), payload);
        at = put_field(at, BATCH_MAGIC, 4);
        at = put_field(at, BATCH_HEADER, 2);
        at = put_field(at, injected ? INJECTED : 0, 2);
        at = put_field(at, count, 4);
        at = put_field(at, size, 4);
        at = put_field(at, sequence, 8);
        at = put_field(at, time_ns, 8);
        for (size_t i = 0; i < count; i++)
            at = put_field(at, lengths[i], 2);
        memcpy(at, packet, size);
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    return frame;
}

/* ---- Segments; the twins are in packet/segments.py and drivers/linux/segment_calls.py ---- */

/* A super-packet is what TCP or UDP gives to a network card that cuts it into segments by itself.
   A header of VNET bytes in front of it says how (linux/virtio_net.h: struct virtio_net_hdr, whose
   numbers are little-endian after TUNSETVNETLE). */
enum {
    VNET = 10,
    NEEDS_CHECKSUM = 1,
    GSO_NONE = 0, GSO_TCPV4 = 1, GSO_TCPV6 = 4, GSO_UDP = 5, GSO_ECN = 0x80,
    TCP = 6, UDP = 17,
    FIN = 0x01, SYN = 0x02, RST = 0x04, PSH = 0x08, URG = 0x20, CWR = 0x80,
    MOST_JOINED = 64,       /* packets in one write */
    IP_LARGEST = 65535,
    EXPANSION = 16 * 1024,  /* room for the headers of a super-packet's segments, as a rule */
};

static size_t little(const uint8_t *at)
{
    return (size_t)at[0] | (size_t)at[1] << 8;
}

static size_t big(const uint8_t *at)
{
    return (size_t)at[0] << 8 | (size_t)at[1];
}

static void put_big(uint8_t *at, size_t value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* Sums are of 16-bit words as they lie in memory, whatever the byte order of this machine is: the
   ones' complement sum does not depend on it (RFC 1071, section 2). */
static uint64_t word(size_t value)
{
    uint8_t bytes[2] = {(uint8_t)(value >> 8), (uint8_t)value};
    uint16_t as_it_lies;
    memcpy(&as_it_lies, bytes, 2);
    return as_it_lies;
}

static uint64_t sum_of(const uint8_t *data, size_t size, uint64_t sum)
{
    uint64_t even = 0, odd = 0; /* each takes 2**32 words before it overflows */
#ifdef __GNUC__
    typedef uint64_t pair __attribute__((vector_size(16)));
    const pair low = {0xFFFFFFFF, 0xFFFFFFFF};
    pair first = {0, 0}, second = {0, 0}, third = {0, 0}, fourth = {0, 0};
    for (; size >= 32; data += 32, size -= 32) {
        pair one, two;
        memcpy(&one, data, 16);
        memcpy(&two, data + 16, 16);
        first += one & low;
        second += one >> 32;
        third += two & low;
        fourth += two >> 32;
    }
    first += second + third + fourth;
    even = first[0];
    odd = first[1];
#endif
    for (; size >= 8; data += 8, size -= 8) {
        uint32_t words[2];
        memcpy(words, data, 8);
        even += words[0];
        odd += words[1];
    }
    if (size) {
        uint32_t words[2] = {0, 0};
        memcpy(words, data, size);
        even += words[0];
        odd += words[1];
    }
    sum += (even & 0xFFFFFFFF) + (even >> 32);
    return sum + (odd & 0xFFFFFFFF) + (odd >> 32);
}

static uint16_t folded(uint64_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xFFFF) + (sum >> 16);
    return (uint16_t)sum;
}

static void put_checksum(uint8_t *at, uint64_t sum, int never_zero)
{
    uint16_t check = (uint16_t)~folded(sum);
    if (!check && never_zero) /* in UDP, 0 says that there is none (RFC 768) */
        check = 0xFFFF;
    memcpy(at, &check, 2);
}

static void finish_ipv4(uint8_t *packet, size_t length)
{
    put_big(packet + 2, length);
    memset(packet + 10, 0, 2);
    put_checksum(packet + 10, sum_of(packet, (size_t)(packet[0] & 15) * 4, 0), 0);
}

/* Say whether a packet carries `protocol` at `offset`, not as a fragment. */
static int carries(const uint8_t *packet, size_t length, int protocol, size_t offset)
{
    if (length < 20)
        return 0;
    if (packet[0] >> 4 == 4)
        return offset >= 20 && (size_t)(packet[0] & 15) * 4 == offset && packet[9] == protocol
            && !(big(packet + 6) & 0x3FFF);
    if (packet[0] >> 4 != 6 || length < 40)
        return 0;
    int next = packet[6];
    size_t at = 40;
    while (at < offset && at + 8 <= length && (next == 0 || next == 43 || next == 60)) {
        next = packet[at];
        at += ((size_t)packet[at + 1] + 1) * 8;
    }
    return at == offset && next == protocol;
}

struct shape {
    size_t transport, headers, size, payload, count; /* `size` is that of a segment's payload */
    int udp, whole; /* whole: it is no super-packet */
};

/* Find how a packet is to be cut; 0 if its header makes no sense. */
static int shape_of(const uint8_t *vnet, const uint8_t *packet, size_t length, struct shape *shape)
{
    size_t start = little(vnet + 6), place = start + little(vnet + 8);
    int kind = vnet[1] & ~GSO_ECN, partial = vnet[0] & NEEDS_CHECKSUM;
    memset(shape, 0, sizeof *shape);
    shape->whole = vnet[1] == GSO_NONE;
    shape->count = 1;
    if (partial && place + 2 > length)
        return 0;
    if (shape->whole)
        return 1;
    shape->udp = kind == GSO_UDP;
    if ((kind != GSO_TCPV4 && kind != GSO_TCPV6 && kind != GSO_UDP) || !partial)
        return 0;
    if (!carries(packet, length, shape->udp ? UDP : TCP, start))
        return 0;
    if (!shape->udp && packet[0] >> 4 != (kind == GSO_TCPV4 ? 4 : 6))
        return 0;
    shape->transport = start;
    shape->headers = start + 8;
    if (!shape->udp) {
        if (length < start + 20 || packet[start + 12] >> 4 < 5)
            return 0;
        shape->headers = start + (size_t)(packet[start + 12] >> 4) * 4;
    }
    shape->size = little(vnet + 4);
    if (!shape->size || place - start != (shape->udp ? 6 : 16) || length < shape->headers)
        return 0;
    shape->payload = length - shape->headers;
    if (shape->payload > shape->size)
        shape->count = (shape->payload + shape->size - 1) / shape->size;
    return 1;
}

/* Cut a super-packet in place, the last segment first, because each moves away from the beginning.
   The memory has room for `count - 1` more headers. The checksum that is there covers the
   pseudo-header with the length of the whole. */
static void cut_up(uint8_t *packet, const struct shape *shape, uint16_t *lengths)
{
    size_t headers = shape->headers, start = shape->transport, size = shape->size;
    size_t place = start + (shape->udp ? 6 : 16);
    uint16_t partial;
    memcpy(&partial, packet + place, 2);
    uint64_t pseudo = (uint64_t)partial
        + (0xFFFF ^ word(headers - start + shape->payload));
    size_t identification = big(packet + 4);
    uint32_t sequence = (uint32_t)(big(packet + start + 4) << 16 | big(packet + start + 6));
    for (size_t number = shape->count; number-- > 0;) {
        uint8_t *segment = packet + number * (headers + size), *transport = segment + start;
        int last = number == shape->count - 1;
        size_t carried = last ? shape->payload - number * size : size;
        if (number) {
            memmove(segment + headers, packet + headers + number * size, carried);
            memcpy(segment, packet, headers);
        }
        lengths[number] = (uint16_t)(headers + carried);
        if (segment[0] >> 4 == 4) {
            put_big(segment + 4, identification + number);
            finish_ipv4(segment, headers + carried);
        } else {
            put_big(segment + 4, headers - 40 + carried);
        }
        if (shape->udp) {
            put_big(transport + 4, 8 + carried);
        } else {
            uint32_t here = sequence + (uint32_t)(number * size);
            put_big(transport + 4, here >> 16);
            put_big(transport + 6, here);
            if (!last)
                transport[13] &= (uint8_t)~(FIN | PSH);
            if (number)
                transport[13] &= (uint8_t)~CWR;
        }
        memset(segment + place, 0, 2);
        uint64_t sum = pseudo + word(headers - start + carried);
        put_checksum(segment + place,
            sum_of(transport, headers - start + carried, sum), shape->udp);
    }
}

/* Complete the checksum of a packet that is no super-packet, where that was left to the card. */
static void complete(const uint8_t *vnet, uint8_t *packet, size_t length)
{
    if (!(vnet[0] & NEEDS_CHECKSUM))
        return;
    size_t start = little(vnet + 6), place = start + little(vnet + 8);
    put_checksum(packet + place, sum_of(packet + start, length - start, 0), place - start == 6);
}

PyDoc_STRVAR(split_segments_doc,
"split_segments(header, packet)\n--\n\n"
"Return the packets that a network card would make of a packet with this header.\n\n"
"The list is empty if the header makes no sense.");

static PyObject *split_segments(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    if (!expect(given, 2))
        return NULL;
    Py_buffer header, packet;
    if (PyObject_GetBuffer(arguments[0], &header, PyBUF_SIMPLE) < 0)
        return NULL;
    if (PyObject_GetBuffer(arguments[1], &packet, PyBUF_SIMPLE) < 0) {
        PyBuffer_Release(&header);
        return NULL;
    }
    struct shape shape;
    PyObject *segments = NULL;
    uint8_t *room = NULL;
    uint16_t *lengths = NULL;
    size_t length = (size_t)packet.len;
    if (header.len != VNET || packet.len > IP_LARGEST) {
        PyErr_SetString(PyExc_ValueError, "The header or the packet has a wrong length.");
        goto done;
    }
    segments = PyList_New(0);
    if (!segments || !shape_of(header.buf, packet.buf, length, &shape))
        goto done;
    room = PyMem_Malloc(length + (shape.count - 1) * shape.headers + 1);
    lengths = PyMem_Malloc(shape.count * sizeof *lengths);
    if (!room || !lengths) {
        Py_CLEAR(segments);
        PyErr_NoMemory();
        goto done;
    }
    memcpy(room, packet.buf, length);
    lengths[0] = (uint16_t)length;
    if (shape.whole)
        complete(header.buf, room, length);
    else
        cut_up(room, &shape, lengths);
    const uint8_t *at = room;
    for (size_t number = 0; number < shape.count; at += lengths[number++]) {
        PyObject *segment = PyBytes_FromStringAndSize((const char *)at, lengths[number]);
        if (!segment || PyList_Append(segments, segment) < 0) {
            Py_XDECREF(segment);
            Py_CLEAR(segments);
            break;
        }
        Py_DECREF(segment);
    }
done:
    PyMem_Free(room);
    PyMem_Free(lengths);
    PyBuffer_Release(&header);
    PyBuffer_Release(&packet);
    return segments;
}

/* One write: a header, the packets' common headers, and their payloads. */
struct joined {
    uint8_t vnet[VNET], headers[120];
    struct iovec pieces[2 + MOST_JOINED];
    int used;
};

struct segment {
    const uint8_t *packet;
    size_t length, transport, headers;
    int version, protocol;
};

/* Look at a packet; 0 if it can never be joined with others. */
static int look(const uint8_t *packet, size_t length, struct segment *found)
{
    if (length < 28)
        return 0;
    found->packet = packet;
    found->length = length;
    found->version = packet[0] >> 4;
    if (packet[0] == 0x45) {
        found->transport = 20;
        found->protocol = packet[9];
        if (big(packet + 2) != length || big(packet + 6) & 0xBFFF || big(packet + 10) == 0xFFFF)
            return 0;
    } else if (found->version == 6 && length >= 48) {
        found->transport = 40;
        found->protocol = packet[6];
        if (big(packet + 4) != length - 40)
            return 0;
    } else {
        return 0;
    }
    const uint8_t *transport = packet + found->transport;
    if (found->protocol == UDP) {
        found->headers = found->transport + 8;
        return big(transport + 4) == length - found->transport && big(transport + 6)
            && length > found->headers;
    }
    if (found->protocol != TCP || length < found->transport + 20 || transport[12] >> 4 < 5)
        return 0;
    found->headers = found->transport + (size_t)(transport[12] >> 4) * 4;
    return length > found->headers && !(transport[13] & (SYN | RST | URG | CWR))
        && big(transport + 16) != 0xFFFF;
}

/* Say whether a packet can follow `first`, but for its place, its size and its checksums. */
static int alike(const struct segment *first, const struct segment *next)
{
    const uint8_t *one = first->packet, *two = next->packet;
    if (first->version != next->version || first->protocol != next->protocol
        || first->headers != next->headers)
        return 0;
    if (first->version == 4) {
        if (memcmp(one, two, 2) || memcmp(one + 6, two + 6, 4) || memcmp(one + 12, two + 12, 8))
            return 0;
    } else if (memcmp(one, two, 4) || memcmp(one + 6, two + 6, 34)) {
        return 0;
    }
    one += first->transport;
    two += first->transport;
    if (memcmp(one, two, 4))
        return 0;
    if (first->protocol == UDP)
        return 1;
    return !memcmp(one + 8, two + 8, 5) && !((one[13] ^ two[13]) & ~(FIN | PSH))
        && !memcmp(one + 14, two + 14, 2)
        && !memcmp(one + 18, two + 18, first->headers - first->transport - 18);
}

static uint64_t pseudo_sum(const uint8_t *packet, int version, int protocol, size_t length)
{
    size_t at = version == 4 ? 12 : 8, size = version == 4 ? 8 : 32;
    return sum_of(packet + at, size, word((size_t)protocol) + word(length));
}

static int is_right(const struct segment *segment)
{
    const uint8_t *packet = segment->packet;
    size_t carried = segment->length - segment->transport;
    if (segment->version == 4 && folded(sum_of(packet, 20, 0)) != 0xFFFF)
        return 0;
    uint64_t pseudo = pseudo_sum(packet, segment->version, segment->protocol, carried);
    return folded(sum_of(packet + segment->transport, carried, pseudo)) == 0xFFFF;
}

/* Gather the packets from `packet` on that can be written as one, and say how many they are. The
   lengths are those of packets that are there. `kinds` has a bit for each kind of `vnet[1]`. */
static unsigned int gather(const uint8_t *packet, const uint16_t *lengths, size_t left,
                           uint64_t kinds, struct joined *joined)
{
    struct segment first, next;
    memset(joined->vnet, 0, VNET);
    joined->pieces[0] = (struct iovec){joined->vnet, VNET};
    joined->pieces[1] = (struct iovec){(void *)(uintptr_t)packet, lengths[0]};
    joined->used = 2;
    if (left < 2 || !look(packet, lengths[0], &first))
        return 1;
    int tcp = first.protocol == TCP;
    int kind = !tcp ? GSO_UDP : first.version == 4 ? GSO_TCPV4 : GSO_TCPV6;
    const uint8_t *transport = packet + first.transport;
    if (!(kinds >> kind & 1) || (tcp && transport[13] & (FIN | PSH)))
        return 1;
    size_t payload = first.length - first.headers, total = first.length, step = 2;
    uint32_t sequence = (uint32_t)(big(transport + 4) << 16 | big(transport + 6));
    const uint8_t *at = packet + lengths[0];
    unsigned int count = 1;
    int ends = 0, flags = 0;
    while (!ends && count < MOST_JOINED && count < left) {
        if (!look(at, lengths[count], &next) || !alike(&first, &next))
            break;
        size_t carried = next.length - next.headers;
        if (carried > payload || total + carried > IP_LARGEST)
            break;
        if (first.version == 4) {
            size_t rise = (big(at + 4) - big(packet + 4)) & 0xFFFF;
            size_t wanted = step == 2 ? rise : step * count;
            if (rise != (wanted & 0xFFFF) || (step == 2 && rise > 1))
                break;
            if (!rise && step == 2 && !(packet[6] & 0x40))
                break;
            if (step == 2)
                step = rise;
        }
        const uint8_t *behind = at + next.transport;
        if (tcp) {
            sequence += (uint32_t)payload;
            if ((uint32_t)(big(behind + 4) << 16 | big(behind + 6)) != sequence)
                break;
        }
        if ((count == 1 && !is_right(&first)) || !is_right(&next))
            break;
        if (tcp)
            flags = behind[13] & (FIN | PSH);
        ends = flags || carried < payload;
        joined->pieces[2 + count] = (struct iovec){(void *)(uintptr_t)(at + next.headers), carried};
        total += carried;
        at += lengths[count++];
    }
    if (count == 1)
        return 1;
    uint8_t *headers = joined->headers;
    memcpy(headers, packet, first.headers);
    joined->pieces[1] = (struct iovec){headers, first.headers};
    joined->pieces[2] = (struct iovec){(void *)(uintptr_t)(packet + first.headers), payload};
    joined->used = (int)count + 2;
    if (first.version == 4)
        finish_ipv4(headers, total);
    else
        put_big(headers + 4, total - 40);
    size_t carried = total - first.transport, place = tcp ? 16 : 6;
    if (tcp)
        headers[first.transport + 13] |= (uint8_t)flags;
    else
        put_big(headers + first.transport + 4, carried);
    uint16_t partial = folded(pseudo_sum(headers, first.version, first.protocol, carried));
    memcpy(headers + first.transport + place, &partial, 2);
    joined->vnet[0] = NEEDS_CHECKSUM;
    joined->vnet[1] = (uint8_t)kind;
    joined->vnet[2] = (uint8_t)first.headers;
    joined->vnet[4] = (uint8_t)payload;
    joined->vnet[5] = (uint8_t)(payload >> 8);
    joined->vnet[6] = (uint8_t)first.transport;
    joined->vnet[8] = (uint8_t)place;
    return count;
}

PyDoc_STRVAR(join_segments_doc,
"join_segments(memory, start, lengths, kinds)\n--\n\n"
"Return what `write_segments` would write: a list of (packets, content) for each write.");

static PyObject *join_segments(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    if (!expect(given, 4))
        return NULL;
    int64_t kinds = number(arguments[3], UINT32_MAX);
    Py_buffer memory, table;
    const uint8_t *packet;
    if (kinds < 0 || !get_packets(arguments, &memory, &table, &packet))
        return NULL;
    const uint16_t *lengths = table.buf;
    size_t count = (size_t)table.len / 2;
    PyObject *writes = PyList_New(0);
    struct joined joined;
    for (size_t at = 0; writes && at < count;) {
        unsigned int taken = gather(packet, lengths + at, count - at, (uint64_t)kinds, &joined);
        char content[VNET + IP_LARGEST];
        size_t size = 0;
        for (int piece = 0; piece < joined.used; piece++) {
            memcpy(content + size, joined.pieces[piece].iov_base, joined.pieces[piece].iov_len);
            size += joined.pieces[piece].iov_len;
        }
        PyObject *written = Py_BuildValue("(Iy#)", taken, content, (Py_ssize_t)size);
        if (!written || PyList_Append(writes, written) < 0)
            Py_CLEAR(writes);
        Py_XDECREF(written);
        for (; taken; taken--)
            packet += lengths[at++];
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    return writes;
}

#ifdef __linux__

PyDoc_STRVAR(read_segments_doc,
"read_segments(descriptor, limit, enough, lengths, times)\n--\n\n"
"Read packets with a header each, and split super-packets, until about `enough` bytes are there.\n\n"
"Return (memory, start, count, size, failure, cut, reads, first): the packets lie in `memory` from\n"
"`start` on; only those of the last super-packet may exceed `limit`. `cut` counts what was larger than\n"
"any IP packet or had a header that makes no sense. `reads` is how many packets the kernel gave,\n"
"without these. `lengths` and `times` have room for 65,535 more numbers than `limit`. `times` and\n"
"`first` are as in `read_burst`; the segments of a super-packet have one time.");

static PyObject *read_segments(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    struct stamps stamps;
    if (!expect(given, 5))
        return NULL;
    int64_t descriptor = number(arguments[0], INT32_MAX);
    int64_t limit = descriptor < 0 ? -1 : number(arguments[1], UINT32_MAX);
    int64_t enough = limit < 0 ? -1 : number(arguments[2], INT32_MAX);
    Py_buffer table;
    if (enough < 0 || !get_table(arguments[3], &table, PyBUF_WRITABLE))
        return NULL;
    if (!get_stamps(arguments[4], &stamps)) {
        PyBuffer_Release(&table);
        return NULL;
    }
    if (table.len / 2 <= IP_LARGEST || stamps.limit <= IP_LARGEST) {
        PyBuffer_Release(&stamps.table);
        PyBuffer_Release(&table);
        PyErr_SetString(PyExc_ValueError, "There is no room for the lengths.");
        return NULL;
    }
    if (limit > table.len / 2 - IP_LARGEST)
        limit = table.len / 2 - IP_LARGEST;
    if (limit > stamps.limit - IP_LARGEST)
        limit = stamps.limit - IP_LARGEST;
    size_t room = (size_t)enough + VNET + LARGEST + EXPANSION;
    PyObject *memory = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)room);
    if (!memory) {
        PyBuffer_Release(&stamps.table);
        PyBuffer_Release(&table);
        return NULL;
    }
    uint8_t *begin = (uint8_t *)PyBytes_AsString(memory);
    uint16_t *lengths = table.buf;
    size_t used = VNET; /* the header of a packet lies where the packet before it ends */
    unsigned int count = 0, cut = 0, reads = 0;
    int failure = 0;
    while (count + cut < limit && used < VNET + (size_t)enough) {
        uint8_t covered[VNET], vnet[VNET], *packet = begin + used;
        struct shape shape;
        memcpy(covered, packet - VNET, VNET);
        ssize_t got = read((int)descriptor, packet - VNET, VNET + LARGEST);
        memcpy(vnet, packet - VNET, VNET);
        memcpy(packet - VNET, covered, VNET);
        if (got < 0) {
            if (errno == EINTR)
                continue;
            if (errno == EINVAL) { /* a kind of super-packet that the header has no word for */
                cut++;
                continue;
            }
            failure = errno;
            break;
        }
        size_t length = (size_t)got - VNET;
        if (got < VNET || length > IP_LARGEST || !shape_of(vnet, packet, length, &shape)) {
            cut++;
            continue;
        }
        reads++;
        if (shape.whole) {
            note(&stamps, count, 1);
            complete(vnet, packet, length);
            lengths[count++] = (uint16_t)length;
            used += length;
            continue;
        }
        note(&stamps, count, shape.count);
        size_t needed = used + length + (shape.count - 1) * shape.headers;
        if (needed > room) { /* many tiny segments */
            PyObject *larger = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)needed);
            if (!larger) {
                Py_DECREF(memory);
                PyBuffer_Release(&stamps.table);
                PyBuffer_Release(&table);
                return NULL;
            }
            memcpy(PyBytes_AsString(larger), begin, used + length);
            Py_DECREF(memory);
            memory = larger;
            begin = (uint8_t *)PyBytes_AsString(memory);
            enough = 0; /* no further packet has room */
        }
        cut_up(begin + used, &shape, lengths + count);
        count += (unsigned int)shape.count;
        used = needed;
    }
    PyBuffer_Release(&stamps.table);
    PyBuffer_Release(&table);
    memory = settled(memory, used);
    return memory ? Py_BuildValue("(NiInIIIL)", memory, VNET, count, (Py_ssize_t)(used - VNET),
                                  failure, cut, reads, (long long)stamps.first)
                  : NULL;
}

/* Write pieces to a descriptor; return 0 or the error. */
static int write_pieces(int descriptor, const struct iovec *pieces, int count)
{
    while (writev(descriptor, pieces, count) < 0)
        if (errno != EINTR)
            return errno;
    return 0;
}

PyDoc_STRVAR(write_segments_doc,
"write_segments(descriptor, memory, start, lengths, kinds)\n--\n\n"
"Write packets with a header each, and join segments that follow one another.\n\n"
"`kinds` has a bit for each kind of super-packet that the kernel takes, at the number that\n"
"linux/virtio_net.h has for it. Return as `write_burst` does: all numbers are of packets, not of\n"
"writes.");

static PyObject *write_segments(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    if (!expect(given, 5))
        return NULL;
    int64_t descriptor = number(arguments[0], INT32_MAX);
    int64_t kinds = descriptor < 0 ? -1 : number(arguments[4], UINT32_MAX);
    Py_buffer memory, table;
    const uint8_t *packet;
    if (kinds < 0 || !get_packets(arguments + 1, &memory, &table, &packet))
        return NULL;
    const uint16_t *lengths = table.buf;
    unsigned int count = (unsigned int)(table.len / 2), taken = 0, link_down = 0, refused = 0;
    unsigned int apart = 0; /* packets to write by themselves, because they were refused as one */
    int failure = 0, reason = 0;
    struct joined joined;
    while (taken < count) {
        unsigned int together = gather(packet, lengths + taken, count - taken,
                                       apart ? 0 : (uint64_t)kinds, &joined);
        int error = write_pieces((int)descriptor, joined.pieces, joined.used);
        if (stops(error)) {
            failure = error;
            break;
        }
        if (error == EIO) {
            link_down += together;
        } else if (error && together > 1) {
            apart = together;
            continue;
        } else if (error) {
            refused++;
            reason = error;
        }
        if (apart)
            apart--;
        for (; together; together--)
            packet += lengths[taken++];
    }
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    return Py_BuildValue("(IiIIi)", taken, failure, link_down, refused, reason);
}

#endif

/* ---- Filters; the twin is capture/filters/interpreter.py ---- */

/* bpf.h of libpcap: an instruction, and the operations that have no other name here. */
struct instruction {
    uint16_t operation;
    uint8_t if_true, if_false;
    uint32_t operand;
};

enum {
    LD_W_ABS = 0x20, LD_H_ABS = 0x28, LD_B_ABS = 0x30, LD_W_IND = 0x40, LD_H_IND = 0x48,
    LD_B_IND = 0x50, LD_LEN = 0x80, LD_IMM = 0x00, LD_MEM = 0x60, LDX_LEN = 0x81, LDX_IMM = 0x01,
    LDX_MEM = 0x61, LDX_MSH = 0xB1, ST = 0x02, STX = 0x03, TAX = 0x07, TXA = 0x87, RET_K = 0x06,
    RET_A = 0x16, JA = 0x05, JEQ_K = 0x15, JEQ_X = 0x1D, JGT_K = 0x25, JGT_X = 0x2D, JGE_K = 0x35,
    JGE_X = 0x3D, JSET_K = 0x45, JSET_X = 0x4D, ADD_K = 0x04, ADD_X = 0x0C, SUB_K = 0x14,
    SUB_X = 0x1C, MUL_K = 0x24, MUL_X = 0x2C, DIV_K = 0x34, DIV_X = 0x3C, OR_K = 0x44, OR_X = 0x4C,
    AND_K = 0x54, AND_X = 0x5C, LSH_K = 0x64, LSH_X = 0x6C, RSH_K = 0x74, RSH_X = 0x7C, NEG = 0x84,
    MOD_K = 0x94, MOD_X = 0x9C, XOR_K = 0xA4, XOR_X = 0xAC,
};

#define MEMORY_WORDS 16 /* bpf.h: BPF_MEMWORDS */
#define MAX_LOOPS 8192  /* jumps back in one packet, see the twin */

/* Say whether an instruction is known, and stays inside of a program of `count`. */
static int is_instruction(const struct instruction *one, int64_t at, int64_t count)
{
    switch (one->operation) {
    case JA: {
        int64_t next = at + 1 + (int32_t)one->operand;
        return next >= 0 && next < count;
    }
    case JEQ_K: case JEQ_X: case JGT_K: case JGT_X:
    case JGE_K: case JGE_X: case JSET_K: case JSET_X:
        return at + 1 + one->if_true < count && at + 1 + one->if_false < count;
    case DIV_K: case MOD_K:
        return one->operand != 0;
    case LD_MEM: case LDX_MEM: case ST: case STX:
        return one->operand < MEMORY_WORDS;
    case LD_W_ABS: case LD_H_ABS: case LD_B_ABS: case LD_W_IND: case LD_H_IND: case LD_B_IND:
    case LD_LEN: case LD_IMM: case LDX_LEN: case LDX_IMM: case LDX_MSH: case TAX: case TXA:
    case RET_K: case RET_A: case ADD_K: case ADD_X: case SUB_K: case SUB_X: case MUL_K:
    case MUL_X: case DIV_X: case OR_K: case OR_X: case AND_K: case AND_X: case LSH_K: case LSH_X:
    case RSH_K: case RSH_X: case NEG: case MOD_X: case XOR_K: case XOR_X:
        return 1;
    default:
        return 0;
    }
}

/* Say whether a program can run: `is_instruction` of each instruction, and a return at the end. */
static int is_program(const struct instruction *program, int64_t count)
{
    for (int64_t at = 0; at < count; at++)
        if (!is_instruction(program + at, at, count))
            return 0;
    return count > 0 && (program[count - 1].operation == RET_K
                         || program[count - 1].operation == RET_A);
}

static inline uint32_t big_16(const uint8_t *at)
{
    return (uint32_t)at[0] << 8 | at[1];
}

static inline uint32_t big_32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/* Return what a checked program says of a packet; 0 is no match. Of the packet `size` bytes are
   there, and it had `whole` bytes before it was cut. */
static uint32_t run_program(const struct instruction *program, const uint8_t *packet, uint32_t size,
                            uint32_t whole)
{
    uint32_t a = 0, x = 0, memory[MEMORY_WORDS] = {0};
    unsigned int loops = 0;
    for (const struct instruction *next = program;;) {
        const struct instruction *one = next++;
        const uint32_t k = one->operand;
        const uint64_t far = (uint64_t)x + k;
        switch (one->operation) {
        case RET_K: return k;
        case RET_A: return a;
        case LD_W_ABS:
            if (size < 4 || k > size - 4)
                return 0;
            a = big_32(packet + k);
            break;
        case LD_H_ABS:
            if (size < 2 || k > size - 2)
                return 0;
            a = big_16(packet + k);
            break;
        case LD_B_ABS:
            if (k >= size)
                return 0;
            a = packet[k];
            break;
        case LD_W_IND:
            if (far + 4 > size)
                return 0;
            a = big_32(packet + far);
            break;
        case LD_H_IND:
            if (far + 2 > size)
                return 0;
            a = big_16(packet + far);
            break;
        case LD_B_IND:
            if (far >= size)
                return 0;
            a = packet[far];
            break;
        case LDX_MSH:
            if (k >= size)
                return 0;
            x = (packet[k] & 15u) << 2;
            break;
        case LD_LEN: a = whole; break;
        case LD_IMM: a = k; break;
        case LD_MEM: a = memory[k]; break;
        case LDX_LEN: x = whole; break;
        case LDX_IMM: x = k; break;
        case LDX_MEM: x = memory[k]; break;
        case ST: memory[k] = a; break;
        case STX: memory[k] = x; break;
        case TAX: x = a; break;
        case TXA: a = x; break;
        case JA:
            if ((int32_t)k < 0 && ++loops > MAX_LOOPS)
                return 0;
            next += (int32_t)k;
            break;
        case JEQ_K: next += a == k ? one->if_true : one->if_false; break;
        case JEQ_X: next += a == x ? one->if_true : one->if_false; break;
        case JGT_K: next += a > k ? one->if_true : one->if_false; break;
        case JGT_X: next += a > x ? one->if_true : one->if_false; break;
        case JGE_K: next += a >= k ? one->if_true : one->if_false; break;
        case JGE_X: next += a >= x ? one->if_true : one->if_false; break;
        case JSET_K: next += a & k ? one->if_true : one->if_false; break;
        case JSET_X: next += a & x ? one->if_true : one->if_false; break;
        case ADD_K: a += k; break;
        case ADD_X: a += x; break;
        case SUB_K: a -= k; break;
        case SUB_X: a -= x; break;
        case MUL_K: a *= k; break;
        case MUL_X: a *= x; break;
        case DIV_K: a /= k; break;
        case DIV_X:
            if (!x)
                return 0;
            a /= x;
            break;
        case MOD_K: a %= k; break;
        case MOD_X:
            if (!x)
                return 0;
            a %= x;
            break;
        case AND_K: a &= k; break;
        case AND_X: a &= x; break;
        case OR_K: a |= k; break;
        case OR_X: a |= x; break;
        case XOR_K: a ^= k; break;
        case XOR_X: a ^= x; break;
        case LSH_K: a = k < 32 ? a << k : 0; break;
        case LSH_X: a = x < 32 ? a << x : 0; break;
        case RSH_K: a = k < 32 ? a >> k : 0; break;
        case RSH_X: a = x < 32 ? a >> x : 0; break;
        case NEG: a = 0 - a; break;
        default: return 0; /* `is_program` knows all of them */
        }
    }
}

PyDoc_STRVAR(match_packets_doc,
"match_packets(memory, start, lengths, originals, program, indexes)\n--\n\n"
"Find the packets that match a filter, among those that lie one behind another.\n\n"
"`originals` is the lengths that they had before they were cut, None where they are whole.\n"
"`program` is instructions of BPF, in the machine's byte order. Return how many packets match;\n"
"`indexes`, which has room for as many numbers of 32 bits as there are packets, gets theirs.");

static PyObject *match_packets(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    Py_buffer memory, table, originals, program, indexes;
    const uint8_t *packet;
    PyObject *answer = NULL;
    if (!expect(given, 6) || !get_packets(arguments, &memory, &table, &packet))
        return NULL;
    if (!get_table(Py_IsNone(arguments[3]) ? arguments[2] : arguments[3], &originals, PyBUF_SIMPLE))
        goto without_originals;
    if (PyObject_GetBuffer(arguments[4], &program, PyBUF_SIMPLE) < 0)
        goto without_program;
    if (PyObject_GetBuffer(arguments[5], &indexes, PyBUF_WRITABLE) < 0)
        goto without_indexes;
    const uint16_t *lengths = table.buf, *wholes = originals.buf;
    const struct instruction *instructions = program.buf;
    const Py_ssize_t each = sizeof *instructions, count = table.len / 2;
    if (count > indexes.len / 4 || count > originals.len / 2 || count > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "There are more packets than lengths or room for them.");
    } else if ((uintptr_t)instructions % sizeof(uint32_t) || program.len % each
               || !is_program(instructions, program.len / each)) {
        PyErr_SetString(PyExc_ValueError, "The program is not one that can run.");
    } else {
        size_t found = 0;
        for (uint32_t at = 0; at < (uint32_t)count; at++) {
            if (run_program(instructions, packet, lengths[at], wholes[at]))
                memcpy((uint8_t *)indexes.buf + 4 * found++, &at, 4);
            packet += lengths[at];
        }
        answer = PyLong_FromSize_t(found);
    }
    PyBuffer_Release(&indexes);
without_indexes:
    PyBuffer_Release(&program);
without_program:
    PyBuffer_Release(&originals);
without_originals:
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    return answer;
}

PyDoc_STRVAR(take_packets_doc,
"take_packets(memory, start, lengths, indexes, taken)\n--\n\n"
"Copy some of the packets that lie one behind another.\n\n"
"`indexes` is their places as numbers of 32 bits, ascending. Return the packets one behind another;\n"
"`taken`, which has room for as many numbers as there are indexes, gets their lengths.");

static PyObject *take_packets(PyObject *self, PyObject *const *arguments, Py_ssize_t given)
{
    (void)self;
    Py_buffer memory, table, indexes, taken;
    const uint8_t *first;
    PyObject *made = NULL;
    if (!expect(given, 5) || !get_packets(arguments, &memory, &table, &first))
        return NULL;
    if (PyObject_GetBuffer(arguments[3], &indexes, PyBUF_SIMPLE) < 0)
        goto without_indexes;
    if (PyObject_GetBuffer(arguments[4], &taken, PyBUF_WRITABLE) < 0)
        goto without_taken;
    const uint16_t *lengths = table.buf;
    const uint8_t *places = indexes.buf;
    uint64_t count = (uint64_t)(table.len / 2), wanted = (uint64_t)(indexes.len / 4), size = 0;
    uint32_t index, least = 0;
    int right = wanted <= (uint64_t)(taken.len / 2);
    for (uint64_t at = 0; right && at < wanted; at++) {
        memcpy(&index, places + 4 * at, 4);
        right = index >= least && index < count;
        if (right)
            size += lengths[index];
        least = index + 1;
    }
    if (!right)
        PyErr_SetString(PyExc_ValueError, "The indexes are not places of packets, ascending.");
    else
        made = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)size);
    if (made) {
        uint8_t *room = (uint8_t *)PyBytes_AsString(made);
        const uint8_t *packet = first;
        uint32_t next = 0;
        for (uint64_t at = 0; at < wanted; at++) {
            for (memcpy(&index, places + 4 * at, 4); next < index; next++)
                packet += lengths[next];
            memcpy(room, packet, lengths[index]);
            memcpy((uint8_t *)taken.buf + 2 * at, &lengths[index], 2);
            room += lengths[index];
        }
    }
    PyBuffer_Release(&taken);
without_taken:
    PyBuffer_Release(&indexes);
without_indexes:
    PyBuffer_Release(&table);
    PyBuffer_Release(&memory);
    return made;
}

/* ---- The module ---- */

#define FUNCTION(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, name##_doc}

static PyMethodDef functions[] = {
#ifdef __linux__
    FUNCTION(read_burst),
    FUNCTION(write_burst),
    FUNCTION(read_segments),
    FUNCTION(write_segments),
#endif
    FUNCTION(packet_frames),
    FUNCTION(batch_frame),
    FUNCTION(receive_burst),
    FUNCTION(send_burst),
    FUNCTION(split_segments),
    FUNCTION(join_segments),
    FUNCTION(cut_frames),
    FUNCTION(match_packets),
    FUNCTION(take_packets),
    {NULL, NULL, 0, NULL},
};

static int add_constants(PyObject *module)
{
    if (PyModule_AddIntConstant(module, "INTERFACE", INTERFACE) < 0)
        return -1;
    return PyModule_AddStringConstant(module, "SOURCE", TEXT(SOURCE));
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, (void *)add_constants},
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "wintun_api.speedups",
    .m_doc = "The packet path in C; see speedups.c.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_speedups(void)
{
    return PyModuleDef_Init(&definition);
}
