/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The guest of the VM tests: a desktop of random rectangles, sent to a host
 * whose encoder answers with the sum of the picture that it holds. Every
 * answer must be the sum of the picture that was sent. Ends with one line:
 *
 *   frames 300, bad 0, lost 2, ready 2, shared 1, bytes 480000, 51.3 fps
 *
 * (bytes: sent on the stream.)
 *
 * Exits with 1 when a sum is wrong, or when the frames did not get through in
 * --patience seconds without progress.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/macros.h"
#include "common/opt.h"
#include "link/link.h"

#include "sum.h"

enum {
    SUMS = 256, /* more than can be in flight */
    DIGITS = 16,
};

struct options {
    const char *endpoint;
    uint32_t frames;
    uint32_t patience;
    bool whole;
    bool any_answer;
    bool tiles;
    struct ph_size size;
};

struct guest {
    struct options options;
    struct ph_link *link;
    uint8_t *pixels;
    struct ph_nv12 picture;
    uint32_t generation;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t turns;
    uint32_t in_flight;
    uint32_t answered;
    uint32_t bad;
    uint32_t lost;
    uint32_t ready;
    uint64_t sums[SUMS]; /* by sequence */
};

static uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

/* --- events --- */

static void turn(struct guest *g)
{
    g->turns++;
    pthread_cond_broadcast(&g->changed);
    pthread_mutex_unlock(&g->lock);
}

static void on_ready(void *data, int version, const char *name)
{
    struct guest *g = data;
    fprintf(stderr, "ready: %s, version %d\n", name, version);
    pthread_mutex_lock(&g->lock);
    g->ready++;
    turn(g);
}

static void on_down(void *data, const char *reason)
{
    struct guest *g = data;
    fprintf(stderr, "down: %s\n", reason);
    pthread_mutex_lock(&g->lock);
    g->lost += g->in_flight;
    g->in_flight = 0;
    turn(g);
}

/* The digits stand before the full stop at the end. */
static bool is_sum(const struct ph_link_unit *u, uint64_t sum)
{
    char text[DIGITS + 2];
    snprintf(text, sizeof(text), "%016" PRIx64 ".", sum);
    return u->size > DIGITS &&
            !memcmp(u->data + u->size - DIGITS - 1, text, DIGITS + 1);
}

static void on_unit(void *data, const struct ph_link_unit *u)
{
    struct guest *g = data;
    pthread_mutex_lock(&g->lock);
    g->answered++;
    g->in_flight--;
    if (!g->options.any_answer && !is_sum(u, g->sums[u->sequence % SUMS])) {
        g->bad++;
        fprintf(stderr, "frame %u: the host has another picture\n",
                u->sequence);
    }
    turn(g);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    struct guest *g = data;
    fprintf(stderr, "frame %u failed: %d %s\n", sequence, code, text);
    pthread_mutex_lock(&g->lock);
    g->lost++;
    g->in_flight--;
    turn(g);
}

static void on_room(void *data)
{
    struct guest *g = data;
    pthread_mutex_lock(&g->lock);
    turn(g);
}

static const struct ph_link_events events = {
        on_ready, on_down, on_unit, on_failed, on_room};

/* --- pictures --- */

/* With noise, or with rows of one colour. */
static void fill(struct guest *g, struct ph_rect r, uint8_t value)
{
    for (uint32_t plane = 0; plane < 2; plane++) {
        uint8_t *at = g->picture.plane[plane] +
                (size_t)(r.y >> plane) * g->picture.stride[plane] + r.x;
        for (uint32_t y = 0; y < (uint32_t)(r.height >> plane); y++) {
            memset(at, value + (int)y, r.width);
            for (uint32_t x = 0; value % 2 && x < r.width; x++) {
                at[x] = (uint8_t)random_below(256);
            }
            at += g->picture.stride[plane];
        }
    }
}

static struct ph_rect change(struct guest *g)
{
    uint32_t w = g->picture.width;
    uint32_t h = g->picture.height;
    struct ph_rect r = {(uint16_t)(random_below(w) & ~1u),
            (uint16_t)(random_below(h) & ~1u), 0, 0};
    r.width = (uint16_t)((random_below(w - r.x) + 2u) & ~1u);
    r.height = (uint16_t)((random_below(h - r.y) + 2u) & ~1u);
    fill(g, r, (uint8_t)random_below(256));
    return r;
}

static void draw(const struct guest *g, const struct ph_link_picture *p)
{
    for (uint32_t plane = 0; plane < 2; plane++) {
        const uint8_t *from = g->picture.plane[plane];
        for (uint32_t y = 0; y < p->height >> plane; y++) {
            memcpy(p->plane[plane] + (size_t)y * p->stride[plane], from,
                    p->width);
            from += g->picture.stride[plane];
        }
    }
}

/* --- frames --- */

/* Until something happened after `turns`. False: nothing did. */
static bool wait_turn(struct guest *g, uint32_t turns)
{
    struct timespec until;
    int err = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += g->options.patience;
    pthread_mutex_lock(&g->lock);
    while (g->turns == turns && err == 0) {
        err = pthread_cond_timedwait(&g->changed, &g->lock, &until);
    }
    pthread_mutex_unlock(&g->lock);
    return err == 0;
}

