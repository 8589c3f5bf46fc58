/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A link and a host that share no memory, in one process: what a desktop
 * sends over the wire, counted to the byte, and that the host then holds the
 * same picture, compared after every frame.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "cli/bench_feed.h"
#include "common/cleanup.h"
#include "common/net.h"
#include "hostd/encoder_fake.h"
#include "hostd/server.h"
#include "link/link.h"
#include "video/pack.h"

#define LOG_MODULE "test"
#include "common/log.h"

#include "check.h"

enum {
    W = 960,
    H = 540
};

static struct ph_budget budget = {.limit = 256u << 20};

struct fixture {
    struct ph_server *server;
    struct ph_endpoint endpoint;
    pthread_t thread;
    struct ph_link *link;
    struct ph_bench_feed feed;
    struct ph_region pending[PH_HXFR_MAX_SLOTS];
    struct ph_rect secret; /* where a test drew behind the feed's back */
    uint32_t generation;
    pthread_mutex_t lock;
    pthread_cond_t news;
    uint32_t ready;
    uint32_t units;
    uint32_t lost; /* down or failed */
    uint32_t wrong;
    uint32_t room;
    int fd; /* of the connection, to cut it */
    bool cutting; /* connections may end */
};

static void count(struct fixture *f, uint32_t *what)
{
    pthread_mutex_lock(&f->lock);
    ++*what;
    pthread_cond_broadcast(&f->news);
    pthread_mutex_unlock(&f->lock);
}

static void on_ready(void *data, int version, const char *name)
{
    struct fixture *f = data;
    count(f, &f->ready);
}

static void on_down(void *data, const char *reason)
{
    struct fixture *f = data;
    if (!f->cutting) {
        fprintf(stderr, "down: %s\n", reason);
        count(f, &f->lost);
    }
}

static void on_unit(void *data, const struct ph_link_unit *unit)
{
    struct fixture *f = data;
    count(f, &f->units);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    on_down(data, text);
}

static void on_room(void *data)
{
    struct fixture *f = data;
    count(f, &f->room);
}

static void on_wrong(void *data)
{
    struct fixture *f = data;
    count(f, &f->wrong);
}

static bool wait_for(struct fixture *f, const uint32_t *what, uint32_t n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    int err = 0;
    pthread_mutex_lock(&f->lock);
    while (*what < n && f->lost == 0 && err == 0) {
        err = pthread_cond_timedwait(&f->news, &f->lock, &until);
    }
    bool ok = *what >= n && f->lost == 0;
    pthread_mutex_unlock(&f->lock);
    return CHECK(ok);
}

/* On the link's thread. */
static int connect_noted(void *data, int64_t deadline_ns)
{
    struct fixture *f = data;
    int fd = ph_net_connect(&f->endpoint, deadline_ns);
    pthread_mutex_lock(&f->lock);
    ph_close(&f->fd);
    f->fd = fd < 0 ? -1 : dup(fd);
    pthread_mutex_unlock(&f->lock);
    return fd;
}

static void cut(struct fixture *f)
{
    pthread_mutex_lock(&f->lock);
    shutdown(f->fd, SHUT_RDWR);
    pthread_mutex_unlock(&f->lock);
}

static void *run_server(void *server)
{
    ph_server_run(server);
    return NULL;
}

static void begin(struct fixture *f, const char *content, uint32_t width,
        uint32_t height, uint32_t check_every)
{
    static const struct ph_link_events events = {
            on_ready, on_down, on_unit, on_failed, on_room, on_wrong};
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    struct ph_server_config config = {
            .session = {&ph_fake_encoder, 8000000, &budget, 10000, 60000},
            .max_guests = 8,
    };
    char error[200];
    *f = (struct fixture){
            .endpoint = {PH_ENDPOINT_TCP, "127.0.0.1", 0}, .fd = -1};
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->news, NULL);
    f->server = ph_server_create(&config);
    CHECK(ph_server_listen(f->server, &f->endpoint));
    pthread_create(&f->thread, NULL, run_server, f->server);
    CHECK(ph_bench_feed_init(
            &f->feed, content, width, height, false, error, sizeof(error)));
    struct ph_link_options options = {.connect = connect_noted,
            .connect_data = f,
            .name = "test",
            .window = 3,
            .timeout_ms = 60000,
            .packing = PH_LINK_PACK_ALWAYS,
            .check_every = check_every};
    f->link = ph_link_create(&options, &events, f);
    CHECK(ph_link_start(f->link));
    wait_for(f, &f->ready, 1);
    ph_link_set_surface(f->link, width, height, &colour);
}

