/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Guests of porthole-hostd that want too much, stand still or send garbage. */
#include "hostd/session.h"

#include <poll.h>

#define LOG_MODULE "test"
#include "common/log.h"
#include "common/macros.h"
#include "hostd/encoder_fake.h"

#include "golden.h"
#include "peer.h"

static struct ph_budget budget = {.limit = 256 << 20};
static struct ph_session_config config = {
        .encoder = &ph_fake_encoder,
        .bitrate = 8000000,
        .budget = &budget,
        .progress_ms = PEER_WAIT_MS,
        .idle_ms = PEER_WAIT_MS,
};

static struct peer begin(void)
{
    return peer_begin(&config);
}

static void finish(struct peer *p)
{
    peer_finish(p);
    CHECK_EQ(budget.used, 0);
}

static const struct ph_rect whole = {0, 0, 64, 48};

static void test_memory(void)
{
    struct ph_budget small = {.limit = 9 << 20};
    struct ph_session_config tight = config;
    tight.budget = &small;
    struct peer p = peer_begin(&tight);
    peer_picture(&p, PH_HXFR_BGRA, 1920, 1080, 1, 0); /* 8.3 MB + 3.1 MB */
    peer_expect_error(&p, PH_HXFR_ERR_BUSY);
    peer_picture(&p, PH_HXFR_BGRA, 2600, 1080, 2, 0); /* 11 MB of pixels */
    peer_expect_error(&p, PH_HXFR_ERR_BUSY);
    peer_finish(&p);
    CHECK_EQ(small.used, 0);

    p = peer_begin(&tight);
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES, 2));
    struct ph_hxfr_surface s = peer_surface(&p, 1, PH_HXFR_NV12, 4096, 2048);
    peer_expect_failure(&p, 1, PH_HXFR_ERR_BUSY);
    peer_frame(&p, PH_HXFR_TILES, &s, 2, &whole, 1, 0, 0);
    peer_expect_failure(&p, 2, PH_HXFR_ERR_NOT_CONFIGURED);
    peer_finish(&p);

    p = peer_begin(&tight); /* others go on */
    peer_picture(&p, PH_HXFR_NV12, 320, 240, 3, 0);
    peer_expect_picture(&p, 3, true);
    peer_finish(&p);
    CHECK_EQ(small.used, 0);
}

/* 200 headers that claim the most cost next to nothing: the others go on. */
static void test_claims(void)
{
    static struct peer p[200];
    struct ph_budget small = {.limit = 64 << 20};
    struct ph_session_config tight = config;
    tight.budget = &small;
    for (size_t i = 0; i < PH_LEN(p); i++) {
        uint8_t fixed[PH_HXFR_FRAME_REQUEST_SIZE];
        struct ph_writer w = ph_writer(fixed, sizeof(fixed));
        p[i] = peer_begin(&tight);
        uint8_t buf[PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_REQUEST_SIZE];
        w = ph_writer(buf, sizeof(buf));
        struct ph_hxfr_frame_request q = {.width = 8192,
                .height = 8192,
                .format = PH_HXFR_BGRA,
                .stride = 32768,
                .has_pixels = true};
        CHECK(ph_hxfr_layout(q.format, 8192, 8192, 32768, &q.layout));
        ph_hxfr_write_frame_request(&w, 1, &q);
        peer_send(&p[i], &w);
        peer_write(&p[i], "abc", 3);
    }
    struct peer good = peer_begin(&tight);
    peer_picture(&good, PH_HXFR_NV12, 1920, 1080, 1, 0);
    peer_expect_picture(&good, 1, true);
    for (size_t i = 0; i < PH_LEN(p); i++) {
        peer_finish(&p[i]);
    }
    peer_finish(&good);
    CHECK_EQ(small.used, 0);
}

static void check_garbage(const void *data, size_t len, bool told)
{
    struct peer p = begin();
    peer_write(&p, data, len);
    if (told) {
        peer_expect_error(&p, PH_HXFR_ERR_INVALID);
        peer_expect_end(&p);
    }
    finish(&p);
}

