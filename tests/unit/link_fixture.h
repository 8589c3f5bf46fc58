/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A link and a fake host; frames that tell what picture they show. */
#pragma once

#include "link/link.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "common/log.h"
#include "common/macros.h"

#include "check.h"
#include "fake_host.h"

enum {
    WIDTH = 322, /* even, and no multiple of anything else */
    HEIGHT = 178,
    MAX_FRAMES = 512,
    PATIENCE_S = 20,
};

/* What the events said. */
struct seen {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint32_t ready;
    uint32_t down;
    uint32_t units;
    uint32_t failed;
    uint32_t room;
    uint32_t turns; /* room or down: acquire may give something else now */
    uint32_t repeats;
    uint32_t keyframes;
    int version;
    char text[160]; /* of the last down or failed */
    char sums[MAX_FRAMES][9]; /* by sequence */
};

struct fixture {
    struct fake_host host;
    struct ph_link *link;
    struct seen seen;
    uint8_t *picture; /* as it is to be: rows of stride bytes, all planes */
    uint32_t stride;
    uint32_t width;
    uint32_t height;
    uint32_t expected[MAX_FRAMES]; /* sum, by sequence */
    uint32_t last; /* sequence */
    char folder[64];
};

static inline uint32_t random_below(uint32_t limit)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (state >> 8) % limit;
}

/* What these tests provoke is logged only when asked for. */
static inline void quieten(const char *name)
{
    ph_log_init(name);
    if (!getenv("PORTHOLE_LOG")) {
        ph_log_set_level(PH_LOG_ERROR);
    }
}

/* --- events --- */

static inline void count(struct seen *s, uint32_t *field, const char *text)
{
    pthread_mutex_lock(&s->lock);
    ++*field;
    if (text) {
        snprintf(s->text, sizeof(s->text), "%s", text);
    }
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static inline void on_ready(void *data, int version, const char *name)
{
    struct seen *s = data;
    pthread_mutex_lock(&s->lock);
    s->version = version;
    pthread_mutex_unlock(&s->lock);
    count(s, &s->ready, NULL);
}

static inline void on_down(void *data, const char *reason)
{
    struct seen *s = data;
    count(s, &s->turns, NULL);
    count(s, &s->down, reason);
}

static inline void on_unit(void *data, const struct ph_link_unit *u)
{
    struct seen *s = data;
    int64_t took = (u->received_ns - u->submitted_ns) / PH_NS_PER_US;
    CHECK((int64_t)u->receive_us + u->wait_us + u->encode_us <= took);
    pthread_mutex_lock(&s->lock);
    s->repeats += u->repeat;
    s->keyframes += u->keyframe;
    if (u->sequence < MAX_FRAMES && u->size >= 8) {
        memcpy(s->sums[u->sequence], u->data + u->size - 8, 8);
    }
    pthread_mutex_unlock(&s->lock);
    count(s, &s->units, NULL);
}

static inline void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    struct seen *s = data;
    count(s, &s->failed, text);
}

static inline void on_room(void *data)
{
    struct seen *s = data;
    count(s, &s->turns, NULL);
    count(s, &s->room, NULL);
}

static inline uint32_t get(struct seen *s, const uint32_t *field)
{
    pthread_mutex_lock(&s->lock);
    uint32_t value = *field;
    pthread_mutex_unlock(&s->lock);
    return value;
}

/* Waits until a counter of `seen` is at least n. */
static inline bool wait_for(struct seen *s, const uint32_t *field, uint32_t n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    int err = 0;
    pthread_mutex_lock(&s->lock);
    while (*field < n && err == 0) {
        err = pthread_cond_timedwait(&s->changed, &s->lock, &until);
    }
    bool ok = *field >= n;
    pthread_mutex_unlock(&s->lock);
    return ok;
}

/* --- the fixture --- */

