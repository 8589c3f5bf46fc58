/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/stats.h"

#include <math.h>

#include "check.h"
#include "common/macros.h"

static void check_near(double a, double b)
{
    if (!CHECK(fabs(a - b) < 1e-6)) {
        fprintf(stderr, "  %f is not %f\n", a, b);
    }
}

/* A frame that took `latency` µs, of which 1000 in the network; the server's
 * clock is `offset` µs ahead of ours. */
static void add(struct ph_stats *s, int64_t arrived, int64_t latency,
        int64_t offset, size_t size, bool key)
{
    struct ph_stream_frame frame = {
            .captured_us = (uint64_t)(arrived - latency + offset),
            .sent_us = (uint64_t)(arrived - 1000 + offset),
    };
    frame.stage_us[PH_STREAM_STAGE_CAPTURE] = 500;
    frame.stage_us[PH_STREAM_STAGE_ENCODE] = (uint32_t)(latency - 1500);
    const struct ph_stats_frame f = {arrived, size, key, &frame};
    ph_stats_add(s, &f);
}

static void test_percentile(void)
{
    int64_t values[100];
    for (int i = 0; i < 100; i++) {
        values[i] = i + 1;
    }
    check_near(ph_stats_percentile(values, 100, 0.50), 50);
    check_near(ph_stats_percentile(values, 100, 0.95), 95);
    check_near(ph_stats_percentile(values, 100, 0.99), 99);
    check_near(ph_stats_percentile(values, 100, 1.00), 100);
    check_near(ph_stats_percentile(values, 1, 0.01), 1);
    check_near(ph_stats_percentile(values, 3, 0.50), 2);
    CHECK(isnan(ph_stats_percentile(values, 0, 0.5)));
}

static void test_empty(void)
{
    struct ph_stats s = {0};
    struct ph_stats_result r;
    ph_stats_result(&s, 1000000, 0, &r);
    CHECK_EQ(r.frames, 0);
    check_near(r.seconds, 0);
    CHECK(isnan(r.fps));
    CHECK(isnan(r.gap_ms.p50));
    CHECK(isnan(r.latency_ms.p99));
    CHECK(isnan(r.stage_ms[0]));
    ph_stats_finish(&s);
    ph_stats_finish(&s);
}

static void test_one(void)
{
    struct ph_stats s = {0};
    struct ph_stats_result r;
    add(&s, 1000000, 7000, -123456, 5000, true);
    ph_stats_result(&s, 3000000, -123456, &r);
    CHECK_EQ(r.frames, 1);
    CHECK_EQ(r.keyframes, 1);
    check_near(r.seconds, 2);
    check_near(r.fps, 0.5);
    check_near(r.bitrate_bps, 20000);
    check_near(r.latency_ms.p50, 7);
    CHECK(isnan(r.gap_ms.max));
    ph_stats_finish(&s);
}

/* 101 frames 10 ms apart, one of them 50 ms late; latency 5 to 15 ms. */
static void test_many(void)
{
    struct ph_stats s = {0};
    struct ph_stats_result r;
    const int64_t offset = INT64_C(987654321);
    int64_t at = 1000000;
    for (int i = 0; i <= 100; i++) {
        add(&s, at, 5000 + i * 100, offset, (size_t)(i == 7 ? 9000 : 1000),
                i % 50 == 0);
        at += i == 40 ? 50000 : 10000;
    }
    ph_stats_result(&s, 1000000 + 2000000, offset, &r);
    CHECK_EQ(r.frames, 101);
    CHECK_EQ(r.keyframes, 3);
    CHECK_EQ(r.bytes, 109000);
    CHECK_EQ(r.max_bytes, 9000);
    check_near(r.seconds, 2);
    check_near(r.fps, 50.5);
    check_near(r.gap_ms.p50, 10);
    check_near(r.gap_ms.p99, 10);
    check_near(r.gap_ms.max, 50);
    check_near(r.latency_ms.p50, 10);
    check_near(r.latency_ms.p95, 14.5);
    check_near(r.latency_ms.max, 15);
    double sum = 0;
    for (size_t i = 0; i < PH_STATS_STAGES; i++) {
        sum += r.stage_ms[i];
        CHECK(ph_stats_stage_names[i] != NULL);
    }
    check_near(sum, r.latency_ms.p50);
    check_near(r.stage_ms[PH_STATS_NETWORK], 1);
    check_near(r.stage_ms[PH_STREAM_STAGE_CAPTURE], 0.5);
    ph_stats_finish(&s);
}

/* More frames than are kept: counts stay exact, percentiles stay close. */
static void test_bounded(void)
{
    struct ph_stats s = {0};
    struct ph_stats_result r;
    const uint64_t count = (uint64_t)PH_STATS_KEPT * 5 / 2;
    for (uint64_t i = 0; i < count; i++) {
        add(&s, (int64_t)i * 1000, 2000 + (int64_t)(i % 1000) * 10, 0, 10,
                false);
    }
    CHECK_EQ(s.sample_count, PH_STATS_KEPT);
    CHECK_EQ(s.gap_count, PH_STATS_KEPT);
    CHECK_EQ(s.room, PH_STATS_KEPT);
    ph_stats_result(&s, (int64_t)count * 1000, 0, &r);
    CHECK_EQ(r.frames, count);
    CHECK_EQ(r.bytes, count * 10);
    CHECK(fabs(r.latency_ms.p50 - 7) < 0.2);
    CHECK(fabs(r.latency_ms.p95 - 11.5) < 0.2);
    check_near(r.gap_ms.max, 1);
    ph_stats_finish(&s);
}

int main(void)
{
    test_percentile();
    test_empty();
    test_one();
    test_many();
    test_bounded();
    return CHECK_DONE();
}