static void test_garbage(void)
{
    static const char http[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    static const uint8_t four_gib[] = {
            'H', 'X', 'F', 'R', 1, 1, 1, 0, 255, 255, 255, 255};
    struct golden g = golden_read("hxfr-frame-request");
    check_garbage(http, sizeof(http) - 1, true);
    check_garbage(four_gib, sizeof(four_gib), true);
    check_garbage("", 0, false);
    for (size_t len = 1; len < g.len; len += 7) {
        check_garbage(g.data, len, false); /* broken off */
    }
    /* Random bytes behind a right magic, from a fixed seed. */
    uint32_t seed = 1;
    for (int i = 0; i < 300; i++) {
        uint8_t noise[256];
        for (size_t b = 0; b < sizeof(noise); b++) {
            seed = seed * 1664525 + 1013904223;
            noise[b] = (uint8_t)(seed >> 24);
        }
        memcpy(noise, "HXFR", 4);
        noise[4] = (uint8_t)(i % 160);
        noise[10] = noise[11] = 0;
        check_garbage(noise, sizeof(noise), false);
    }
}

/* After a silence the encoder was given back: its count begins anew, with a
 * keyframe. How long that takes is up to the machine. */
static bool comes_back_fresh(struct peer *p)
{
    for (int64_t pts = 2; pts < 500; pts++) {
        struct ph_hxfr_frame_response resp = {0};
        poll(NULL, 0, 40);
        peer_picture(p, PH_HXFR_BGRA, 8, 8, pts, 0);
        if (!peer_expect(p, PH_HXFR_FRAME_RESPONSE) ||
                !CHECK(ph_hxfr_parse_frame_response(p->payload, &resp))) {
            return false;
        }
        bool fresh = peer_seen(p, PH_HXFR_FRAME_RESPONSE_SIZE + 4).count == 1;
        CHECK_EQ(resp.keyframe, fresh);
        if (fresh) {
            return true;
        }
    }
    return false;
}

/* A message that stands still ends its connection; silence between messages
 * does not. */
static void test_stalled(void)
{
    struct ph_session_config impatient = config;
    impatient.progress_ms = 50;
    impatient.idle_ms = 20;
    struct peer half = peer_begin(&impatient);
    struct peer quiet = peer_begin(&impatient);
    peer_picture(&quiet, PH_HXFR_BGRA, 8, 8, 1, 0);
    peer_expect_picture(&quiet, 1, true);
    peer_write(&half, "HXFR\1", 5);
    peer_expect_end(&half); /* by then `quiet` was silent for longer */
    struct peer pixels = peer_begin(&impatient);
    peer_header(&pixels, PH_HXFR_FRAME_REQUEST, 5000000);
    peer_write(&pixels, "abc", 3);
    peer_expect_end(&pixels);
    CHECK(comes_back_fresh(&quiet));
    peer_finish(&half);
    peer_finish(&quiet);
    finish(&pixels);
}

/* What a version 1 guest is not known to come back for is given back. */
static void test_idle_memory(void)
{
    struct ph_session_config impatient = config;
    impatient.idle_ms = 20;
    struct peer p = peer_begin(&impatient);
    peer_picture(&p, PH_HXFR_NV12, 640, 480, 1, 0);
    peer_expect_picture(&p, 1, true);
    int64_t deadline = ph_deadline_ms(PEER_WAIT_MS);
    while (budget.used > 0 && ph_clock_ns() < deadline) {
        poll(NULL, 0, 5);
    }
    CHECK_EQ(budget.used, 0);
    peer_picture(&p, PH_HXFR_NV12, 640, 480, 2, 0);
    peer_expect_picture(&p, 2, true);
    finish(&p);
}

/* A guest that never reads is cut off, and its memory is bounded. */
static void test_never_reads(void)
{
    struct ph_session_config impatient = config;
    impatient.progress_ms = 100;
    struct peer p = peer_begin(&impatient);
    struct golden ping = golden_read("hxfr-ping");
    struct iovec iov = {0};
    bool open = true;
    for (int i = 0; i < 1000000 && open; i++) {
        iov = (struct iovec){ping.data, ping.len};
        open = ph_net_write_full(
                p.fd, &iov, 1, -1, ph_deadline_ms(PEER_WAIT_MS), 0);
    }
    CHECK(!open);
    CHECK(errno == EPIPE || errno == ECONNRESET);
    finish(&p);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    test_memory();
    test_claims();
    test_garbage();
    test_stalled();
    test_idle_memory();
    test_never_reads();
    return CHECK_DONE();
}
