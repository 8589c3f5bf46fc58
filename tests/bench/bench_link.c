/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From submit to access unit, 1920x1080, one frame after the other, beside the
 * same encoder called in this process: bench_link HOSTD [FRAMES]
 *
 * `link` is what the round trip costs beyond what the host measured (receive,
 * wait, encode).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "hostd/encoder.h"
#include "integration/child.h"
#include "link/link.h"

enum {
    W = 1920,
    H = 1080,
    CELL_W = 10,
    CELL_H = 20,
    MAX_FRAMES = 10000,
    PATIENCE_MS = 10000,
};

enum measure {
    TOTAL,
    RECEIVE,
    WAIT,
    ENCODE,
    LINK,
    MEASURES,
};

struct bench {
    struct ph_nv12 picture;
    struct ph_rect changed;
    struct ph_link *link;
    pthread_mutex_t lock;
    pthread_cond_t news;
    bool ready;
    bool down;
    uint32_t turns; /* unit, room, ready or down */
    uint32_t units;
    uint32_t us[MEASURES][MAX_FRAMES];
};

static const struct ph_hxfr_colour colour = {6, 1, 13, false};

/* --- what is shown: text, in random cells --- */

static uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

static void type_cell(struct bench *b, uint32_t column, uint32_t row)
{
    uint32_t bits = random_below(1u << 24);
    for (uint32_t y = 2; y < CELL_H - 2; y++) {
        uint8_t *at = b->picture.plane[0] + (size_t)(row * CELL_H + y) * W +
                (size_t)column * CELL_W;
        for (uint32_t x = 1; x < CELL_W - 1; x++) {
            at[x] = bits >> ((y / 3 * 4 + x / 2) % 24) & 1 ? 220 : 30;
        }
    }
}

static void type_one(struct bench *b)
{
    uint32_t column = random_below(W / CELL_W);
    uint32_t row = random_below(H / CELL_H);
    type_cell(b, column, row);
    b->changed = (struct ph_rect){(uint16_t)(column * CELL_W),
            (uint16_t)(row * CELL_H), CELL_W, CELL_H};
}

static void scroll(struct bench *b)
{
    size_t lines = (size_t)W * CELL_H;
    memmove(b->picture.plane[0], b->picture.plane[0] + lines, W * H - lines);
    for (uint32_t column = 0; column < W / CELL_W; column++) {
        type_cell(b, column, H / CELL_H - 1);
    }
    b->changed = (struct ph_rect){0, 0, W, H};
}

static const struct scene {
    const char *name;
    void (*step)(struct bench *b);
} scenes[] = {{"typing", type_one}, {"scroll", scroll}};

static void clear(struct bench *b)
{
    ph_pixels_clear_nv12(&b->picture);
    for (uint32_t i = 0; i < H / CELL_H; i++) {
        scroll(b);
    }
}

/* --- numbers --- */