static uint32_t turns_of(struct guest *g)
{
    pthread_mutex_lock(&g->lock);
    uint32_t turns = g->turns;
    pthread_mutex_unlock(&g->lock);
    return turns;
}

static bool acquire(struct guest *g, struct ph_link_picture *p)
{
    for (;;) {
        uint32_t turns = turns_of(g);
        if (ph_link_acquire(g->link, p) == PH_LINK_OK) {
            if (p->format == PH_HXFR_NV12) {
                return true;
            }
            /* Taken for one of version 1, the machine being so slow: the link
             * will find out. */
            ph_link_release(g->link, p);
        }
        if (!wait_turn(g, turns)) {
            return false;
        }
    }
}

static bool send(struct guest *g)
{
    struct ph_link_picture p;
    if (!acquire(g, &p)) {
        return false;
    }
    struct ph_rect changed = {0, 0, (uint16_t)p.width, (uint16_t)p.height};
    if (!g->options.whole) {
        changed = change(g);
    }
    draw(g, &p);
    uint64_t sum = g->options.any_answer ? 0 : sum_picture(&g->picture);
    uint32_t sequence = 0;
    /* Its answer must not come before its sum is noted. */
    pthread_mutex_lock(&g->lock);
    if (ph_link_submit(g->link, &p, ph_clock_ns(), 0, &changed, 1, &sequence) ==
            PH_LINK_OK) {
        g->sums[sequence % SUMS] = sum;
        g->in_flight++;
    }
    pthread_mutex_unlock(&g->lock);
    return true;
}

static bool run(struct guest *g)
{
    for (;;) {
        uint32_t turns = turns_of(g);
        pthread_mutex_lock(&g->lock);
        uint32_t wanted = g->answered + g->in_flight;
        bool done = g->answered >= g->options.frames;
        pthread_mutex_unlock(&g->lock);
        if (done) {
            return true;
        }
        bool ok = wanted < g->options.frames ? send(g) : wait_turn(g, turns);
        if (!ok) {
            fprintf(stderr, "nothing happens any more\n");
            return false;
        }
    }
}

static bool serve(struct guest *g, const struct ph_endpoint *ep)
{
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    struct ph_size size = g->options.size;
    struct ph_link_options options = {.endpoint = *ep,
            .name = "vm-guest",
            .window = 3,
            .no_sharing = g->options.tiles,
            .timeout_ms = g->options.patience * 1000};
    struct ph_link_stats stats;
    g->pixels = ph_xcalloc((size_t)size.width * size.height, 2);
    g->picture = (struct ph_nv12){
            {g->pixels, g->pixels + (size_t)size.width * size.height},
            {size.width, size.width}, size.width, size.height};
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->changed, NULL);
    g->link = ph_link_create(&options, &events, g);
    if (!ph_link_start(g->link)) {
        return false;
    }
    ph_link_set_surface(g->link, size.width, size.height, &colour);
    int64_t begin = ph_clock_ns();
    bool ok = run(g);
    double seconds = (double)(ph_clock_ns() - begin) / (double)PH_NS_PER_S;
    ph_link_get_stats(g->link, &stats);
    ph_link_destroy(g->link);
    printf("frames %u, bad %u, lost %u, ready %u, shared %d, bytes %llu, "
           "%.1f fps\n",
            g->answered, g->bad, g->lost, g->ready, stats.shared,
            (unsigned long long)stats.bytes_sent, g->answered / seconds);
    free(g->pixels);
    return ok && g->bad == 0;
}

#define AT(member) offsetof(struct options, member)

static const struct ph_opt rows[] = {
        {'n', "frames", "N", PH_OPT_U32, AT(frames), 1, 1000000, NULL,
                "how many answers to wait for (100)"},
        {'p', "patience", "SECONDS", PH_OPT_U32, AT(patience), 1, 3600, NULL,
                "how long nothing may happen (60)"},
        {'s', "size", "WxH", PH_OPT_SIZE, AT(size), 0, PH_HXFR_MAX_SIDE, NULL,
                "both even (322x178)"},
        {'w', "whole", NULL, PH_OPT_FLAG, AT(whole), 0, 0, NULL,
                "send the same picture as if all of it had changed"},
        {'t', "tiles", NULL, PH_OPT_FLAG, AT(tiles), 0, 0, NULL,
                "send pixels on the stream also where memory is shared"},
        {'a', "any-answer", NULL, PH_OPT_FLAG, AT(any_answer), 0, 0, NULL,
                "for the encoder 'none': check nothing"},
};

static const struct ph_opt_usage usage = {
        .name = "vm-guest",
        .operands = "ENDPOINT",
        .summary = "A guest for tests.",
        .opts = rows,
        .count = PH_LEN(rows),
};

int main(int argc, char **argv)
{
    struct guest g = {
            .options = {.frames = 100, .patience = 60, .size = {322, 178}}};
    struct ph_endpoint ep;
    char error[320];
    int operands = 0;
    ph_log_init("vm-guest");
    int code = ph_opt_main(&usage, argc, argv, &g.options, &operands);
    if (code >= 0) {
        return code;
    }
    if (operands != 1 ||
            !ph_endpoint_parse(argv[0], &ep, error, sizeof(error))) {
        fprintf(stderr, "vm-guest: %s\n", operands == 1 ? error : "ENDPOINT?");
        return 2;
    }
    return serve(&g, &ep) ? 0 : 1;
}