static inline void use_endpoint(struct fixture *f, bool tcp)
{
    snprintf(f->folder, sizeof(f->folder), "/tmp/porthole-link-XXXXXX");
    if (!mkdtemp(f->folder)) {
        abort();
    }
    f->host.endpoint.kind = tcp ? PH_ENDPOINT_TCP : PH_ENDPOINT_UNIX;
    snprintf(f->host.endpoint.address, sizeof(f->host.endpoint.address),
            tcp ? "127.0.0.1%.0s" : "%s/socket", f->folder);
}

static inline void start_link(struct fixture *f, uint32_t timeout_ms)
{
    static const struct ph_link_events events = {
            on_ready, on_down, on_unit, on_failed, on_room};
    struct ph_link_options options = {
            .endpoint = f->host.endpoint,
            .name = "test",
            .window = 2,
            .resources = true,
            .timeout_ms = timeout_ms,
    };
    pthread_mutex_init(&f->seen.lock, NULL);
    pthread_cond_init(&f->seen.changed, NULL);
    f->link = ph_link_create(&options, &events, &f->seen);
    CHECK(ph_link_start(f->link));
}

static inline void set_size(struct fixture *f, uint32_t width, uint32_t height)
{
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    f->width = width;
    f->height = height;
    free(f->picture);
    f->picture = ph_xcalloc((size_t)width * height, 4);
    ph_link_set_surface(f->link, width, height, &colour);
}

static inline struct fixture *begin_with(
        enum fake_kind kind, bool tcp, enum fake_trick trick, uint32_t at)
{
    struct fixture *f = ph_xcalloc(1, sizeof(*f));
    f->host.kind = kind;
    f->host.trick = trick;
    f->host.trick_at = at;
    use_endpoint(f, tcp);
    CHECK(fake_host_start(&f->host));
    start_link(f, trick == TRICK_MUTE || trick == TRICK_NO_SLOTS ? 200 : 0);
    set_size(f, WIDTH, HEIGHT);
    return f;
}

static inline struct fixture *begin(enum fake_kind kind, bool tcp)
{
    struct fixture *f = begin_with(kind, tcp, TRICK_NONE, 0);
    CHECK(wait_for(&f->seen, &f->seen.ready, 1));
    return f;
}

static inline void end(struct fixture *f)
{
    ph_link_destroy(f->link);
    if (f->host.listen_fd > 0) {
        fake_host_stop(&f->host);
    }
    unlink(f->host.endpoint.address);
    CHECK_EQ(rmdir(f->folder), 0);
    pthread_cond_destroy(&f->seen.changed);
    pthread_mutex_destroy(&f->seen.lock);
    free(f->picture);
    free(f);
}

/* --- frames --- */

/* Waits for a slot, or for the end of the connection. */
static inline enum ph_link_result acquire(
        struct fixture *f, struct ph_link_picture *p)
{
    for (;;) {
        uint32_t turns = get(&f->seen, &f->seen.turns);
        enum ph_link_result r = ph_link_acquire(f->link, p);
        if (r != PH_LINK_FULL ||
                !CHECK(wait_for(&f->seen, &f->seen.turns, turns + 1))) {
            return r;
        }
    }
}

static inline uint32_t row_bytes(
        const struct fixture *f, const struct ph_link_picture *p)
{
    return p->format == PH_HXFR_NV12 ? f->width : f->width * 4;
}

