/* The benchmark's stand-in for wintun.dll, which tests fill, empty and make fail.

   It counts what a caller must not do, and every call that succeeds leaves rubbish in the error
   number, as the library does. One session at a time. */
#define WintunReceivePacket receive_plainly
#define WintunReleaseReceivePacket release_plainly
#define WintunAllocateSendPacket allocate_plainly
#define WintunSendPacket send_plainly
#include "../../bench/c/libring.c"
#undef WintunReceivePacket
#undef WintunReleaseReceivePacket
#undef WintunAllocateSendPacket
#undef WintunSendPacket

enum { RUBBISH = 122, RECEIVE = 0, ALLOCATE = 1 };

/* What happens to a function after some more successful calls. */
static struct plan {
    uint32_t after, times, code; /* it fails with this code so many times */
    uint32_t claim_after, claim; /* it claims that a packet has this size; 0: it does not */
} plans[2];

static uint32_t held, allocated, misuse, allocations;

static int fails(int function)
{
    struct plan *plan = &plans[function];
    if (!plan->times)
        return 0;
    if (plan->after) {
        plan->after--;
        return 0;
    }
    plan->times--;
    errno = (int)plan->code;
    return 1;
}

uint8_t *WintunReceivePacket(struct session *s, uint32_t *size)
{
    struct plan *plan = &plans[RECEIVE];
    misuse += allocated;
    if (fails(RECEIVE))
        return NULL;
    uint8_t *packet = receive_plainly(s, size);
    if (!packet)
        return NULL;
    held++;
    if (plan->claim && !plan->claim_after--) {
        *size = plan->claim;
        plan->claim = 0;
    }
    errno = RUBBISH;
    return packet;
}

void WintunReleaseReceivePacket(struct session *s, uint8_t *packet)
{
    if (!held || !(((uint32_t *)packet)[-1] & PENDING))
        misuse++;
    held--;
    release_plainly(s, packet);
    errno = RUBBISH;
}

uint8_t *WintunAllocateSendPacket(struct session *s, uint32_t size)
{
    misuse += allocated + (size > MAX_PACKET);
    allocations++;
    if (fails(ALLOCATE))
        return NULL;
    uint8_t *packet = allocate_plainly(s, size);
    if (!packet)
        return NULL;
    allocated++;
    errno = RUBBISH;
    return packet;
}

void WintunSendPacket(struct session *s, uint8_t *packet)
{
    misuse += allocated != 1;
    allocated--;
    send_plainly(s, packet);
    errno = RUBBISH;
}

/* Let a function fail after some more successful calls. */
void RingFail(int function, uint32_t after, uint32_t times, uint32_t code)
{
    plans[function].after = after;
    plans[function].times = times;
    plans[function].code = code;
}

/* Let a packet be said to have another size, after some more packets. */
void RingClaim(uint32_t after, uint32_t size)
{
    plans[RECEIVE].claim_after = after;
    plans[RECEIVE].claim = size;
}

void RingReset(void)
{
    memset(plans, 0, sizeof plans);
    held = allocated = misuse = allocations = 0;
}

uint32_t RingHeld(void) { return held; }
uint32_t RingMisuse(void) { return misuse + allocated; }
uint32_t RingAllocations(void) { return allocations; }

/* Put a packet into the receive ring; 0 if it is full. */
int RingPut(struct session *s, const uint8_t *packet, uint32_t size)
{
    struct ring *ring = &s->received;
    if (record(size) > ((ring->head - ring->tail - 4) & (s->capacity - 1)))
        return 0;
    *size_at(ring, ring->tail) = size;
    memcpy(ring->data + ring->tail + 4, packet, size);
    ring->tail = (ring->tail + record(size)) & (s->capacity - 1);
    return 1;
}

/* Take a packet from the send ring, and return its size; -1 if there is none. */
int64_t RingTake(struct session *s, uint8_t *packet)
{
    struct ring *ring = &s->sent;
    if (ring->head == ring->tail)
        return -1;
    uint32_t size = *size_at(ring, ring->head);
    memcpy(packet, ring->data + ring->head + 4, size);
    ring->head = (ring->head + record(size)) & (s->capacity - 1);
    return size;
}