static void end(struct fixture *f)
{
    ph_link_destroy(f->link);
    ph_server_stop(f->server);
    pthread_join(f->thread, NULL);
    ph_server_destroy(f->server);
    ph_bench_feed_finish(&f->feed);
    ph_close(&f->fd);
    pthread_cond_destroy(&f->news);
    pthread_mutex_destroy(&f->lock);
    CHECK_EQ(budget.used, 0);
}

static bool acquire(struct fixture *f, struct ph_link_picture *p)
{
    for (;;) {
        pthread_mutex_lock(&f->lock);
        uint32_t room = f->room;
        pthread_mutex_unlock(&f->lock);
        enum ph_link_result r = ph_link_acquire(f->link, p);
        if (r != PH_LINK_FULL) {
            return CHECK_EQ(r, PH_LINK_OK);
        }
        if (!wait_for(f, &f->room, room + 1)) {
            return false;
        }
    }
}

static void draw(struct fixture *f, const struct ph_link_picture *p)
{
    struct ph_nv12 slot = {{p->plane[0], p->plane[1]},
            {p->stride[0], p->stride[1]}, p->width, p->height};
    ph_bench_feed_draw(&f->feed, &f->pending[p->slot], &slot);
    ph_region_clear(&f->pending[p->slot]);
}

/* The next picture; waits for its unit, so that bytes do not depend on how
 * many frames were merged. */
static void send_next(struct fixture *f)
{
    struct ph_link_picture p;
    uint32_t sequence = 0;
    uint32_t units = f->units;
    if (!acquire(f, &p)) {
        return;
    }
    bool first = p.generation != f->generation;
    if (!first) {
        CHECK(ph_bench_feed_next(&f->feed));
    }
    for (size_t i = 0; i < PH_HXFR_MAX_SLOTS; i++) {
        if (first) {
            ph_region_set(
                    &f->pending[i], (uint16_t)p.width, (uint16_t)p.height);
        }
        ph_region_union(&f->pending[i], &f->feed.changed);
        ph_region_add(&f->pending[i], f->secret);
    }
    f->generation = p.generation;
    draw(f, &p);
    struct ph_region changed = f->feed.changed;
    ph_region_add(&changed, f->secret);
    CHECK_EQ(ph_link_submit(f->link, &p, 0, 0, changed.rects, changed.count,
                     &sequence),
            PH_LINK_OK);
    wait_for(f, &f->units, units + 1);
}

static struct ph_link_stats stats_of(struct fixture *f)
{
    struct ph_link_stats s;
    ph_link_get_stats(f->link, &s);
    return s;
}

/* At most this much for a frame; the same whenever it is run. */
static void check_bytes(const char *content, uint64_t most, bool moves)
{
    enum {
        FRAMES = 16
    };
    struct fixture f;
    begin(&f, content, 1920, 1080, FRAMES * 2);
    send_next(&f);
    struct ph_link_stats before = stats_of(&f);
    for (int i = 0; i < FRAMES; i++) {
        send_next(&f);
    }
    struct ph_link_stats after = stats_of(&f);
    uint64_t bytes = (after.bytes_sent - before.bytes_sent) / FRAMES;
    printf("%-7s %llu bytes a frame\n", content, (unsigned long long)bytes);
    CHECK(!after.shared);
    CHECK(bytes < most);
    CHECK_EQ(after.moved > before.moved, moves);
    end(&f);
}

