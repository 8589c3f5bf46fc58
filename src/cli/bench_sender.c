/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/bench_sender.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"

static void lock(struct ph_bench_sender *r)
{
    pthread_mutex_lock(&r->lock);
}

static void unlock(struct ph_bench_sender *r)
{
    r->turns++;
    pthread_cond_broadcast(&r->news);
    pthread_mutex_unlock(&r->lock);
}

enum {
    WINDOW = 3,
};

/* --- events --- */

static void on_ready(void *data, int version, const char *name)
{
    struct ph_bench_sender *r = data;
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
    struct ph_bench_sender *r = data;
    lock(r);
    if (r->survive) {
        r->answered = r->submitted; /* what was on the way is lost */
        r->lost++;
    } else {
        r->down = true;
        ph_bench_fail(r->result, "%s", reason);
    }
    unlock(r);
}

static void on_unit(void *data, const struct ph_link_unit *u)
{
    struct ph_bench_sender *r = data;
    lock(r);
    r->answered++;
    r->result->receive_us += u->receive_us;
    r->result->wait_us += u->wait_us;
    r->result->encode_us += u->encode_us;
    ph_bench_count(
            r->result, r->captured[u->sequence % PH_BENCH_TIMES], u->size);
    unlock(r);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    struct ph_bench_sender *r = data;
    lock(r);
    r->answered++;
    r->result->failures++;
    snprintf(r->result->reason, sizeof(r->result->reason), "%s", text);
    unlock(r);
}

static void on_room(void *data)
{
    struct ph_bench_sender *r = data;
    lock(r);
    unlock(r);
}

static const struct ph_link_events events = {
        on_ready, on_down, on_unit, on_failed, on_room};

/* --- frames --- */

/* Waits until something happened after `turns`. False: down. */
static bool wait_turn(struct ph_bench_sender *r, uint32_t turns)
{
    lock(r);
    while (r->turns == turns && !r->down) {
        pthread_cond_wait(&r->news, &r->lock);
    }
    bool ok = !r->down;
    pthread_mutex_unlock(&r->lock);
    return ok;
}

static uint32_t turns_of(struct ph_bench_sender *r)
{
    lock(r);
    uint32_t turns = r->turns;
    pthread_mutex_unlock(&r->lock);
    return turns;
}

static bool acquire(struct ph_bench_sender *r, struct ph_link_picture *p)
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

void ph_bench_sender_mark_all(struct ph_bench_sender *r)
{
    uint16_t width = (uint16_t)r->size.width;
    uint16_t height = (uint16_t)r->size.height;
    for (size_t i = 0; i < PH_LEN(r->pending); i++) {
        ph_region_set(&r->pending[i], width, height);
    }
    ph_region_set(&r->unsent, width, height);
}

/* Notes when the frame was captured before its unit can come. */
static enum ph_link_result send(struct ph_bench_sender *r,
        const struct ph_link_picture *p, int64_t captured)
{
    uint32_t sequence = 0;
    lock(r);
    enum ph_link_result result = p
            ? ph_link_submit(r->link, p, captured, 0, r->unsent.rects,
                      r->unsent.count, &sequence)
            : ph_link_repeat(r->link, captured, 0, &sequence);
    if (result == PH_LINK_OK) {
        r->captured[sequence % PH_BENCH_TIMES] = captured;
        r->submitted++;
    }
    pthread_mutex_unlock(&r->lock);
    return result;
}

static bool send_picture(struct ph_bench_sender *r,
        const struct ph_link_picture *p, int64_t captured)
{
    struct ph_nv12 slot = {{p->plane[0], p->plane[1]},
            {p->stride[0], p->stride[1]}, p->width, p->height};
    ph_bench_feed_draw(r->feed, &r->pending[p->slot], &slot);
    ph_region_clear(&r->pending[p->slot]);
    enum ph_link_result result = send(r, p, captured);
    if (result != PH_LINK_OK) {
        return result == PH_LINK_DOWN && r->survive;
    }
    ph_region_clear(&r->unsent);
    r->has_frame = true;
    return true;
}

static bool send_repeat(struct ph_bench_sender *r, int64_t captured)
{
    for (;;) {
        uint32_t turns = turns_of(r);
        enum ph_link_result result = send(r, NULL, captured);
        if (result != PH_LINK_FULL) {
            return result == PH_LINK_OK || r->survive;
        }
        if (!wait_turn(r, turns)) {
            return false;
        }
    }
}

/* First there is a slot, then a picture to draw into it: one that waits would
 * only grow old. */
bool ph_bench_sender_next(struct ph_bench_sender *r)
{
    struct ph_link_picture p;
    if (!acquire(r, &p)) {
        return false;
    }
    if (p.generation != r->generation) {
        r->generation = p.generation;
        ph_bench_sender_mark_all(r);
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

bool ph_bench_sender_drain(struct ph_bench_sender *r)
{
    lock(r);
    while (r->answered < r->submitted && !r->down) {
        pthread_cond_wait(&r->news, &r->lock);
    }
    bool ok = !r->down;
    pthread_mutex_unlock(&r->lock);
    return ok;
}

static enum ph_link_packing packing_of(const char *text)
{
    return strcmp(text, "always") == 0   ? PH_LINK_PACK_ALWAYS
            : strcmp(text, "never") == 0 ? PH_LINK_PACK_NEVER
                                         : PH_LINK_PACK_AUTO;
}

bool ph_bench_sender_init(struct ph_bench_sender *r,
        const struct ph_bench_options *o, struct ph_bench_feed *feed,
        struct ph_bench_result *result)
{
    /* What ph_pixels_to_nv12 makes, and sRGB. */
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    struct ph_link_options options = {.endpoint = o->endpoint,
            .connect = r->connect,
            .connect_data = r->connect_data,
            .name = "porthole-bench",
            .window = WINDOW,
            .timeout_ms = 20000,
            .packing = packing_of(o->lz4),
            .no_sharing = o->no_sharing,
            .check_every = o->verify ? 1 : 0};
    r->size = o->size;
    r->feed = feed;
    r->result = result;
    pthread_mutex_init(&r->lock, NULL);
    pthread_cond_init(&r->news, NULL);
    r->link = ph_link_create(&options, &events, r);
    if (!ph_link_start(r->link)) {
        ph_bench_fail(result, "cannot start the link");
        return false;
    }
    lock(r);
    while (!r->ready && !r->down) {
        pthread_cond_wait(&r->news, &r->lock);
    }
    bool ok = !r->down;
    pthread_mutex_unlock(&r->lock);
    if (ok) {
        ph_link_set_surface(r->link, o->size.width, o->size.height, &colour);
    }
    return ok;
}

void ph_bench_sender_finish(struct ph_bench_sender *r)
{
    ph_link_destroy(r->link);
    pthread_cond_destroy(&r->news);
    pthread_mutex_destroy(&r->lock);
}
