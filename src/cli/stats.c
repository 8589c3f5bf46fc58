/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/stats.h"

#include <math.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/macros.h"

const char *const ph_stats_stage_names[PH_STATS_STAGES] = {
        [PH_STREAM_STAGE_CAPTURE] = "capture",
        [PH_STREAM_STAGE_CONVERT] = "convert",
        [PH_STREAM_STAGE_SUBMIT] = "submit",
        [PH_STREAM_STAGE_LINK] = "link",
        [PH_STREAM_STAGE_WAIT] = "wait",
        [PH_STREAM_STAGE_ENCODE] = "encode",
        [PH_STREAM_STAGE_QUEUE] = "queue",
        [PH_STATS_NETWORK] = "network",
};

enum {
    ROOM_FIRST = 1024,
};

void ph_stats_finish(struct ph_stats *s)
{
    free(s->samples);
    free(s->gaps);
    *s = (struct ph_stats){0};
}

static uint32_t next_random(struct ph_stats *s)
{
    s->random = s->random * 1664525U + 1013904223U;
    return s->random >> 8;
}

/* Where to keep the value that is the `seen`-th (from 0) of its kind: behind
 * the others as long as there is room, then instead of one by chance, so that
 * each of them is kept with the same probability. -1: nowhere. */
static int64_t place(struct ph_stats *s, uint64_t seen)
{
    if (seen < PH_STATS_KEPT) {
        return (int64_t)seen;
    }
    uint64_t at = (uint64_t)next_random(s) * (seen + 1) >> 24;
    return at < PH_STATS_KEPT ? (int64_t)at : -1;
}

static void make_room(struct ph_stats *s)
{
    if (s->frames < s->room || s->room == PH_STATS_KEPT) {
        return;
    }
    s->room = s->room ? s->room * 2 : ROOM_FIRST;
    s->samples = ph_xrealloc(s->samples, s->room * sizeof(*s->samples));
    s->gaps = ph_xrealloc(s->gaps, s->room * sizeof(*s->gaps));
}

static void keep_sample(struct ph_stats *s, const struct ph_stats_frame *f)
{
    int64_t at = place(s, s->frames);
    if (at < 0) {
        return;
    }
    struct ph_stats_sample *sample = &s->samples[at];
    sample->latency_us = f->arrived_us - (int64_t)f->frame->captured_us;
    sample->network_us = f->arrived_us - (int64_t)f->frame->sent_us;
    for (size_t i = 0; i < PH_STREAM_STAGES; i++) {
        sample->stage_us[i] = f->frame->stage_us[i];
    }
    s->sample_count = PH_MAX(s->sample_count, (size_t)at + 1);
}

static void keep_gap(struct ph_stats *s, int64_t gap)
{
    int64_t at = place(s, s->frames - 1);
    if (at >= 0) {
        s->gaps[at] = gap;
        s->gap_count = PH_MAX(s->gap_count, (size_t)at + 1);
    }
    s->max_gap_us = PH_MAX(s->max_gap_us, gap);
}

void ph_stats_add(struct ph_stats *s, const struct ph_stats_frame *f)
{
    make_room(s);
    if (s->frames == 0) {
        s->first_us = f->arrived_us;
    } else {
        keep_gap(s, f->arrived_us - s->last_us);
    }
    keep_sample(s, f);
    s->last_us = f->arrived_us;
    s->frames++;
    s->keyframes += f->key;
    s->bytes += f->size;
    s->largest = PH_MAX(s->largest, f->size);
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a;
    int64_t y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static int by_latency(const void *a, const void *b)
{
    int64_t x = ((const struct ph_stats_sample *)a)->latency_us;
    int64_t y = ((const struct ph_stats_sample *)b)->latency_us;
    return (x > y) - (x < y);
}

/* The index of the nearest rank. */
static size_t rank(size_t count, double share)
{
    double r = ceil(share * (double)count);
    return r < 1 ? 0 : PH_MIN((size_t)r, count) - 1;
}

double ph_stats_percentile(const int64_t *values, size_t count, double share)
{
    return count ? (double)values[rank(count, share)] : NAN;
}

static struct ph_stats_percentiles gap_result(struct ph_stats *s)
{
    qsort(s->gaps, s->gap_count, sizeof(*s->gaps), by_value);
    return (struct ph_stats_percentiles){
            ph_stats_percentile(s->gaps, s->gap_count, 0.50) / 1e3,
            ph_stats_percentile(s->gaps, s->gap_count, 0.95) / 1e3,
            ph_stats_percentile(s->gaps, s->gap_count, 0.99) / 1e3,
            s->gap_count ? (double)s->max_gap_us / 1e3 : NAN,
    };
}

static double latency_at(
        const struct ph_stats *s, double share, int64_t offset_us)
{
    size_t n = s->sample_count;
    return n ? (double)(s->samples[rank(n, share)].latency_us + offset_us) / 1e3
             : NAN;
}

static void stage_result(const struct ph_stats *s, int64_t offset_us,
        double out[PH_STATS_STAGES])
{
    size_t middle = s->sample_count ? rank(s->sample_count, 0.5) : 0;
    size_t wing = s->sample_count / 10;
    double sum[PH_STATS_STAGES] = {0};
    size_t count = 0;
    for (size_t i = middle - PH_MIN(wing, middle);
            i < s->sample_count && i <= middle + wing; i++, count++) {
        for (size_t k = 0; k < PH_STREAM_STAGES; k++) {
            sum[k] += s->samples[i].stage_us[k];
        }
        sum[PH_STATS_NETWORK] += (double)(s->samples[i].network_us + offset_us);
    }
    for (size_t k = 0; k < PH_STATS_STAGES; k++) {
        out[k] = count ? sum[k] / (double)count / 1e3 : NAN;
    }
}

void ph_stats_result(struct ph_stats *s, int64_t end_us, int64_t offset_us,
        struct ph_stats_result *out)
{
    double seconds = s->frames ? (double)(end_us - s->first_us) / 1e6 : 0;
    double n = (double)s->frames;
    *out = (struct ph_stats_result){
            .frames = s->frames,
            .seconds = seconds,
            .fps = seconds > 0 ? n / seconds : NAN,
            .keyframes = s->keyframes,
            .bytes = s->bytes,
            .bitrate_bps = seconds > 0 ? (double)s->bytes * 8 / seconds : NAN,
            .mean_bytes = s->frames ? (double)s->bytes / n : NAN,
            .max_bytes = s->largest,
    };
    if (s->gap_count) {
        out->gap_ms = gap_result(s);
    } else {
        out->gap_ms = (struct ph_stats_percentiles){NAN, NAN, NAN, NAN};
    }
    if (s->sample_count) {
        qsort(s->samples, s->sample_count, sizeof(*s->samples), by_latency);
    }
    out->latency_ms = (struct ph_stats_percentiles){
            latency_at(s, 0.50, offset_us),
            latency_at(s, 0.95, offset_us),
            latency_at(s, 0.99, offset_us),
            latency_at(s, 1.00, offset_us),
    };
    stage_result(s, offset_us, out->stage_ms);
}