static int by_value(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void report(struct bench *b, const char *way, const char *scene)
{
    static const char *const names[] = {
            "total", "receive", "wait", "encode", "link"};
    printf("%-12s %-7s", way, scene);
    for (int m = 0; m < MEASURES; m++) {
        uint32_t *us = b->us[m];
        qsort(us, b->units, sizeof(*us), by_value);
        printf("  %s %5.2f %5.2f", names[m], us[b->units / 2] / 1000.0,
                us[b->units * 99 / 100] / 1000.0);
    }
    printf("\n");
}

/* --- events --- */

static void tell(struct bench *b)
{
    b->turns++;
    pthread_cond_broadcast(&b->news);
    pthread_mutex_unlock(&b->lock);
}

static void on_ready(void *data, int version, const char *name)
{
    struct bench *b = data;
    pthread_mutex_lock(&b->lock);
    b->ready = true;
    tell(b);
}

static void on_down(void *data, const char *reason)
{
    struct bench *b = data;
    fprintf(stderr, "%s\n", reason);
    pthread_mutex_lock(&b->lock);
    b->down = true;
    tell(b);
}

static void on_unit(void *data, const struct ph_link_unit *u)
{
    struct bench *b = data;
    uint32_t total =
            (uint32_t)((u->received_ns - u->submitted_ns) / PH_NS_PER_US);
    uint32_t host = u->receive_us + u->wait_us + u->encode_us;
    const uint32_t us[MEASURES] = {total, u->receive_us, u->wait_us,
            u->encode_us, total - PH_MIN(host, total)};
    pthread_mutex_lock(&b->lock);
    for (int m = 0; m < MEASURES; m++) {
        b->us[m][b->units] = us[m];
    }
    b->units++;
    tell(b);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    on_down(data, text);
}

static void on_room(void *data)
{
    struct bench *b = data;
    pthread_mutex_lock(&b->lock);
    tell(b);
}

/* --- over the link --- */

static bool acquire(struct bench *b, struct ph_link_picture *p)
{
    for (;;) {
        pthread_mutex_lock(&b->lock);
        uint32_t turns = b->turns;
        bool ok = !b->down;
        pthread_mutex_unlock(&b->lock);
        if (!ok || ph_link_acquire(b->link, p) == PH_LINK_OK) {
            return ok;
        }
        pthread_mutex_lock(&b->lock);
        while (b->turns == turns) {
            pthread_cond_wait(&b->news, &b->lock);
        }
        pthread_mutex_unlock(&b->lock);
    }
}

static bool send_frame(struct bench *b)
{
    struct ph_link_picture p;
    uint32_t sequence = 0;
    if (!acquire(b, &p)) {
        return false;
    }
    struct ph_nv12 slot = {{p.plane[0], p.plane[1]}, {p.stride[0], p.stride[1]},
            p.width, p.height};
    ph_pixels_copy_nv12(&b->picture, &slot, (struct ph_rect){0, 0, W, H});
    pthread_mutex_lock(&b->lock);
    uint32_t units = b->units;
    pthread_mutex_unlock(&b->lock);
    if (ph_link_submit(b->link, &p, ph_clock_ns(), 0, &b->changed, 1,
                &sequence) != PH_LINK_OK) {
        return false;
    }
    pthread_mutex_lock(&b->lock);
    while (b->units == units && !b->down) {
        pthread_cond_wait(&b->news, &b->lock);
    }
    bool ok = b->units > units;
    pthread_mutex_unlock(&b->lock);
    return ok;
}

static bool run_scene(struct bench *b, const struct scene *scene,
        uint32_t frames, const char *way)
{
    for (uint32_t i = 0; i < 10; i++) { /* the keyframe, and to warm up */
        scene->step(b);
        if (!send_frame(b)) {
            return false;
        }
    }
    b->units = 0;
    for (uint32_t i = 0; i < frames; i++) {
        scene->step(b);
        if (!send_frame(b)) {
            return false;
        }
    }
    report(b, way, scene->name);
    b->units = 0;
    return true;
}

static bool run_link(
        struct bench *b, const char *line, uint32_t frames, const char *way)
{
    static const struct ph_link_events events = {
            on_ready, on_down, on_unit, on_failed, on_room};
    struct ph_link_options options = {.name = "bench_link", .window = 1};
    char error[160];
    if (!ph_endpoint_parse(line + strlen("listening "), &options.endpoint,
                error, sizeof(error))) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    b->down = false;
    b->link = ph_link_create(&options, &events, b);
    pthread_mutex_lock(&b->lock);
    bool ok = ph_link_start(b->link);
    while (ok && !b->ready && !b->down) {
        pthread_cond_wait(&b->news, &b->lock);
    }
    pthread_mutex_unlock(&b->lock);
    ph_link_set_surface(b->link, W, H, &colour);
    clear(b);
    for (size_t i = 0; ok && i < PH_LEN(scenes); i++) {
        ok = run_scene(b, &scenes[i], frames, way);
    }
    ph_link_destroy(b->link);
    b->ready = false;
    return ok;
}

static bool run_host(struct bench *b, const char *hostd, const char *endpoint,
        uint32_t frames, const char *way)
{
    struct child child;
    char line[CHILD_LINE];
    const char *const argv[] = {
            hostd, "--encoder", "libx264", "--listen", endpoint, NULL};
    bool ok = child_start(&child, argv) &&
            child_expect(&child, "listening ", line, PATIENCE_MS) &&
            run_link(b, line, frames, way);
    child_stop(&child);
    return ok;
}

/* --- in this process --- */

static bool run_direct(struct bench *b, uint32_t frames)
{
    struct ph_encoder_config config = {.width = W,
            .height = H,
            .bitrate = 8000000,
            .fps = 60,
            .colour = colour};
    char error[160];
    struct ph_encoder *e = ph_encoder_libx264.open(
            &ph_encoder_libx264, &config, error, sizeof(error));
    if (!e) {
        fprintf(stderr, "%s\n", error);
        return false;
    }
    bool ok = true;
    clear(b);
    memset(b->us, 0, sizeof(b->us));
    for (size_t s = 0; s < PH_LEN(scenes); s++) {
        for (uint32_t i = 0; ok && i < frames + 10; i++) {
            struct ph_encoder_input in = {.picture = &b->picture};
            struct ph_encoder_output out;
            scenes[s].step(b);
            int64_t begin = ph_clock_ns();
            ok = e->ops->encode(e, &in, &out) == PH_ENCODER_OK;
            b->units = i < 10 ? 0 : b->units;
            b->us[TOTAL][b->units] = b->us[ENCODE][b->units] =
                    (uint32_t)((ph_clock_ns() - begin) / PH_NS_PER_US);
            b->units++;
        }
        report(b, "in process", scenes[s].name);
    }
    b->units = 0;
    e->ops->close(e);
    return ok;
}

int main(int argc, char **argv)
{
    uint32_t frames = 300;
    if (argc < 2 || argc > 3 ||
            (argc == 3 &&
                    !ph_parse_u32(argv[2], 10, MAX_FRAMES - 20, &frames))) {
        fprintf(stderr, "usage: bench_link HOSTD [FRAMES]\n");
        return 2;
    }
    char folder[] = "/tmp/porthole-bench-XXXXXX";
    if (!mkdtemp(folder)) {
        perror("mkdtemp");
        return 1;
    }
    struct bench *b = ph_xcalloc(1, sizeof(*b));
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->news, NULL);
    uint8_t *data = ph_xcalloc(W * H / 2, 3);
    b->picture = (struct ph_nv12){{data, data + (size_t)W * H}, {W, W}, W, H};
    char *endpoint = ph_xasprintf("unix:%s/socket", folder);
    printf("milliseconds, p50 and p99\n");
    bool ok = run_direct(b, frames) &&
            run_host(b, argv[1], endpoint, frames, "unix+memfd") &&
            run_host(b, argv[1], "tcp:127.0.0.1:0", frames, "tcp");
    unlink(endpoint + strlen("unix:"));
    rmdir(folder);
    free(endpoint);
    free(data);
    free(b);
    return ok ? 0 : 1;
}
