/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One guest of porthole-hostd, message by message, with a fake encoder. */
#include "hostd/session.h"

#include <sys/mman.h>

#define LOG_MODULE "test"
#include "common/log.h"
#include "common/macros.h"
#include "hostd/encoder_fake.h"
#include "proto/h264.h"

#include "golden.h"
#include "video/pack.h"

#include "peer.h"

static struct ph_budget budget = {.limit = 256 << 20};
static struct ph_session_config config = {
        .encoder = &ph_fake_encoder,
        .bitrate = 8000000,
        .budget = &budget,
        .progress_ms = PEER_WAIT_MS,
        .idle_ms = PEER_WAIT_MS,
};

static const uint32_t all_capabilities = 0x7ff;

static struct peer begin(void)
{
    return peer_begin(&config);
}

static void finish(struct peer *p)
{
    peer_finish(p);
    CHECK_EQ(budget.used, 0);
}

static void send_golden(struct peer *p, const char *name)
{
    struct golden g = golden_read(name);
    CHECK(peer_write(p, g.data, g.len));
}

static void expect_golden(struct peer *p, const char *name)
{
    struct golden g = golden_read(name);
    if (peer_expect(p, g.data[4])) {
        CHECK_EQ(p->header.session, ph_load_u16(g.data + 6));
        CHECK_EQ(p->header.payload, g.len - PH_HXFR_HEADER_SIZE);
        CHECK_MEM(p->payload, g.data + PH_HXFR_HEADER_SIZE,
                g.len - PH_HXFR_HEADER_SIZE);
    }
}

/* --- version 1 --- */