static void check_same(const char *content)
{
    enum {
        FRAMES = 16
    };
    struct fixture f;
    begin(&f, content, W, H, 1);
    for (int i = 0; i < FRAMES; i++) {
        send_next(&f);
    }
    struct ph_link_stats s = stats_of(&f);
    CHECK(s.checks >= FRAMES - 1); /* answered before the next unit */
    CHECK_EQ(s.mismatches, 0);
    CHECK_EQ(f.wrong, 0);
    end(&f);
}

/* A change that nobody was told of: the host cannot know it. It is found out
 * and put right, by a frame or by a repeated one. */
static void test_heals(bool by_repeat)
{
    struct fixture f;
    struct ph_link_picture p;
    struct ph_rect somewhere = {0, 0, 16, 16};
    uint32_t sequence = 0;
    begin(&f, "typing", W, H, 1);
    send_next(&f);
    send_next(&f);
    if (acquire(&f, &p)) {
        draw(&f, &p);
        p.plane[0][(size_t)p.stride[0] * 500 + 700] ^= 0x80;
        ph_link_submit(f.link, &p, 0, 0, &somewhere, 1, &sequence);
    }
    wait_for(&f, &f.wrong, 1);
    wait_for(&f, &f.units, 3);
    uint64_t bytes = stats_of(&f).bytes_sent;
    if (by_repeat) {
        CHECK_EQ(ph_link_repeat(f.link, 0, 0, &sequence), PH_LINK_OK);
        wait_for(&f, &f.units, 4);
    } else {
        send_next(&f);
    }
    CHECK(stats_of(&f).bytes_sent - bytes > 5000); /* all of it */
    f.secret = (struct ph_rect){700, 500, 2, 2}; /* known from now on */
    for (int i = 0; i < 10; i++) {
        send_next(&f);
    }
    CHECK_EQ(stats_of(&f).mismatches, 1);
    CHECK_EQ(f.wrong, 1);
    end(&f);
}

/* Sizes change while a comparison is on its way. */
static void test_sizes(void)
{
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    struct fixture f;
    begin(&f, "scroll", W, H, 1);
    for (int i = 0; i < 12; i++) {
        send_next(&f);
        ph_link_set_surface(f.link, W, H, &colour);
    }
    send_next(&f);
    CHECK_EQ(stats_of(&f).mismatches, 0);
    end(&f);
}

/* The connection ends while a picture is on its way, mostly in the middle of
 * its message: what comes over the next one is right from its first frame. */
static void test_cuts(void)
{
    struct fixture f;
    begin(&f, "video", 1920, 1080, 1);
    for (uint32_t i = 1; i <= 4; i++) { /* each waits longer */
        struct ph_link_picture p;
        struct ph_rect all = {0, 0, 1920, 1080};
        uint32_t sequence = 0;
        send_next(&f);
        f.cutting = true;
        if (acquire(&f, &p)) {
            CHECK(ph_bench_feed_next(&f.feed));
            draw(&f, &p);
            ph_link_submit(f.link, &p, 0, 0, &all, 1, &sequence);
        }
        cut(&f);
        wait_for(&f, &f.ready, i + 1);
        f.cutting = false;
        send_next(&f);
        send_next(&f);
    }
    CHECK_EQ(stats_of(&f).mismatches, 0);
    CHECK_EQ(f.wrong, 0);
    end(&f);
}

int main(void)
{
    ph_log_init("test");
    ph_log_set_level(PH_LOG_ERROR);
    if (ph_pack_supported()) {
        check_bytes("typing", 3000, false);
        check_bytes("scroll", 60000, true);
        check_bytes("drag", 200000, true);
    }
    check_same("typing");
    check_same("scroll");
    check_same("drag");
    check_same("video");
    test_heals(false);
    test_heals(true);
    test_sizes();
    test_cuts();
    return CHECK_DONE();
}
