/* The loop of the Wintun path in C: what Python's costs are beside.

   ring LIBRARY CAPACITY PACKET_SIZE SECONDS

   Receive, copy, release; and allocate, copy, send: 512 packets at a time, as the service does.
   Only these are timed, not the filling and emptying. Prints "running", and the seconds as JSON. */
#include "clock.h"

#include <dlfcn.h>
#include <stdint.h>
#include <string.h>

enum { BURST = 512, MAX_PACKET = 65536 };

int main(int count, char **argument)
{
    if (count != 5) {
        fprintf(stderr, "usage: ring LIBRARY CAPACITY PACKET_SIZE SECONDS\n");
        return 2;
    }
    void *library = dlopen(argument[1], RTLD_NOW);
    if (!library) {
        fprintf(stderr, "%s\n", dlerror());
        return 1;
    }
    uint8_t *(*receive)(void *, uint32_t *) = dlsym(library, "WintunReceivePacket");
    void (*release)(void *, uint8_t *) = dlsym(library, "WintunReleaseReceivePacket");
    uint8_t *(*allocate)(void *, uint32_t) = dlsym(library, "WintunAllocateSendPacket");
    void (*send)(void *, uint8_t *) = dlsym(library, "WintunSendPacket");
    void *(*open_ring)(uint32_t) = dlsym(library, "RingOpen");
    uint32_t (*fill)(void *, uint32_t) = dlsym(library, "RingFill");
    void (*empty)(void *) = dlsym(library, "RingEmpty");

    uint32_t size = (uint32_t)atoi(argument[3]);
    double seconds = atof(argument[4]);
    void *session = open_ring((uint32_t)strtoul(argument[2], NULL, 0));
    uint8_t *burst = malloc((size_t)BURST * MAX_PACKET);
    memset(burst, 0x45, (size_t)BURST * MAX_PACKET);

    say("running");
    double spent[2] = {0, 0};
    uint64_t packets[2] = {0, 0};
    while (spent[0] < seconds) {
        fill(session, size);
        double start = now();
        uint8_t *packet;
        for (uint32_t taken, i = 0; (packet = receive(session, &taken)); i = (i + 1) % BURST) {
            memcpy(burst + (size_t)i * size, packet, taken);
            release(session, packet);
            packets[0]++;
        }
        spent[0] += now() - start;
    }
    while (spent[1] < seconds) {
        empty(session);
        double start = now();
        uint8_t *packet;
        for (uint32_t i = 0; (packet = allocate(session, size)); i = (i + 1) % BURST) {
            memcpy(packet, burst + (size_t)i * size, size);
            send(session, packet);
            packets[1]++;
        }
        spent[1] += now() - start;
    }
    printf("{\"receive\": %.12f, \"send\": %.12f}\n", spent[0] / (double)packets[0],
           spent[1] / (double)packets[1]);
    return 0;
}
