/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Guest and host of the frame protocol against each other, in one process:
 * src/link on one end of a socket, src/hostd with libx264 on the other, over
 * shared slots (unix) and tiles (TCP).
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"
#include "hostd/server.h"
#include "link/link.h"
#include "proto/h264.h"
#include "video/pixels.h"

#include "check.h"

struct end {
    struct ph_server *server;
    struct ph_endpoint endpoint; /* of the server, for TCP */
    struct ph_link *link;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned ready;
    unsigned down;
    unsigned units;
    unsigned failed;
    unsigned keyframes;
    struct ph_link_unit last; /* without its data */
    struct ph_h264_sps sps;
    int current; /* the guest's socket, to cut */
};

static struct end end;
static struct ph_budget budget = {.limit = 256u << 20};

#define LOCKED(code)                                                           \
    do {                                                                       \
        pthread_mutex_lock(&end.lock);                                         \
        code;                                                                  \
        pthread_cond_broadcast(&end.changed);                                  \
        pthread_mutex_unlock(&end.lock);                                       \
    } while (0)

static void on_ready(void *data, int version, const char *name)
{
    CHECK_EQ(version, 2);
    CHECK(strncmp(name, "porthole-hostd", 14) == 0);
    LOCKED(end.ready++);
}

static void on_down(void *data, const char *reason)
{
    LOCKED(end.down++);
}

static void on_unit(void *data, const struct ph_link_unit *unit)
{
    struct ph_h264_unit facts = {0};
    CHECK(ph_h264_inspect(unit->data, unit->size, &facts));
    CHECK_EQ(facts.idr, unit->keyframe);
    CHECK_EQ(facts.has_sps, unit->keyframe);
    CHECK(unit->received_ns >= unit->submitted_ns);
    pthread_mutex_lock(&end.lock);
    if (facts.has_sps) {
        CHECK(ph_h264_parse_sps(facts.sps.data, facts.sps.size, &end.sps));
    }
    end.units++;
    end.keyframes += unit->keyframe;
    end.last = *unit;
    pthread_cond_broadcast(&end.changed);
    pthread_mutex_unlock(&end.lock);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    fprintf(stderr, "frame %u failed: %s\n", sequence, text);
    LOCKED(end.failed++);
}

static void on_room(void *data)
{
    LOCKED((void)0);
}

static const struct ph_link_events events = {
        on_ready, on_down, on_unit, on_failed, on_room};

static int connect_pair(void *data, int64_t deadline_ns)
{
    int fds[2];
    if (!ph_net_pair(fds)) {
        return -1;
    }
    LOCKED(end.current = dup(fds[0]));
    ph_server_adopt(end.server, fds[1]);
    return fds[0];
}

/* Waits until *counter has reached n. */
static bool wait_for(const unsigned *counter, unsigned n)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 30;
    pthread_mutex_lock(&end.lock);
    int err = 0;
    while (*counter < n && err == 0) {
        err = pthread_cond_timedwait(&end.changed, &end.lock, &until);
    }
    bool ok = *counter >= n;
    pthread_mutex_unlock(&end.lock);
    return CHECK(ok);
}

static struct ph_link_picture acquire(void)
{
    struct ph_link_picture p = {0};
    int64_t deadline = ph_deadline_ms(30000);
    enum ph_link_result r;
    while ((r = ph_link_acquire(end.link, &p)) != PH_LINK_OK &&
            ph_clock_ns() < deadline) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 5000000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_mutex_lock(&end.lock);
        pthread_cond_timedwait(&end.changed, &end.lock, &until);
        pthread_mutex_unlock(&end.lock);
    }
    CHECK_EQ(r, PH_LINK_OK);
    return p;
}

