/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Numbers about a stream of frames, as its receiver sees them. Pure but for
 * its memory, which is bounded: beyond PH_STATS_KEPT frames the percentiles
 * come from a random choice of that many; counts, sums and maxima stay exact.
 * Times are µs. One thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/stream.h"

#define PH_STATS_KEPT (1U << 17)

/* The server's stages and then the network. */
enum {
    PH_STATS_NETWORK = PH_STREAM_STAGES,
    PH_STATS_STAGES
};
extern const char *const ph_stats_stage_names[PH_STATS_STAGES];

struct ph_stats_sample {
    int64_t latency_us; /* on two clocks: arrived (ours) - captured (theirs) */
    int64_t network_us; /* arrived (ours) - sent (theirs) */
    uint32_t stage_us[PH_STREAM_STAGES];
};

/* All zero is empty. */
struct ph_stats {
    uint64_t frames;
    uint64_t keyframes;
    uint64_t bytes;
    uint64_t largest;
    int64_t first_us; /* arrival of the first frame, our clock */
    int64_t last_us;
    int64_t max_gap_us;
    uint32_t random;
    size_t room;
    struct ph_stats_sample *samples;
    size_t sample_count;
    int64_t *gaps;
    size_t gap_count;
};

struct ph_stats_frame {
    int64_t arrived_us; /* our clock */
    size_t size;
    bool key;
    const struct ph_stream_frame *frame;
};

struct ph_stats_percentiles {
    double p50;
    double p95;
    double p99;
    double max;
};

/* Where there is nothing to measure a number is NaN. */
struct ph_stats_result {
    uint64_t frames;
    double seconds;
    double fps;
    uint64_t keyframes;
    uint64_t bytes;
    double bitrate_bps;
    double mean_bytes;
    uint64_t max_bytes;
    struct ph_stats_percentiles gap_ms;
    struct ph_stats_percentiles latency_ms;
    /* Of a typical frame: the mean over the fifth of the frames in the middle
     * by latency, so that the stages add up to latency_ms.p50. */
    double stage_ms[PH_STATS_STAGES];
};

void ph_stats_finish(struct ph_stats *s);
void ph_stats_add(struct ph_stats *s, const struct ph_stats_frame *f);

/* end_us: our clock, when the measurement ended; offset_us: their clock less
 * ours. Sorts the samples. */
void ph_stats_result(struct ph_stats *s, int64_t end_us, int64_t offset_us,
        struct ph_stats_result *out);

/* values[0..count) sorted upwards: the smallest that at least `share` of them
 * do not exceed; NaN for none. */
double ph_stats_percentile(const int64_t *values, size_t count, double share);