static void test_v1_conversation(void)
{
    struct peer p = begin();
    send_golden(&p, "hxfr-frame-request");
    struct ph_fake_picture pic = peer_expect_picture(&p, 1000000000, true);
    CHECK(pic.width == 2 && pic.height == 4 && pic.count == 1);
    CHECK_EQ(pic.changed, UINT32_MAX);

    send_golden(&p, "hxfr-frame-request-resource");
    peer_expect_error(&p, PH_HXFR_ERR_NO_RESOURCE);
    CHECK_EQ(p.header.payload, PH_HXFR_ERROR_SIZE);
    CHECK_EQ(p.header.session, 1);

    send_golden(&p, "hxfr-ping");
    expect_golden(&p, "hxfr-pong");
    send_golden(&p, "hxfr-config-req");
    expect_golden(&p, "hxfr-config-resp");
    peer_picture(&p, PH_HXFR_BGRA, 2, 3, 5, 0);
    pic = peer_expect_picture(&p, 5, false);
    CHECK_EQ(pic.bitrate, 4000000);
    CHECK_EQ(pic.count, 2);

    /* Not answered; what follows it is. */
    send_golden(&p, "hxfr-keyframe-req");
    peer_header(&p, 0x55, 3);
    peer_write(&p, "abc", 3);
    peer_header(&p, PH_HXFR_TILES, 3); /* unknown, without a HELLO */
    peer_write(&p, "abc", 3);
    peer_picture(&p, PH_HXFR_BGRA, 2, 3, 6, 0);
    peer_expect_picture(&p, 6, true);

    uint8_t seven[4] = {7, 0, 0, 0};
    uint8_t subscribe[PH_HXFR_HEADER_SIZE + 4];
    struct ph_writer w = ph_writer(subscribe, sizeof(subscribe));
    ph_hxfr_write_header(
            &w, &(struct ph_hxfr_header){PH_HXFR_SUBSCRIBE, 0, 7, 4});
    ph_write_bytes(&w, seven, 4);
    peer_send(&p, &w);
    expect_golden(&p, "hxfr-subscribe-resp");
    peer_header(&p, PH_HXFR_ENABLE_SCANOUT, 16);
    peer_write(&p, "\7\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    expect_golden(&p, "hxfr-scanout-resp");
    finish(&p);
}

/* An encoder that cannot change its rate is opened again for it, but not
 * while it is young. */
static void test_stiff_encoder(void)
{
    for (int young = 0; young < 2; young++) {
        struct ph_session_config stiff = config;
        stiff.encoder = &ph_fake_stiff;
        stiff.reopen_ms = young ? PEER_WAIT_MS : 0;
        struct peer p = peer_begin(&stiff);
        peer_picture(&p, PH_HXFR_BGRA, 2, 3, 1, 0);
        peer_expect_picture(&p, 1, true);
        uint8_t buf[64];
        struct ph_writer w = ph_writer(buf, sizeof(buf));
        struct ph_hxfr_config q = {.bitrate = 4000000};
        ph_hxfr_write_config(&w, 1, &q);
        peer_send(&p, &w);
        expect_golden(&p, "hxfr-config-resp");
        peer_picture(&p, PH_HXFR_BGRA, 2, 3, 2, 0);
        struct ph_fake_picture pic = peer_expect_picture(&p, 2, !young);
        CHECK_EQ(pic.bitrate, young ? 8000000 : 4000000);
        CHECK_EQ(pic.count, young ? 2 : 1);
        finish(&p);
    }
}

static void test_v1_formats(void)
{
    static const struct {
        uint32_t format;
        uint32_t width;
        uint32_t height;
    } cases[] = {{PH_HXFR_NV12, 1366, 768}, {PH_HXFR_NV12, 33, 17},
            {PH_HXFR_BGRA, 33, 17}, {PH_HXFR_RGBA, 1, 1},
            {PH_HXFR_RGBA, 640, 2}, {PH_HXFR_NV12, 2, 2}};
    struct peer p = begin();
    for (size_t i = 0; i < PH_LEN(cases); i++) {
        uint32_t width = cases[i].width;
        uint32_t height = cases[i].height;
        /* Another size or format: a new encoder, a keyframe. */
        peer_picture(&p, cases[i].format, width, height, (int64_t)i, 255);
        struct ph_fake_picture pic = peer_expect_picture(&p, (int64_t)i, true);
        CHECK_EQ(pic.width, (width + 1) & ~1u);
        CHECK_EQ(pic.height, (height + 1) & ~1u);
        CHECK_EQ(pic.corner[0], cases[i].format == PH_HXFR_NV12 ? 255 : 235);
        peer_picture(&p, cases[i].format, width, height, 100, 0);
        pic = peer_expect_picture(&p, 100, false);
        CHECK_EQ(pic.corner[0], cases[i].format == PH_HXFR_NV12 ? 0 : 16);
    }
    finish(&p);
}

/* Time stamps are the guest's business, whatever they are. */
static void test_v1_times(void)
{
    static const int64_t times[] = {
            -2, INT64_MAX, INT64_MIN, 0, INT64_MAX, -1, INT64_MIN};
    struct ph_session_config real = config;
    real.encoder = &ph_encoder_libx264;
    struct peer p = peer_begin(&real);
    for (size_t i = 0; i < PH_LEN(times); i++) {
        struct ph_hxfr_frame_response resp = {0};
        peer_picture(&p, PH_HXFR_BGRA, 64, 64, times[i], (uint8_t)i);
        if (peer_expect(&p, PH_HXFR_FRAME_RESPONSE)) {
            CHECK(ph_hxfr_parse_frame_response(p.payload, &resp));
            CHECK_EQ(resp.pts, times[i]);
        }
    }
    finish(&p);
}

static void send_request(
        struct peer *p, struct ph_hxfr_frame_request *q, size_t pixels)
{
    static const uint8_t zeros[4096];
    uint8_t buf[PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_REQUEST_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    q->layout.size = pixels;
    ph_hxfr_write_frame_request(&w, 1, q);
    peer_send(p, &w);
    peer_write(p, zeros, pixels);
}

/* Sizes that do not fit: an error each, and the connection goes on. */
static void test_v1_misfits(void)
{
    struct peer p = begin();
    struct ph_hxfr_frame_request q = {.width = 8,
            .height = 8,
            .format = PH_HXFR_BGRA,
            .stride = 32,
            .has_pixels = true};
    send_request(&p, &q, 255);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    send_request(&p, &q, 257);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    q.stride = 31;
    send_request(&p, &q, 248);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    q = (struct ph_hxfr_frame_request){.width = 0,
            .height = 8,
            .format = PH_HXFR_BGRA,
            .stride = 32,
            .has_pixels = true};
    send_request(&p, &q, 0);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    q.width = 9000;
    send_request(&p, &q, 16);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    q.width = 8;
    q.format = 0x12345678;
    send_request(&p, &q, 256);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    peer_header(&p, PH_HXFR_FRAME_REQUEST, 43);
    peer_write(&p, (uint8_t[43]){0}, 43);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    peer_header(&p, PH_HXFR_CONFIG_REQ, 5);
    peer_write(&p, "12345", 5);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    peer_picture(&p, PH_HXFR_BGRA, 8, 8, 9, 0);
    peer_expect_picture(&p, 9, true);
    finish(&p);
}

/* Many requests at once, good and bad ones and pings: every answer comes, in
 * order, also after the guest has closed its half. */
static void test_v1_order(void)
{
    struct peer p = begin();
    enum {
        ROUNDS = 30
    };
    for (int i = 0; i < ROUNDS; i++) {
        peer_picture(&p, PH_HXFR_NV12, 64, 64, i, 0);
        send_golden(&p, "hxfr-frame-request-resource");
        send_golden(&p, "hxfr-ping");
    }
    shutdown(p.fd, SHUT_WR);
    for (int i = 0; i < ROUNDS; i++) {
        peer_expect_picture(&p, i, i == 0);
        peer_expect_error(&p, PH_HXFR_ERR_NO_RESOURCE);
        peer_expect(&p, PH_HXFR_PONG);
    }
    peer_expect_end(&p);
    finish(&p);
}

static void test_v1_failing_encoder(void)
{
    struct ph_session_config failing = config;
    failing.encoder = &ph_fake_fails;
    struct peer p = peer_begin(&failing);
    for (int i = 0; i < 9; i++) {
        peer_picture(&p, PH_HXFR_BGRA, 8, 8, i, 0);
        if (i % 3 == 2) {
            peer_expect_error(&p, PH_HXFR_ERR_ENCODE);
        } else {
            peer_expect_picture(&p, i, i % 3 == 0); /* begins anew */
        }
    }
    peer_finish(&p);
    failing.encoder = &ph_fake_holds;
    p = peer_begin(&failing);
    peer_picture(&p, PH_HXFR_BGRA, 8, 8, 1, 0);
    peer_expect_error(&p, PH_HXFR_ERR_ENCODE);
    peer_finish(&p);
    failing.encoder = &ph_fake_bare;
    p = peer_begin(&failing);
    peer_picture(&p, PH_HXFR_BGRA, 8, 8, 1, 0);
    peer_expect_error(&p, PH_HXFR_ERR_ENCODE);
    CHECK(strstr((const char *)p.payload + 4, "parameter sets") != NULL);
    finish(&p);
}

/* Larger than any level of H.264 allows. */
static void test_too_large(void)
{
    struct ph_hxfr_failure f = {0};
    struct peer p = begin();
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES, 2) & PH_HXFR_CAP_TILES);
    peer_surface(&p, 4, PH_HXFR_NV12, 8192, 4368);
    if (peer_expect(&p, PH_HXFR_FAILURE)) {
        CHECK(ph_hxfr_parse_failure(p.payload, p.header.payload, &f));
        CHECK_EQ(f.sequence, 4);
        CHECK(strstr(f.text, "139264") != NULL);
    }
    struct ph_hxfr_surface s = {.format = PH_HXFR_NV12};
    peer_frame(&p, PH_HXFR_REPEAT, &s, 5, NULL, 0, 0, 0);
    peer_expect_failure(&p, 5, PH_HXFR_ERR_NOT_CONFIGURED);
    peer_picture(&p, PH_HXFR_NV12, 8, 8, 2, 0);
    peer_expect_picture(&p, 2, true);
    finish(&p);
}