static uint32_t submit(unsigned n, uint32_t flags)
{
    uint32_t sequence = 0;
    struct ph_link_picture p = acquire();
    if (!p.plane[0]) {
        return 0;
    }
    struct ph_nv12 nv12 = {{p.plane[0], p.plane[1]}, {p.stride[0], p.stride[1]},
            p.width, p.height};
    ph_pixels_clear_nv12(&nv12);
    struct ph_rect r = {(uint16_t)(n % 20 * 8), 16, 32, 32};
    for (int y = 0; y < 32; y++) {
        memset(p.plane[0] + (size_t)(r.y + y) * p.stride[0] + r.x, 200, 32);
    }
    struct ph_rect changed = {0, 16, (uint16_t)p.width, 32};
    CHECK_EQ(ph_link_submit(end.link, &p, n * PH_NS_PER_MS, flags, &changed, 1,
                     &sequence),
            PH_LINK_OK);
    return sequence;
}

static void check_conversation(void)
{
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    unsigned n = 0;
    CHECK(wait_for(&end.ready, 1));
    ph_link_set_surface(end.link, 320, 240, &colour);
    while (n < 50) {
        submit(++n, 0);
    }
    wait_for(&end.units, 50);
    CHECK_EQ(end.keyframes, 1);
    CHECK_EQ(end.sps.width, 320);
    CHECK_EQ(end.sps.matrix, 6);
    CHECK_EQ(end.sps.transfer, 13);
    CHECK(end.sps.has_reorder_bound && end.sps.max_reorder_frames == 0);
    CHECK_EQ(end.last.pts, 50 * PH_NS_PER_MS);

    uint32_t sequence = submit(++n, PH_HXFR_FRAME_KEYFRAME);
    wait_for(&end.units, n);
    CHECK_EQ(end.keyframes, 2);
    CHECK_EQ(end.last.sequence, sequence);
    CHECK(!end.last.repeat);

    CHECK_EQ(ph_link_repeat(end.link, 1000 * PH_NS_PER_MS, 0, &sequence),
            PH_LINK_OK);
    wait_for(&end.units, ++n);
    CHECK(end.last.repeat);
    CHECK(end.last.size < 500);
    CHECK_EQ(end.last.sequence, sequence);

    /* Another size: a keyframe of that size. */
    ph_link_set_surface(end.link, 642, 480, &colour);
    submit(++n, 0);
    wait_for(&end.units, n);
    CHECK_EQ(end.keyframes, 3);
    CHECK_EQ(end.sps.width, 642);
    CHECK_EQ(end.sps.height, 480);
    CHECK_EQ(end.failed, 0);
    CHECK_EQ(end.down, 0);
}

static void begin(const struct ph_link_options *options)
{
    struct ph_server_config config = {
            .session = {&ph_encoder_libx264, 8000000, &budget, 10000, 60000},
            .max_guests = 8,
    };
    end = (struct end){
            .endpoint = {PH_ENDPOINT_TCP, "127.0.0.1", 0}, .current = -1};
    pthread_mutex_init(&end.lock, NULL);
    pthread_cond_init(&end.changed, NULL);
    end.server = ph_server_create(&config);
    struct ph_link_options o = *options;
    if (!o.connect) {
        CHECK(ph_server_listen(end.server, &end.endpoint));
        o.endpoint = end.endpoint;
    }
    end.link = ph_link_create(&o, &events, NULL);
}

static void finish(void)
{
    ph_link_destroy(end.link);
    ph_server_destroy(end.server);
    CHECK_EQ(budget.used, 0);
    pthread_cond_destroy(&end.changed);
    pthread_mutex_destroy(&end.lock);
}

static void *run_server(void *arg)
{
    ph_server_run(end.server);
    return NULL;
}

static void test_slots(void)
{
    struct ph_link_options o = {
            .connect = connect_pair, .name = "test", .window = 2};
    begin(&o);
    CHECK(ph_link_start(end.link));
    check_conversation();

    /* The connection breaks: it comes back, with a keyframe. */
    unsigned units = end.units;
    unsigned keyframes = end.keyframes;
    pthread_mutex_lock(&end.lock);
    shutdown(end.current, SHUT_RDWR);
    close(end.current);
    pthread_mutex_unlock(&end.lock);
    wait_for(&end.down, 1);
    wait_for(&end.ready, 2);
    submit(1, 0);
    wait_for(&end.units, units + 1);
    CHECK_EQ(end.keyframes, keyframes + 1);
    close(end.current);
    finish();
}

