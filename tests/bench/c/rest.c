/* Times of one HTTP request after the other, over a connection that stays open.

   rest PORT HEADERS SECONDS INTERVAL PATH...

   GETs the paths in turn. An answer must have the status 200 and a Content-Length. Prints "sending",
   and the times in seconds as JSON. */
#define _GNU_SOURCE
#include "clock.h"
#include "samples.h"
#include "websocket.h"

static int connect_to(int port)
{
    int one = 1, s = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(s, (struct sockaddr *)&to, sizeof to))
        fail("connect");
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return s;
}

/* Read one answer to its end; whatever was read of it is all of it, for nothing is pipelined. */
static void read_answer(int s)
{
    static char answer[1 << 20];
    size_t have = 0, whole = 0;
    while (!whole || have < whole) {
        ssize_t n = read(s, answer + have, sizeof answer - 1 - have);
        if (n <= 0)
            fail("answer");
        have += (size_t)n;
        answer[have] = 0;
        char *end = strstr(answer, "\r\n\r\n");
        char *length = strcasestr(answer, "content-length:");
        if (end && length)
            whole = (size_t)(end + 4 - answer) + strtoul(length + 15, NULL, 10);
    }
    if (strncmp(answer, "HTTP/1.1 200", 12)) {
        fprintf(stderr, "%.300s\n", answer);
        exit(1);
    }
}

int main(int count, char **argument)
{
    if (count < 6) {
        fprintf(stderr, "usage: rest PORT HEADERS SECONDS INTERVAL PATH...\n");
        return 2;
    }
    int port = atoi(argument[1]), paths = count - 5;
    double seconds = atof(argument[3]), interval = atof(argument[4]);
    stop_on_signals();
    int s = connect_to(port);
    say("sending");
    double start = now(), due = start;
    for (int turn = 0; !stopping && now() < start + seconds; turn++) {
        char request[8192];
        int n = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%s\r\n",
                         argument[5 + turn % paths], port, argument[2]);
        double before = now();
        if (!write_all(s, (uint8_t *)request, (size_t)n))
            fail("request");
        read_answer(s);
        add_sample(now() - before);
        due += interval;
        if (due < now())
            due = now();
        sleep_until(due);
    }
    print_samples(0);
    return 0;
}