/* --- extensions --- */

static void test_hello(void)
{
    struct peer p = begin();
    uint32_t granted = peer_hello(&p, all_capabilities, 8);
    CHECK_EQ(granted & ~(uint32_t)PH_HXFR_CAP_MEMFD,
            PH_HXFR_CAP_TILES | PH_HXFR_CAP_MOVES | PH_HXFR_CAP_REPEAT |
                    PH_HXFR_CAP_REFINE | PH_HXFR_CAP_TIMING |
                    (ph_pack_supported() ? PH_HXFR_CAP_LZ4 : 0u));
    send_golden(&p, "hxfr-timed-ping");
    expect_golden(&p, "hxfr-timed-pong");
    send_golden(&p, "hxfr-hello"); /* a second one */
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    peer_expect_end(&p);
    finish(&p);

    p = begin();
    CHECK_EQ(peer_hello(&p, PH_HXFR_CAP_REPEAT, 1), PH_HXFR_CAP_REPEAT);
    finish(&p);
}

static const struct ph_rect whole = {0, 0, 64, 48};

static void test_tiles(void)
{
    struct peer p = begin();
    struct ph_rect two[] = {{0, 0, 8, 2}, {60, 40, 4, 8}};
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT, 2));
    struct ph_hxfr_surface s = peer_surface(&p, 1, PH_HXFR_NV12, 64, 48);
    peer_frame(&p, PH_HXFR_REPEAT, &s, 2, NULL, 0, 0, 0);
    peer_expect_failure(&p, 2, PH_HXFR_ERR_NOT_CONFIGURED);
    peer_frame(&p, PH_HXFR_TILES, &s, 3, &whole, 1, 0, 100);
    struct ph_fake_picture pic = peer_expect_fake(&p, 3, true);
    CHECK(pic.width == 64 && pic.height == 48);
    CHECK_EQ(pic.corner[0], 100);

    peer_frame(&p, PH_HXFR_TILES, &s, 4, two, 2, 0, 77);
    pic = peer_expect_fake(&p, 4, false);
    CHECK(pic.corner[0] == 77 && pic.corner[1] == 77);
    CHECK_EQ(pic.changed, 8 * 2 + 4 * 8);
    peer_frame(&p, PH_HXFR_REPEAT, &s, 5, NULL, 0, 0, 0);
    pic = peer_expect_fake(&p, 5, false);
    CHECK_EQ(pic.corner[0], 77);
    CHECK_EQ(pic.changed, 0);
    peer_frame(&p, PH_HXFR_REPEAT, &s, 6, NULL, 0, PH_HXFR_FRAME_KEYFRAME, 0);
    peer_expect_fake(&p, 6, true);

    /* Another size in mid-stream: a keyframe of that size. */
    s = peer_surface(&p, 7, PH_HXFR_BGRA, 31, 5);
    struct ph_rect all = {0, 0, 31, 5};
    peer_frame(&p, PH_HXFR_TILES, &s, 8, &all, 1, 0, 255);
    pic = peer_expect_fake(&p, 8, true);
    CHECK(pic.width == 32 && pic.height == 6 && pic.corner[0] == 235);
    finish(&p);
}

