/* Sends every UDP datagram to port 7 back to its sender (RFC 862), until it is stopped.

   Prints "ready", and the count as JSON. */
#define _GNU_SOURCE
#include "clock.h"
#include "packet.h"

#include <sys/socket.h>

int main(void)
{
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(PORT_ECHO)};
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    if (bind(s, (struct sockaddr *)&here, sizeof here))
        fail("bind");
    stop_on_signals();
    say("ready");
    static uint8_t data[MAX_PACKET];
    unsigned long count = 0;
    while (!stopping) {
        struct sockaddr_in from;
        socklen_t length = sizeof from;
        ssize_t n = recvfrom(s, data, sizeof data, 0, (struct sockaddr *)&from, &length);
        if (n >= 0 && sendto(s, data, (size_t)n, 0, (struct sockaddr *)&from, length) == n)
            count++;
    }
    printf("{\"packets\": %lu}\n", count);
    return 0;
}
