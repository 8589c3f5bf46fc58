/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a guest did between two reports. The memory is bounded, however long
 * that is: times go into a histogram, whose percentiles are right to 7 %.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/hxfr_ext.h"

/* 8 for each power of two of microseconds, up to a minute. */
#define PH_TIMES_BUCKETS 200

struct ph_times {
    uint32_t counts[PH_TIMES_BUCKETS];
};

void ph_times_add(struct ph_times *t, int64_t us);
/* The time in us that `percent` of all do not pass; 0 without any. */
uint32_t ph_times_percentile(const struct ph_times *t, unsigned percent);

struct ph_session_stats {
    unsigned number; /* of the guest, as in the log */
    char name[PH_HXFR_MAX_NAME + 1]; /* "" for version 1 */
    const char *encoder; /* NULL: none is open */
    uint32_t width; /* of the last access unit, 0: none yet */
    uint32_t height;
    uint32_t queued; /* requests that wait for their answer now */
    /* Since the last report. */
    uint64_t frames; /* answered with an access unit */
    uint64_t keyframes; /* of them */
    uint64_t failed; /* answered with an error by the encoder thread */
    uint64_t bytes_in;
    uint64_t bytes_out;
    struct ph_times encode;
};

struct ph_host_stats {
    double seconds; /* since the last report */
    size_t memory; /* that all guests use */
    size_t memory_limit;
    struct ph_session_stats *guests;
    size_t count;
};

/* Into the log: the guests that did something, and with `all` the others and
 * the sum. */
void ph_stats_log(const struct ph_host_stats *stats, bool all);
/* To fd, a line of JSON for each guest and one for the host. What does not
 * fit into a pipe at once is dropped: a reader that sleeps must not hold the
 * host up. */
void ph_stats_print(const struct ph_host_stats *stats, int fd);
