/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How near the pictures that come back are to those that were sent: sends the
 * frames of `porthole bench` one by one, decodes each access unit, compares.
 *
 *   bench_quality ENDPOINT CONTENT [FRAMES]
 *
 * Prints a JSON line: PSNR of luma in dB, mean and least over the frames.
 */
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bench_feed.h"
#include "common/alloc.h"
#include "common/macros.h"
#include "common/parse.h"
#include "integration/decode.h"
#include "link/link.h"

enum {
    W = 1920,
    H = 1080,
    EDGE_DB = 99, /* for a picture without any error */
};

struct quality {
    struct ph_link *link;
    struct ph_bench_feed feed;
    struct ph_region pending[PH_HXFR_MAX_SLOTS];
    struct ph_nv12 sent;
    struct decoder *decoder;
    pthread_mutex_t lock;
    pthread_cond_t news;
    uint32_t turns;
    bool answered; /* and decoded */
    bool lost;
};

static void tell(struct quality *q, bool *what)
{
    pthread_mutex_lock(&q->lock);
    if (what) {
        *what = true;
    }
    q->turns++;
    pthread_cond_broadcast(&q->news);
    pthread_mutex_unlock(&q->lock);
}

static void on_ready(void *data, int version, const char *name)
{
    tell(data, NULL);
}

static void on_down(void *data, const char *reason)
{
    struct quality *q = data;
    fprintf(stderr, "%s\n", reason);
    tell(q, &q->lost);
}

static void on_unit(void *data, const struct ph_link_unit *u)
{
    struct quality *q = data;
    bool ok = decoder_push(q->decoder, u->data, u->size);
    tell(q, ok ? &q->answered : &q->lost);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    on_down(data, text);
}

static void on_room(void *data)
{
    tell(data, NULL);
}

static double luma_psnr(const struct quality *q)
{
    double sum = 0;
    for (uint32_t y = 0; y < H; y++) {
        const uint8_t *row = q->sent.plane[0] + (size_t)y * q->sent.stride[0];
        for (uint32_t x = 0; x < W; x++) {
            uint8_t got[3] = {0};
            decoder_pixel(q->decoder, x, y, got);
            double error = (double)got[0] - row[x];
            sum += error * error;
        }
    }
    double mean = sum / (W * H);
    return mean > 0 ? 10 * log10(255 * 255 / mean) : EDGE_DB;
}

/* Waits until `done` is set, or, when it is NULL, for anything. */
static bool wait_for(struct quality *q, uint32_t turns, const bool *done)
{
    pthread_mutex_lock(&q->lock);
    while (!q->lost && (done ? !*done : q->turns == turns)) {
        pthread_cond_wait(&q->news, &q->lock);
    }
    bool ok = !q->lost;
    pthread_mutex_unlock(&q->lock);
    return ok;
}

static bool acquire(struct quality *q, struct ph_link_picture *p)
{
    for (;;) {
        pthread_mutex_lock(&q->lock);
        uint32_t turns = q->turns;
        pthread_mutex_unlock(&q->lock);
        if (ph_link_acquire(q->link, p) == PH_LINK_OK) {
            return true;
        }
        if (!wait_for(q, turns, NULL)) {
            return false;
        }
    }
}

static bool exchange(struct quality *q, bool first)
{
    struct ph_link_picture p;
    uint32_t sequence = 0;
    if (!acquire(q, &p) || (!first && !ph_bench_feed_next(&q->feed))) {
        return false;
    }
    struct ph_region changed = q->feed.changed;
    if (first) {
        ph_region_set(&changed, W, H);
    }
    for (size_t i = 0; i < PH_LEN(q->pending); i++) {
        ph_region_union(&q->pending[i], &changed);
    }
    q->sent = (struct ph_nv12){
            {p.plane[0], p.plane[1]}, {p.stride[0], p.stride[1]}, W, H};
    ph_bench_feed_draw(&q->feed, &q->pending[p.slot], &q->sent);
    ph_region_clear(&q->pending[p.slot]);
    q->answered = false;
    return ph_link_submit(q->link, &p, 0, 0, changed.rects, changed.count,
                   &sequence) == PH_LINK_OK &&
            wait_for(q, 0, &q->answered);
}

static bool measure(struct quality *q, const char *content, uint32_t frames)
{
    double sum = 0;
    double least = EDGE_DB;
    for (uint32_t i = 0; i < frames; i++) {
        if (!exchange(q, i == 0)) {
            return false;
        }
        double db = luma_psnr(q);
        sum += db;
        least = PH_MIN(least, db);
    }
    printf("{\"content\":\"%s\",\"frames\":%u,\"mean_db\":%.2f,"
           "\"least_db\":%.2f}\n",
            content, frames, sum / frames, least);
    return true;
}

int main(int argc, char **argv)
{
    static const struct ph_link_events events = {
            on_ready, on_down, on_unit, on_failed, on_room, NULL};
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    struct ph_link_options options = {.name = "bench_quality", .window = 1};
    uint32_t frames = 120;
    char error[200] = "usage: bench_quality ENDPOINT CONTENT [FRAMES]";
    struct quality *q = ph_xcalloc(1, sizeof(*q));
    if (argc < 3 || argc > 4 ||
            (argc == 4 && !ph_parse_u32(argv[3], 1, 100000, &frames)) ||
            !ph_endpoint_parse(
                    argv[1], &options.endpoint, error, sizeof(error)) ||
            !ph_bench_feed_init(
                    &q->feed, argv[2], W, H, false, error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        free(q);
        return 2;
    }
    pthread_mutex_init(&q->lock, NULL);
    pthread_cond_init(&q->news, NULL);
    q->decoder = decoder_create();
    q->link = ph_link_create(&options, &events, q);
    bool ok = ph_link_start(q->link) && wait_for(q, 0, NULL);
    ph_link_set_surface(q->link, W, H, &colour);
    ok = ok && measure(q, argv[2], frames);
    ph_link_destroy(q->link);
    decoder_destroy(q->decoder);
    ph_bench_feed_finish(&q->feed);
    free(q);
    return ok ? 0 : 1;
}
