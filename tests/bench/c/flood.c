/* A flood of numbered UDP datagrams into the subnet of one adapter or several.

   flood PACKET_SIZE SECONDS RATE ADDRESS...

   RATE is packets a second over all addresses, 0 for as fast as it goes. A burst goes to one
   address, the next burst to the next one; every address has numbers of its own from 0. Prints
   "sending", and at the end the count as JSON. What the host had no room for is counted as sent.

   The kernel cuts a message into datagrams (UDP_SEGMENT, udp(7)), just before the device: a load
   that makes every packet by itself is slower than what it is to load. */
#define _GNU_SOURCE
#include "clock.h"
#include "packet.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif

enum { MESSAGES = 4, SEGMENTS = 64, MESSAGE_BYTES = 65000, MAX_ADDRESSES = 256 };

static int connect_to(const char *address, int segment)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT_DISCARD)};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1
        || setsockopt(s, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof segment)
        || connect(s, (struct sockaddr *)&to, sizeof to))
        fail(address);
    return s;
}

int main(int count, char **argument)
{
    if (count < 5 || count - 4 > MAX_ADDRESSES) {
        fprintf(stderr, "usage: flood PACKET_SIZE SECONDS RATE ADDRESS...\n");
        return 2;
    }
    int size = atoi(argument[1]) - HEADERS;
    double seconds = atof(argument[2]), rate = atof(argument[3]);
    int addresses = count - 4, sockets[MAX_ADDRESSES];
    static uint64_t numbers[MAX_ADDRESSES];
    stop_on_signals();
    for (int i = 0; i < addresses; i++)
        sockets[i] = connect_to(argument[4 + i], size);

    static uint8_t buffers[MESSAGES][MESSAGE_BYTES];
    struct iovec parts[MESSAGES];
    struct mmsghdr messages[MESSAGES] = {0};
    for (int i = 0; i < MESSAGES; i++) {
        parts[i].iov_base = buffers[i];
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    int segments = MESSAGE_BYTES / size < SEGMENTS ? MESSAGE_BYTES / size : SEGMENTS;

    say("sending");
    double start = now(), end = start + seconds, time = start;
    uint64_t sent = 0;
    for (int turn = 0; !stopping && (time = now()) < end; turn = (turn + 1) % addresses) {
        int burst = MESSAGES * segments;
        if (rate > 0) {  /* what is due by now; sleep where that is nothing */
            double due = (time - start) * rate - (double)sent;
            if (due < 1) {
                sleep_until(start + (double)(sent + 1) / rate);
                due = 1;
            }
            burst = due < segments ? (int)due : segments;
        }
        unsigned filled = 0;
        uint64_t number = numbers[turn];
        for (int left = burst; left > 0; filled++) {
            int n = left < segments ? left : segments;
            for (int i = 0; i < n; i++, number++)
                memcpy(buffers[filled] + i * size, &number, sizeof number);
            parts[filled].iov_len = (size_t)(n * size);
            left -= n;
        }
        int taken = sendmmsg(sockets[turn], messages, filled, 0);
        if (taken < 0 && errno != ENOBUFS && errno != EINTR)
            fail("sendmmsg");
        uint64_t packets = 0;
        for (int i = 0; i < taken; i++)
            packets += parts[i].iov_len / (size_t)size;
        numbers[turn] += packets;
        sent += packets;
    }
    printf("{\"sent\": %lu, \"seconds\": %.6f}\n", sent, time - start);
    return 0;
}