/* Changes random rectangles of the picture. */
static inline void change(struct fixture *f, const struct ph_link_picture *p,
        struct ph_rect *rects, size_t n)
{
    uint32_t row = row_bytes(f, p);
    uint32_t bytes = row / f->width;
    for (size_t i = 0; i < n; i++) {
        struct ph_rect r = {(uint16_t)(random_below(f->width) & ~1u),
                (uint16_t)(random_below(f->height) & ~1u), 0, 0};
        r.width = (uint16_t)((random_below(f->width - r.x) + 2u) & ~1u);
        r.height = (uint16_t)((random_below(f->height - r.y) + 2u) & ~1u);
        rects[i] = r;
        uint8_t *at = f->picture + (size_t)r.y * row + r.x * bytes;
        for (uint32_t y = 0; y < r.height; y++, at += row) {
            memset(at, (int)random_below(256), r.width * bytes);
        }
        at = f->picture + (size_t)(f->height + r.y / 2) * row + r.x;
        for (uint32_t y = 0; bytes == 1 && y < r.height / 2u; y++, at += row) {
            memset(at, (int)random_below(256), r.width);
        }
    }
}

/* Draws the whole picture into the slot. Returns its sum. */
static inline uint32_t draw(struct fixture *f, const struct ph_link_picture *p)
{
    uint32_t row = row_bytes(f, p);
    uint32_t planes = p->format == PH_HXFR_NV12 ? 2 : 1;
    uint32_t sum = FAKE_SUM_START;
    const uint8_t *from = f->picture;
    for (uint32_t i = 0; i < planes; i++) {
        uint32_t rows = i ? f->height / 2 : f->height;
        sum = fake_sum(sum, from, row, row, rows);
        for (uint32_t y = 0; y < rows; y++, from += row) {
            memcpy(p->plane[i] + (size_t)y * p->stride[i], from, row);
        }
    }
    return sum;
}

static inline enum ph_link_result send_frame(
        struct fixture *f, uint32_t flags, size_t rect_count)
{
    struct ph_link_picture p;
    struct ph_rect rects[8];
    enum ph_link_result r = acquire(f, &p);
    if (r != PH_LINK_OK) {
        return r;
    }
    CHECK_EQ(p.width, f->width);
    CHECK_EQ(p.height, f->height);
    change(f, &p, rects, rect_count);
    uint32_t sum = draw(f, &p);
    uint32_t sequence = 0;
    r = ph_link_submit(f->link, &p, 1000, flags, rects, rect_count, &sequence);
    if (r == PH_LINK_OK) {
        CHECK(sequence > f->last && sequence < MAX_FRAMES);
        f->last = sequence;
        f->expected[sequence] = sum;
    }
    return r;
}

static inline enum ph_link_result send_repeat(struct fixture *f)
{
    uint32_t turns = 0;
    uint32_t sequence = 0;
    enum ph_link_result r;
    do {
        turns = get(&f->seen, &f->seen.turns);
        r = ph_link_repeat(f->link, 2000, 0, &sequence);
    } while (
            r == PH_LINK_FULL && wait_for(&f->seen, &f->seen.turns, turns + 1));
    if (r == PH_LINK_OK) {
        f->expected[sequence] = f->expected[f->last];
        f->last = sequence;
    }
    return r;
}

static inline bool came(struct fixture *f, uint32_t sequence)
{
    pthread_mutex_lock(&f->seen.lock);
    bool yes = f->seen.sums[sequence][0] != 0;
    pthread_mutex_unlock(&f->seen.lock);
    return yes;
}

static inline void check_text(struct fixture *f, const char *part)
{
    pthread_mutex_lock(&f->seen.lock);
    if (!CHECK(strstr(f->seen.text, part) != NULL)) {
        fprintf(stderr, "not '%s' but: %s\n", part, f->seen.text);
    }
    pthread_mutex_unlock(&f->seen.lock);
}

/* Every unit that came shows the picture that was sent. */
static inline void check_sums(struct fixture *f)
{
    for (uint32_t i = 0; i < MAX_FRAMES; i++) {
        char text[9];
        snprintf(text, sizeof(text), "%08x", f->expected[i]);
        pthread_mutex_lock(&f->seen.lock);
        bool came = f->seen.sums[i][0] != 0;
        if (came) {
            CHECK_STR(f->seen.sums[i], text);
        }
        pthread_mutex_unlock(&f->seen.lock);
    }
}
