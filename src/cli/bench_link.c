/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The benchmark over a link, as porthole-deskd uses it. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "cli/bench.h"
#include "common/clock.h"
#include "link/link.h"

enum {
    WINDOW = 3,
    TIMES = 64, /* more than can be in flight */
};

struct run {
    const struct ph_bench_options *options;
    struct ph_bench_feed *feed;
    struct ph_link *link;
    /* Main thread. */
    uint32_t generation;
    struct ph_region pending[PH_HXFR_MAX_SLOTS];
    struct ph_region unsent;
    bool has_frame; /* the host has one to repeat */
    /* Both, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool ready;
    bool down;
    uint32_t turns; /* of whatever may end a wait */
    uint64_t submitted;
    uint64_t answered;
    int64_t captured[TIMES]; /* by sequence */
    struct ph_bench_result *result;
};

static void lock(struct run *r)
{
    pthread_mutex_lock(&r->lock);
}

static void unlock(struct run *r)
{
    r->turns++;
    pthread_cond_broadcast(&r->news);
    pthread_mutex_unlock(&r->lock);
}

/* --- events --- */

static void on_ready(void *data, int version, const char *name)
{
    struct run *r = data;
    lock(r);
    snprintf(r->result->host, sizeof(r->result->host), "%s", name);
    if (version == 1) {
        r->down = true;
        ph_bench_fail(r->result, "the host speaks version 1: add --raw-v1");
    }
    r->ready = true;
    unlock(r);
}

static void on_down(void *data, const char *reason)
{
    struct run *r = data;
    lock(r);
    r->down = true;
    ph_bench_fail(r->result, "%s", reason);
    unlock(r);
}

static void on_unit(void *data, const struct ph_link_unit *u)
{
    struct run *r = data;
    lock(r);
    r->answered++;
    r->result->receive_us += u->receive_us;
    r->result->wait_us += u->wait_us;
    r->result->encode_us += u->encode_us;
    ph_bench_count(r->result, r->captured[u->sequence % TIMES], u->size);
    unlock(r);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    struct run *r = data;
    lock(r);
    r->answered++;
    r->result->failures++;
    snprintf(r->result->reason, sizeof(r->result->reason), "%s", text);
    unlock(r);
}

static void on_room(void *data)
{
    struct run *r = data;
    lock(r);
    unlock(r);
}

static const struct ph_link_events events = {
        on_ready, on_down, on_unit, on_failed, on_room};

/* --- frames --- */

/* Waits until something happened after `turns`. False: down. */
static bool wait_turn(struct run *r, uint32_t turns)
{
    lock(r);
    while (r->turns == turns && !r->down) {
        pthread_cond_wait(&r->news, &r->lock);
    }
    bool ok = !r->down;
    pthread_mutex_unlock(&r->lock);
    return ok;
}

static uint32_t turns_of(struct run *r)
{
    lock(r);
    uint32_t turns = r->turns;
    pthread_mutex_unlock(&r->lock);
    return turns;
}

static bool acquire(struct run *r, struct ph_link_picture *p)
{
    for (;;) {
        uint32_t turns = turns_of(r);
        if (ph_link_acquire(r->link, p) == PH_LINK_OK) {
            return true;
        }
        if (!wait_turn(r, turns)) {
            return false;
        }
    }
}

static void mark_all(struct run *r)
{
    uint16_t width = (uint16_t)r->options->size.width;
    uint16_t height = (uint16_t)r->options->size.height;
    for (size_t i = 0; i < PH_LEN(r->pending); i++) {
        ph_region_set(&r->pending[i], width, height);
    }
    ph_region_set(&r->unsent, width, height);
}

