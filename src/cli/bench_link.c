/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The benchmark over a link. */
#include <string.h>

#include "cli/bench_sender.h"
#include "common/clock.h"

/* The first frame is a keyframe, of everything, for which the host makes an
 * encoder: it is not measured, nor are a few that warm the caches. */
static bool warm_up(struct ph_bench_sender *r)
{
    enum {
        FRAMES = 8
    };
    for (int i = 0; i < FRAMES; i++) {
        if (!ph_bench_sender_next(r) || !ph_bench_sender_drain(r)) {
            return false;
        }
    }
    return true;
}

static void measure(struct ph_bench_sender *r, const struct ph_bench_options *o)
{
    struct ph_bench_result *result = r->result;
    struct ph_link_stats before;
    struct ph_link_stats after;
    if (!warm_up(r)) {
        return;
    }
    char host[sizeof(result->host)];
    memcpy(host, result->host, sizeof(host));
    *result = (struct ph_bench_result){0};
    memcpy(result->host, host, sizeof(host));
    ph_link_get_stats(r->link, &before);
    result->way = before.shared ? "slots" : "tiles";
    int64_t cpu = ph_bench_cpu_ns() - r->feed->paint_ns;
    result->begin = ph_clock_ns();
    int64_t tick = result->begin;
    int64_t until = result->begin + o->seconds * PH_NS_PER_S;
    while (ph_clock_ns() < until && ph_bench_sender_next(r)) {
        ph_bench_pace(o->fps, &tick);
    }
    ph_bench_sender_drain(r);
    result->end = ph_clock_ns();
    result->cpu = ph_bench_cpu_ns() - r->feed->paint_ns - cpu;
    ph_link_get_stats(r->link, &after);
    result->wire_bytes = after.bytes_sent - before.bytes_sent;
    result->moved = after.moved - before.moved;
    result->packed = after.packed - before.packed;
    result->checks = after.checks - before.checks;
    result->mismatches = after.mismatches - before.mismatches;
    result->bytes_per_s = after.bytes_per_s;
    result->rtt_us = after.rtt_us;
    result->window = after.window;
}

void ph_bench_run_link(const struct ph_bench_options *o,
        struct ph_bench_feed *feed, struct ph_bench_result *result)
{
    struct ph_bench_sender sender = {0};
    if (ph_bench_sender_init(&sender, o, feed, result)) {
        measure(&sender, o);
    }
    ph_bench_sender_finish(&sender);
}