/* One request at a time: what step of refinement it gets. */
static uint8_t refine(struct peer *p, uint32_t sequence, uint32_t flags)
{
    struct ph_hxfr_surface s = {.format = PH_HXFR_NV12};
    peer_frame(p, PH_HXFR_REPEAT, &s, sequence, NULL, 0, flags, 0);
    return peer_expect_fake(p, sequence, flags & PH_HXFR_FRAME_KEYFRAME).refine;
}

static void test_refine(void)
{
    const struct ph_rect all = {0, 0, 64, 48};
    struct peer p = begin();
    uint32_t wanted =
            PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT | PH_HXFR_CAP_REFINE;
    CHECK_EQ(peer_hello(&p, wanted, 2), wanted);
    struct ph_hxfr_surface s = peer_surface(&p, 1, PH_HXFR_NV12, 64, 48);
    peer_frame(&p, PH_HXFR_TILES, &s, 2, &all, 1, PH_HXFR_FRAME_REFINE, 9);
    CHECK_EQ(peer_expect_fake(&p, 2, true).refine, 0);
    CHECK_EQ(refine(&p, 3, PH_HXFR_FRAME_REFINE), 1);
    CHECK_EQ(refine(&p, 4, 0), 0); /* a steady rate goes on meanwhile */
    CHECK_EQ(refine(&p, 5, PH_HXFR_FRAME_REFINE), 2);
    CHECK_EQ(refine(&p, 6, PH_HXFR_FRAME_REFINE), 3);
    CHECK_EQ(refine(&p, 7, PH_HXFR_FRAME_REFINE), 0); /* that was all */
    peer_frame(&p, PH_HXFR_TILES, &s, 8, &all, 1, 0, 10);
    CHECK_EQ(peer_expect_fake(&p, 8, false).refine, 0);
    CHECK_EQ(refine(&p, 9, PH_HXFR_FRAME_REFINE), 1);
    CHECK_EQ(refine(&p, 10, PH_HXFR_FRAME_REFINE | PH_HXFR_FRAME_KEYFRAME), 0);
    CHECK_EQ(refine(&p, 11, PH_HXFR_FRAME_REFINE), 1);
    peer_finish(&p);
    /* Not agreed on: a repeat as any other. */
    p = begin();
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT, 2));
    s = peer_surface(&p, 1, PH_HXFR_NV12, 64, 48);
    peer_frame(&p, PH_HXFR_TILES, &s, 2, &all, 1, 0, 9);
    peer_expect_fake(&p, 2, true);
    CHECK_EQ(refine(&p, 3, PH_HXFR_FRAME_REFINE), 0);
    finish(&p);
}

