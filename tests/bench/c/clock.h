/* Time, the end of a run, and nothing else. */
#ifndef BENCH_CLOCK_H
#define BENCH_CLOCK_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Seconds of the monotonic clock. */
static inline double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static inline void sleep_until(double when)
{
    struct timespec t = {(time_t)when, (long)((when - (time_t)when) * 1e9)};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* Set by SIGTERM and SIGINT: print what was counted, and end. */
static volatile sig_atomic_t stopping;

static void stop_soon(int signal_number)
{
    (void)signal_number;
    stopping = 1;
}

static inline void stop_on_signals(void)
{
    struct sigaction action = {.sa_handler = stop_soon};  /* no SA_RESTART: blocking calls return */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* Tell the benchmark how far this program is: one word, one line. */
static inline void say(const char *word)
{
    puts(word);
    fflush(stdout);
}

static inline void fail(const char *what)
{
    perror(what);
    exit(1);
}

#endif
