/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <math.h>

#include "cli/stream.h"
#include "common/json.h"

enum {
    MS_DECIMALS = 3,
};

static void json_percentiles(struct ph_json *j, const char *key,
        const struct ph_stats_percentiles *p, bool with_max)
{
    ph_json_open_object(j, key);
    ph_json_double(j, "p50", p->p50, MS_DECIMALS);
    ph_json_double(j, "p95", p->p95, MS_DECIMALS);
    ph_json_double(j, "p99", p->p99, MS_DECIMALS);
    if (with_max) {
        ph_json_double(j, "max", p->max, MS_DECIMALS);
    }
    ph_json_close(j);
}

/* Without a clock nothing that spans the two machines can be said. */
static struct ph_stats_result trusted(
        const struct ph_stream_view *view, const struct ph_stats_result *result)
{
    struct ph_stats_result r = *result;
    if (!view->clock_known) {
        r.latency_ms = (struct ph_stats_percentiles){NAN, NAN, NAN, NAN};
        r.stage_ms[PH_STATS_NETWORK] = NAN;
    }
    return r;
}

bool ph_stream_report_json(FILE *out, const struct ph_stream_view *view,
        const struct ph_stats_result *result)
{
    struct ph_stats_result r = trusted(view, result);
    struct ph_json j;
    ph_json_init(&j, out, 2);
    ph_json_open_object(&j, NULL);
    ph_json_u64(&j, "frames", r.frames);
    ph_json_double(&j, "seconds", r.seconds, 3);
    ph_json_double(&j, "fps", r.fps, 2);
    ph_json_u64(&j, "keyframes", r.keyframes);
    ph_json_u64(&j, "bytes", r.bytes);
    ph_json_double(&j, "bitrate_bps", r.bitrate_bps, 0);
    ph_json_open_object(&j, "frame_bytes");
    ph_json_double(&j, "mean", r.mean_bytes, 1);
    ph_json_u64(&j, "max", r.max_bytes);
    ph_json_close(&j);
    json_percentiles(&j, "gap_ms", &r.gap_ms, true);
    json_percentiles(&j, "latency_ms", &r.latency_ms, false);
    ph_json_open_object(&j, "stages_ms");
    for (size_t i = 0; i < PH_STATS_STAGES; i++) {
        ph_json_double(&j, ph_stats_stage_names[i], r.stage_ms[i], MS_DECIMALS);
    }
    ph_json_close(&j);
    ph_json_double(&j, "clock_error_ms",
            view->clock_known ? (double)view->clock_error_us / 1e3 : NAN,
            MS_DECIMALS);
    ph_json_string(&j, "codec", view->width ? view->codec : NULL);
    ph_json_u64(&j, "width", view->width);
    ph_json_u64(&j, "height", view->height);
    ph_json_close(&j);
    return ph_json_finish(&j);
}

static void print_ms(FILE *out, const char *label, double ms)
{
    if (isnan(ms)) {
        fprintf(out, "  %s -", label);
    } else {
        fprintf(out, "  %s %.1f", label, ms);
    }
}

static void print_percentiles(
        FILE *out, const char *label, const struct ph_stats_percentiles *p)
{
    fprintf(out, "%-9s", label);
    print_ms(out, "p50", p->p50);
    print_ms(out, "p95", p->p95);
    print_ms(out, "p99", p->p99);
    print_ms(out, "max", p->max);
    fprintf(out, "  ms");
}

bool ph_stream_report_text(FILE *out, const struct ph_stream_view *view,
        const struct ph_stats_result *result)
{
    struct ph_stats_result r = trusted(view, result);
    fprintf(out, "%-9s  %ux%u, %s\n", "picture", view->width, view->height,
            view->width ? view->codec : "none");
    fprintf(out,
            "%-9s  %llu in %.1f s, %.1f a second, %llu of them keyframes\n",
            "frames", (unsigned long long)r.frames, r.seconds,
            isnan(r.fps) ? 0 : r.fps, (unsigned long long)r.keyframes);
    fprintf(out,
            "%-9s  %.1f kB, %.3f Mbit/s; a frame %.1f kB, the largest %.1f "
            "kB\n",
            "data", (double)r.bytes / 1e3,
            isnan(r.bitrate_bps) ? 0 : r.bitrate_bps / 1e6,
            isnan(r.mean_bytes) ? 0 : r.mean_bytes / 1e3,
            (double)r.max_bytes / 1e3);
    print_percentiles(out, "gaps", &r.gap_ms);
    fputc('\n', out);
    print_percentiles(out, "latency", &r.latency_ms);
    if (view->clock_known) {
        fprintf(out, " (capture to here; clock within %.2f ms)",
                (double)view->clock_error_us / 1e3);
    }
    fprintf(out, "\n%-9s", "of which");
    for (size_t i = 0; i < PH_STATS_STAGES; i++) {
        print_ms(out, ph_stats_stage_names[i], r.stage_ms[i]);
    }
    fprintf(out, "  ms\n");
    return fflush(out) == 0 && !ferror(out);
}
