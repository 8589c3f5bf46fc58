/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "cli/bench.h"
#include "cli/stats.h"
#include "common/clock.h"
#include "common/json.h"

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static double ms_at(const struct ph_bench_result *r, double share)
{
    return ph_stats_percentile(r->latency, r->latency_count, share) /
            (double)PH_NS_PER_MS;
}

static double per_unit(const struct ph_bench_result *r, double sum)
{
    return r->units ? sum / (double)r->units : 0;
}

static double seconds_of(const struct ph_bench_result *r)
{
    return (double)(r->end - r->begin) / (double)PH_NS_PER_S;
}

static double fps_of(const struct ph_bench_result *r)
{
    return r->end > r->begin ? (double)r->units / seconds_of(r) : 0;
}

static bool report_json(
        const struct ph_bench_options *o, const struct ph_bench_result *r)
{
    struct ph_json j;
    ph_json_init(&j, stdout, 2);
    ph_json_open_object(&j, NULL);
    ph_json_string(&j, "content", o->content);
    ph_json_string(&j, "endpoint", o->endpoint_text);
    ph_json_string(&j, "host", r->host);
    ph_json_string(&j, "way", r->way);
    ph_json_u64(&j, "width", o->size.width);
    ph_json_u64(&j, "height", o->size.height);
    ph_json_bool(&j, "prepared", o->prepared);
    ph_json_double(&j, "seconds", seconds_of(r), 3);
    ph_json_u64(&j, "frames", r->units);
    ph_json_double(&j, "fps", fps_of(r), 2);
    ph_json_open_object(&j, "latency_ms");
    ph_json_double(&j, "p50", ms_at(r, .5), 3);
    ph_json_double(&j, "p99", ms_at(r, .99), 3);
    ph_json_close(&j);
    ph_json_double(&j, "wire_bytes", per_unit(r, (double)r->wire_bytes), 1);
    ph_json_double(&j, "unit_bytes", per_unit(r, (double)r->unit_bytes), 1);
    ph_json_double(&j, "cpu_ms",
            per_unit(r, (double)r->cpu) / (double)PH_NS_PER_MS, 3);
    ph_json_open_object(&j, "host_ms");
    ph_json_double(&j, "receive", per_unit(r, (double)r->receive_us) / 1000, 3);
    ph_json_double(&j, "wait", per_unit(r, (double)r->wait_us) / 1000, 3);
    ph_json_double(&j, "encode", per_unit(r, (double)r->encode_us) / 1000, 3);
    ph_json_close(&j);
    ph_json_u64(&j, "moved", r->moved);
    ph_json_u64(&j, "packed", r->packed);
    ph_json_u64(&j, "checks", r->checks);
    ph_json_u64(&j, "mismatches", r->mismatches);
    ph_json_double(&j, "way_mb_s", r->bytes_per_s / 1e6, 1);
    ph_json_double(&j, "way_rtt_ms", r->rtt_us / 1000.0, 3);
    ph_json_u64(&j, "window", r->window);
    ph_json_u64(&j, "failures", r->failures);
    ph_json_close(&j);
    return ph_json_finish(&j);
}

static bool report_text(
        const struct ph_bench_options *o, const struct ph_bench_result *r)
{
    printf("%s %ux%u, %s, to %s (%s)\n", o->content, o->size.width,
            o->size.height, r->way, o->endpoint_text, r->host);
    printf("frames      %llu in %.1f s: %.1f a second\n",
            (unsigned long long)r->units, seconds_of(r), fps_of(r));
    printf("latency     %.2f ms p50, %.2f ms p99, picture to access unit\n",
            ms_at(r, .5), ms_at(r, .99));
    printf("wire        %.0f bytes a frame, access units of %.0f\n",
            per_unit(r, (double)r->wire_bytes),
            per_unit(r, (double)r->unit_bytes));
    if (strcmp(r->way, "tiles") == 0) {
        printf("tiles       %llu frames moved, %llu packed; the way: %.0f "
               "MB/s, %.2f ms, %u in flight\n",
                (unsigned long long)r->moved, (unsigned long long)r->packed,
                r->bytes_per_s / 1e6, r->rtt_us / 1000.0, r->window);
    }
    if (r->checks) {
        printf("compared    %llu pictures, %llu were not the same\n",
                (unsigned long long)r->checks,
                (unsigned long long)r->mismatches);
    }
    printf("cpu         %.2f ms a frame here\n",
            per_unit(r, (double)r->cpu) / (double)PH_NS_PER_MS);
    printf("host        receive %.2f ms, wait %.2f ms, encode %.2f ms\n",
            per_unit(r, (double)r->receive_us) / 1000,
            per_unit(r, (double)r->wait_us) / 1000,
            per_unit(r, (double)r->encode_us) / 1000);
    if (r->failures) {
        printf("failed      %llu frames: %s\n", (unsigned long long)r->failures,
                r->reason);
    }
    return fflush(stdout) == 0;
}

bool ph_bench_report(
        const struct ph_bench_options *o, struct ph_bench_result *r)
{
    qsort(r->latency, r->latency_count, sizeof(r->latency[0]), by_value);
    return o->json ? report_json(o, r) : report_text(o, r);
}