static void test_tiles(void)
{
    pthread_t thread;
    struct ph_link_options o = {.name = "test", .window = 2};
    begin(&o);
    pthread_create(&thread, NULL, run_server, NULL);
    CHECK(ph_link_start(end.link));
    check_conversation();
    ph_server_stop(end.server);
    pthread_join(thread, NULL);
    finish();
}

/* The same again but for one macroblock, after a pause. */
static void press(unsigned n)
{
    uint32_t sequence;
    int64_t still = end.last.received_ns + 100 * PH_NS_PER_MS;
    struct ph_rect cell = {64, 64, 16, 16};
    struct timespec pause = {0, 1000000};
    while (ph_clock_ns() < still) {
        nanosleep(&pause, NULL);
    }
    struct ph_link_picture p = acquire();
    if (!p.plane[0]) {
        return;
    }
    struct ph_nv12 nv12 = {{p.plane[0], p.plane[1]}, {p.stride[0], p.stride[1]},
            p.width, p.height};
    ph_pixels_clear_nv12(&nv12);
    for (int y = 0; y < cell.height; y++) {
        memset(p.plane[0] + (size_t)(cell.y + y) * p.stride[0] + cell.x, (int)n,
                cell.width);
    }
    CHECK_EQ(ph_link_submit(
                     end.link, &p, n * PH_NS_PER_MS, 0, &cell, 1, &sequence),
            PH_LINK_OK);
}

/* Who asked for it gets a small change as a quick unit, not two in a row. */
static void test_quick(void)
{
    static const struct ph_hxfr_colour colour = {6, 1, 13, false};
    for (int wanted = 0; wanted < 2; wanted++) {
        struct ph_link_options o = {.connect = connect_pair,
                .name = "test",
                .window = 1,
                .quick = wanted};
        uint32_t sequence;
        begin(&o);
        CHECK(ph_link_start(end.link));
        CHECK(wait_for(&end.ready, 1));
        ph_link_set_surface(end.link, 320, 240, &colour);
        press(100);
        wait_for(&end.units, 1);
        CHECK(end.last.keyframe && !end.last.quick);
        press(120);
        wait_for(&end.units, 2);
        CHECK_EQ(end.last.quick, wanted);
        CHECK(!wanted || (end.last.size > 384 && end.last.size < 500));
        press(140);
        wait_for(&end.units, 3);
        CHECK(!end.last.quick);
        press(160);
        wait_for(&end.units, 4);
        CHECK_EQ(end.last.quick, wanted);
        CHECK_EQ(ph_link_repeat(end.link, 170 * PH_NS_PER_MS, 0, &sequence),
                PH_LINK_OK);
        wait_for(&end.units, 5);
        CHECK(end.last.repeat && !end.last.quick);
        close(end.current);
        finish();
    }
}

/* Nobody is there: told once, and it ends at once when asked to. */
static void test_nobody(void)
{
    struct ph_link_options o = {.name = "test",
            .window = 2,
            .endpoint = {PH_ENDPOINT_UNIX, "/nonexistent/porthole", 0}};
    struct ph_link_picture p;
    begin(&o);
    ph_link_destroy(end.link);
    end.link = ph_link_create(&o, &events, NULL);
    CHECK(ph_link_start(end.link));
    wait_for(&end.down, 1);
    CHECK_EQ(ph_link_acquire(end.link, &p), PH_LINK_DOWN);
    finish();
    CHECK_EQ(end.down, 1);
}

int main(void)
{
    test_slots();
    test_tiles();
    test_quick();
    test_nobody();
    return CHECK_DONE();
}
