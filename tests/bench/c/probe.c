/* Round trips of a program on the host: UDP to port 7 of an address, one datagram at a time.

   probe ADDRESS SECONDS INTERVAL PACKET_SIZE

   Waits a second for an answer at most; what comes later counts as lost. Prints "sending", and the
   times in seconds as JSON. */
#define _GNU_SOURCE
#include "clock.h"
#include "packet.h"
#include "samples.h"

#include <sys/socket.h>

int main(int count, char **argument)
{
    if (count != 5) {
        fprintf(stderr, "usage: probe ADDRESS SECONDS INTERVAL PACKET_SIZE\n");
        return 2;
    }
    double seconds = atof(argument[2]), interval = atof(argument[3]);
    size_t size = (size_t)atoi(argument[4]) - HEADERS;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(PORT_ECHO)};
    struct timeval patience = {1, 0};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    inet_pton(AF_INET, argument[1], &to.sin_addr);
    setsockopt(s, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(s, (struct sockaddr *)&to, sizeof to))
        fail("connect");
    stop_on_signals();
    say("sending");
    static uint8_t going[MAX_PACKET], coming[MAX_PACKET];
    unsigned long lost = 0;
    double start = now(), due = start;
    for (uint64_t number = 0; !stopping && now() < start + seconds; number++) {
        memcpy(going, &number, sizeof number);
        double before = now();
        if (send(s, going, size, 0) < 0) {
            lost++;
            continue;
        }
        ssize_t n;
        uint64_t answered = ~0ull;
        do {  /* an answer that came too late belongs to an earlier datagram */
            n = recv(s, coming, sizeof coming, 0);
            if (n >= (ssize_t)sizeof answered)
                memcpy(&answered, coming, sizeof answered);
        } while (n > 0 && answered != number);
        if (n > 0)
            add_sample(now() - before);
        else
            lost++;
        due += interval;
        if (due < now())
            due = now();
        sleep_until(due);
    }
    print_samples(lost);
    return 0;
}