static void test_slot_frames(void)
{
    struct ph_hxfr_slots slots = {0};
    struct peer p = begin();
    if (!(peer_hello(&p, all_capabilities, 2) & PH_HXFR_CAP_MEMFD)) {
        finish(&p);
        return;
    }
    struct ph_hxfr_surface s = peer_surface(&p, 1, PH_HXFR_NV12, 64, 48);
    peer_expect(&p, PH_HXFR_SLOTS);
    CHECK(ph_hxfr_parse_slots(p.payload, p.header.payload, &s, &slots));
    CHECK_EQ(slots.sequence, 1);
    CHECK_EQ(slots.count, 3);
    size_t size = (size_t)slots.count * slots.slot_size;
    uint8_t *memory = mmap(
            NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, p.passed_fd, 0);
    if (!CHECK(memory != MAP_FAILED)) {
        finish(&p);
        return;
    }
    for (uint8_t i = 0; i < slots.count; i++) {
        memory[i * slots.slot_size] = (uint8_t)(50 + i);
    }
    peer_frame(&p, PH_HXFR_SLOT_FRAME, &s, 2, &whole, 1, 0, 2);
    CHECK_EQ(peer_expect_fake(&p, 2, true).corner[0], 52);
    struct ph_rect small = {2, 2, 4, 6};
    peer_frame(&p, PH_HXFR_SLOT_FRAME, &s, 3, &small, 1, 0, 0);
    struct ph_fake_picture pic = peer_expect_fake(&p, 3, false);
    CHECK(pic.corner[0] == 50 && pic.changed == 24);
    /* REPEAT encodes the newest slot, as it is now. */
    memory[0] = 66;
    peer_frame(&p, PH_HXFR_REPEAT, &s, 4, NULL, 0, 0, 0);
    CHECK_EQ(peer_expect_fake(&p, 4, false).corner[0], 66);

    peer_frame(&p, PH_HXFR_SLOT_FRAME, &s, 5, &small, 1, 0, slots.count);
    peer_expect_failure(&p, 5, PH_HXFR_ERR_INVALID);
    peer_frame(&p, PH_HXFR_TILES, &s, 6, &small, 1, 0, 0);
    peer_expect_failure(&p, 6, PH_HXFR_ERR_INVALID);
    peer_frame(&p, PH_HXFR_SLOT_FRAME, &s, 7, &small, 1, 0, 1);
    CHECK_EQ(peer_expect_fake(&p, 7, false).corner[0], 51);
    munmap(memory, size);
    finish(&p);
}

/* A frame was checked against the surface that was announced. When a version
 * 1 frame has replaced that, it must not be drawn on the new one. */
static void test_mixed(void)
{
    struct peer p = begin();
    struct ph_rect far = {1024, 1024, 64, 64};
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES, 4));
    struct ph_hxfr_surface s = peer_surface(&p, 1, PH_HXFR_NV12, 2048, 2048);
    peer_picture(&p, PH_HXFR_BGRA, 16, 16, 1, 0);
    peer_expect_picture(&p, 1, true);
    peer_frame(&p, PH_HXFR_TILES, &s, 2, &far, 1, 0, 9);
    peer_expect_failure(&p, 2, PH_HXFR_ERR_NOT_CONFIGURED);
    /* The same size: still another surface. */
    s = peer_surface(&p, 3, PH_HXFR_NV12, 16, 16);
    peer_picture(&p, PH_HXFR_NV12, 16, 16, 2, 0);
    peer_expect_picture(&p, 2, true);
    peer_frame(&p, PH_HXFR_REPEAT, &s, 4, NULL, 0, 0, 0);
    peer_expect_failure(&p, 4, PH_HXFR_ERR_NOT_CONFIGURED);
    finish(&p);
}

