/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * `porthole bench`: measures what a host and the way to it can do, with
 * pictures of its own. Linked to src/link and src/video only, so that it runs
 * in a guest of a few megabytes (porthole-bench).
 */
#pragma once

#include "cli/bench_feed.h"
#include "common/endpoint.h"
#include "common/macros.h"
#include "common/opt.h"

struct ph_bench_options {
    const char *endpoint_text;
    const char *content;
    bool raw_v1;
    bool prepared;
    bool no_sharing;
    bool verify; /* compare the host's picture after every frame */
    bool json;
    uint32_t soak; /* minutes; 0: measure instead */
    const char *lz4; /* auto, always, never */
    uint32_t seconds;
    uint32_t fps; /* 0: as many as go */
    struct ph_size size;
    struct ph_endpoint endpoint;
};

enum {
    PH_BENCH_KEPT = 1 << 16 /* latencies */
};

/* Times in ns unless named otherwise. All zero is the beginning. */
struct ph_bench_result {
    char host[64];
    const char *way; /* "slots", "tiles", "raw-v1" */
    bool failed;
    char reason[200];
    int64_t begin;
    int64_t end;
    uint64_t units;
    uint64_t unit_bytes;
    uint64_t wire_bytes; /* sent to the host */
    uint64_t failures;
    uint64_t moved; /* frames with moves */
    uint64_t packed; /* frames that LZ4 packed */
    uint64_t checks; /* pictures compared */
    uint64_t mismatches;
    double bytes_per_s; /* of the way, 0: not measured */
    uint32_t rtt_us;
    uint32_t window; /* frames in flight, at the end */
    int64_t cpu; /* of this process but for the painting */
    uint64_t receive_us;
    uint64_t wait_us;
    uint64_t encode_us;
    size_t latency_count;
    int64_t latency[PH_BENCH_KEPT];
};

/* CPU time of this process so far. */
int64_t ph_bench_cpu_ns(void);
/* Waits for the next tick, *tick being the one before. */
void ph_bench_pace(uint32_t fps, int64_t *tick);
/* Counts an access unit. captured_ns: when its picture was ready. */
void ph_bench_count(
        struct ph_bench_result *result, int64_t captured_ns, size_t size);
/* Sets `failed`. */
void ph_bench_fail(struct ph_bench_result *result, const char *fmt, ...)
        PH_PRINTF(2, 3);

/* bench_link.c, bench_v1.c: run for options->seconds. */
void ph_bench_run_link(const struct ph_bench_options *options,
        struct ph_bench_feed *feed, struct ph_bench_result *result);
void ph_bench_run_v1(const struct ph_bench_options *options,
        struct ph_bench_feed *feed, struct ph_bench_result *result);

/* bench_soak.c: prints what it saw itself. */
void ph_bench_run_soak(
        const struct ph_bench_options *options, struct ph_bench_result *result);

/* bench_report.c. False: stdout failed. Sorts the latencies. */
bool ph_bench_report(
        const struct ph_bench_options *options, struct ph_bench_result *result);