/* Notes when the frame was captured before its unit can come. */
static enum ph_link_result send(
        struct run *r, const struct ph_link_picture *p, int64_t captured)
{
    uint32_t sequence = 0;
    lock(r);
    enum ph_link_result result = p
            ? ph_link_submit(r->link, p, captured, 0, r->unsent.rects,
                      r->unsent.count, &sequence)
            : ph_link_repeat(r->link, captured, 0, &sequence);
    if (result == PH_LINK_OK) {
        r->captured[sequence % TIMES] = captured;
        r->submitted++;
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

static bool send_picture(
        struct run *r, const struct ph_link_picture *p, int64_t captured)
{
    struct ph_nv12 slot = {{p->plane[0], p->plane[1]},
            {p->stride[0], p->stride[1]}, p->width, p->height};
    ph_bench_feed_draw(r->feed, &r->pending[p->slot], &slot);
    ph_region_clear(&r->pending[p->slot]);
    if (send(r, p, captured) != PH_LINK_OK) {
        return false;
    }
    ph_region_clear(&r->unsent);
    r->has_frame = true;
    return true;
}

static bool send_repeat(struct run *r, int64_t captured)
{
    for (;;) {
        uint32_t turns = turns_of(r);
        enum ph_link_result result = send(r, NULL, captured);
        if (result != PH_LINK_FULL) {
            return result == PH_LINK_OK;
        }
        if (!wait_turn(r, turns)) {
            return false;
        }
    }
}

/* First there is a slot, then a picture to draw into it: one that waits would
 * only grow old. */
static bool send_next(struct run *r)
{
    struct ph_link_picture p;
    if (!acquire(r, &p)) {
        return false;
    }
    if (p.generation != r->generation) {
        r->generation = p.generation;
        mark_all(r);
    }
    if (r->has_frame && !ph_bench_feed_next(r->feed)) {
        ph_bench_fail(r->result, "the next picture: %s", strerror(errno));
        return false;
    }
    int64_t captured = ph_clock_ns();
    for (size_t i = 0; i < PH_LEN(r->pending); i++) {
        ph_region_union(&r->pending[i], &r->feed->changed);
    }
    ph_region_union(&r->unsent, &r->feed->changed);
    if (!r->has_frame || !ph_region_is_empty(&r->unsent)) {
        return send_picture(r, &p, captured);
    }
    ph_link_release(r->link, &p);
    return send_repeat(r, captured);
}

static bool wait_answers(struct run *r)
{
    lock(r);
    while (r->answered < r->submitted && !r->down) {
        pthread_cond_wait(&r->news, &r->lock);
    }
    bool ok = !r->down;
    pthread_mutex_unlock(&r->lock);
    return ok;
}

/* The first frame is a keyframe, of everything, for which the host makes an
 * encoder: it is not measured, nor are a few that warm the caches. */
static bool warm_up(struct run *r)
{
    enum {
        FRAMES = 8
    };
    for (int i = 0; i < FRAMES; i++) {
        if (!send_next(r) || !wait_answers(r)) {
            return false;
        }
    }
    return true;
}

static void measure(struct run *r)
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
    int64_t until = result->begin + r->options->seconds * PH_NS_PER_S;
    while (ph_clock_ns() < until && send_next(r)) {
        ph_bench_pace(r->options->fps, &tick);
    }
    wait_answers(r);
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

static enum ph_link_packing packing_of(const char *text)
{
    return strcmp(text, "always") == 0   ? PH_LINK_PACK_ALWAYS
            : strcmp(text, "never") == 0 ? PH_LINK_PACK_NEVER
                                         : PH_LINK_PACK_AUTO;
}

void ph_bench_run_link(const struct ph_bench_options *o,
        struct ph_bench_feed *feed, struct ph_bench_result *result)
{
    /* What ph_pixels_to_nv12 makes, and sRGB. */
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    struct ph_link_options options = {.endpoint = o->endpoint,
            .name = "porthole-bench",
            .window = WINDOW,
            .timeout_ms = 20000,
            .packing = packing_of(o->lz4),
            .no_sharing = o->no_sharing,
            .check_every = o->verify ? 1 : 0};
    struct run r = {.options = o, .feed = feed, .result = result};
    pthread_mutex_init(&r.lock, NULL);
    pthread_cond_init(&r.news, NULL);
    r.link = ph_link_create(&options, &events, &r);
    if (ph_link_start(r.link)) {
        lock(&r);
        while (!r.ready && !r.down) {
            pthread_cond_wait(&r.news, &r.lock);
        }
        bool ok = !r.down;
        pthread_mutex_unlock(&r.lock);
        if (ok) {
            ph_link_set_surface(r.link, o->size.width, o->size.height, &colour);
            measure(&r);
        }
    } else {
        ph_bench_fail(result, "cannot start the link");
    }
    ph_link_destroy(r.link);
    pthread_cond_destroy(&r.news);
    pthread_mutex_destroy(&r.lock);
}