/* Frames that do not fit get a FAILURE with their sequence. */
static void test_misfits(void)
{
    struct peer p = begin();
    struct ph_rect out = {60, 40, 8, 8};
    struct ph_rect odd = {1, 0, 2, 2};
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES, 4));
    struct ph_hxfr_surface s = {.format = PH_HXFR_NV12};
    peer_frame(&p, PH_HXFR_TILES, &s, 1, &whole, 1, 0, 0);
    peer_expect_failure(&p, 1, PH_HXFR_ERR_NOT_CONFIGURED);
    s = peer_surface(&p, 2, PH_HXFR_NV12, 64, 48);
    peer_frame(&p, PH_HXFR_TILES, &s, 3, &out, 1, 0, 0);
    peer_expect_failure(&p, 3, PH_HXFR_ERR_INVALID);
    peer_frame(&p, PH_HXFR_TILES, &s, 4, &odd, 1, 0, 0);
    peer_expect_failure(&p, 4, PH_HXFR_ERR_INVALID);
    peer_frame(&p, PH_HXFR_TILES, &s, 5, &whole, 1, PH_HXFR_FRAME_LZ4, 0);
    peer_expect_failure(&p, 5, PH_HXFR_ERR_INVALID);
    peer_frame(&p, PH_HXFR_SLOT_FRAME, &s, 6, &whole, 1, 0, 0);
    peer_expect_failure(&p, 6, PH_HXFR_ERR_INVALID);
    /* More rectangles than the payload holds. */
    uint8_t head[PH_HXFR_FRAME_HEAD_SIZE] = {7, [18] = 255, [19] = 255};
    peer_header(&p, PH_HXFR_TILES, sizeof(head));
    peer_write(&p, head, sizeof(head));
    peer_expect_failure(&p, 7, PH_HXFR_ERR_INVALID);
    peer_frame(&p, PH_HXFR_TILES, &s, 8, &whole, 1, 0, 0);
    peer_expect_fake(&p, 8, true);
    peer_header(&p, PH_HXFR_TILES, 5); /* not even a head */
    peer_write(&p, head, 5);
    peer_expect_error(&p, PH_HXFR_ERR_INVALID);
    peer_expect_end(&p);
    finish(&p);
}

static void test_window(void)
{
    struct ph_session_config real = config;
    real.encoder = &ph_encoder_libx264; /* takes its time */
    struct peer p = peer_begin(&real);
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT, 1));
    struct ph_hxfr_surface s = peer_surface(&p, 1, PH_HXFR_NV12, 1920, 1080);
    uint8_t buf[64 * (PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_HEAD_SIZE)];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_rect all = {0, 0, 1920, 1080};
    peer_frame(&p, PH_HXFR_TILES, &s, 2, &all, 1, 0, 1);
    for (uint32_t i = 0; i < 64; i++) {
        struct ph_hxfr_frame f = {.sequence = 3 + i};
        ph_hxfr_write_frame(&w, PH_HXFR_REPEAT, 1, &f, NULL, 0);
    }
    peer_send(&p, &w);
    int units = 0;
    while (peer_read(&p) && p.header.type == PH_HXFR_ACCESS_UNIT) {
        units++;
    }
    CHECK(units < 65);
    CHECK_EQ(p.header.type, PH_HXFR_ERROR);
    finish(&p);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    test_v1_conversation();
    test_stiff_encoder();
    test_v1_formats();
    test_v1_times();
    test_v1_misfits();
    test_v1_order();
    test_v1_failing_encoder();
    test_too_large();
    test_hello();
    test_tiles();
    test_refine();
    test_slot_frames();
    test_mixed();
    test_misfits();
    test_window();
    return CHECK_DONE();
}
