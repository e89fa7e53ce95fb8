/* Times of round trips, sorted at the end and printed as JSON. */
#ifndef BENCH_SAMPLES_H
#define BENCH_SAMPLES_H

#include <stdio.h>
#include <stdlib.h>

enum { MAX_SAMPLES = 1 << 20 };

static double samples[MAX_SAMPLES];
static size_t sample_count;

static inline void add_sample(double seconds)
{
    if (sample_count < MAX_SAMPLES)
        samples[sample_count++] = seconds;
}

static int by_value(const void *one, const void *other)
{
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

static inline double percentile(double share)
{
    return sample_count ? samples[(size_t)(share * (double)(sample_count - 1))] : 0;
}

static inline void print_samples(unsigned long lost)
{
    qsort(samples, sample_count, sizeof *samples, by_value);
    printf("{\"count\": %zu, \"lost\": %lu, \"p50\": %.9f, \"p99\": %.9f, \"max\": %.9f}\n",
           sample_count, lost, percentile(0.5), percentile(0.99), percentile(1));
}

#endif
