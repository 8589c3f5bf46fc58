/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/hxfr_ext.h"

#include "golden.h"

static uint8_t out[4096];
static const uint8_t *const NONE = (const uint8_t *)"";

static const struct ph_hxfr_surface screen = {
        .sequence = 1,
        .width = 1920,
        .height = 1080,
        .format = PH_HXFR_NV12,
        .colour = {.matrix = 6, .primaries = 1, .transfer = 13},
};

static const uint8_t *payload_of(const struct golden *g, uint8_t type)
{
    struct ph_hxfr_header h = {0};
    CHECK(ph_hxfr_parse_header(g->data, &h));
    CHECK_EQ(h.type, type);
    CHECK_EQ(h.payload, g->len - PH_HXFR_HEADER_SIZE);
    return g->data + PH_HXFR_HEADER_SIZE;
}

static void check_hello(const char *name, uint8_t type, uint32_t capabilities,
        uint16_t window, const char *who)
{
    struct golden g = golden_read(name);
    const uint8_t *payload = payload_of(&g, type);
    size_t len = g.len - PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_hello h = {0};
    CHECK(ph_hxfr_parse_hello(payload, len, &h));
    CHECK_EQ(h.version, 1);
    CHECK_EQ(h.max_window, window);
    CHECK_EQ(h.capabilities, capabilities);
    CHECK_EQ(h.nonce, 0x0123456789abcdef);
    CHECK_STR(h.name, who);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_hello(&w, type, 1, &h);
    golden_check(name, out, w.len);
    for (size_t n = 0; n < len; n++) {
        CHECK(!ph_hxfr_parse_hello(payload, n, &h));
    }
}

static void test_hello(void)
{
    check_hello("hxfr-hello", PH_HXFR_HELLO,
            PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT | PH_HXFR_CAP_MEMFD |
                    PH_HXFR_CAP_TIMING,
            3, "porthole-deskd");
    check_hello("hxfr-hello-resp", PH_HXFR_HELLO_RESP,
            PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT | PH_HXFR_CAP_TIMING, 2,
            "porthole-hostd");

    struct golden g = golden_read("hxfr-hello");
    uint8_t *payload = g.data + PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_hello h = {0};
    payload[17] = '\n'; /* a name is one line in a log */
    CHECK(ph_hxfr_parse_hello(payload, 64, &h)); /* bytes behind: ignored */
    CHECK_EQ(h.name[0], '?');
    payload[16] = 64; /* longer than a name may be */
    CHECK(!ph_hxfr_parse_hello(payload, 200, &h));
    payload[16] = 1;
    payload[2] = 0; /* no window */
    CHECK(!ph_hxfr_parse_hello(payload, 200, &h));
    payload[2] = PH_HXFR_MAX_WINDOW + 1;
    CHECK(!ph_hxfr_parse_hello(payload, 200, &h));
}

static void test_surface(void)
{
    struct golden g = golden_read("hxfr-surface");
    uint8_t *payload = g.data + PH_HXFR_HEADER_SIZE;
    size_t len = g.len - PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_surface s = {0};
    CHECK(ph_hxfr_parse_surface(payload, len, &s));
    CHECK_EQ(s.width, 1920);
    CHECK_EQ(s.height, 1080);
    CHECK_EQ(s.colour.matrix, 6);
    CHECK_EQ(s.colour.transfer, 13);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_surface(&w, 1, &screen);
    golden_check("hxfr-surface", out, w.len);
    for (size_t n = 0; n < len + 4; n++) {
        CHECK_EQ(ph_hxfr_parse_surface(payload, n, &s), n == len);
    }
    ph_store_u32(payload + 8, 1919); /* NV12 is even */
    CHECK(!ph_hxfr_parse_surface(payload, len, &s));
    ph_store_u32(payload + 8, UINT32_MAX);
    CHECK(!ph_hxfr_parse_surface(payload, len, &s));
    ph_store_u32(payload + 8, 0);
    CHECK(!ph_hxfr_parse_surface(payload, len, &s));
    ph_store_u32(payload + 8, 1919);
    ph_store_u32(payload + 16, PH_HXFR_BGRA);
    CHECK(ph_hxfr_parse_surface(payload, len, &s));
}

static void check_frame(const char *name, uint8_t type,
        const struct ph_hxfr_frame *want, const struct ph_rect *rects,
        size_t pixels)
{
    struct golden g = golden_read(name);
    const uint8_t *payload = payload_of(&g, type);
    uint32_t total = (uint32_t)(g.len - PH_HXFR_HEADER_SIZE);
    size_t head = total - pixels;
    struct ph_hxfr_frame f = {0};
    CHECK(ph_hxfr_parse_frame(type, payload, head, total, &screen, &f));
    CHECK_EQ(f.sequence, want->sequence);
    CHECK_EQ(f.pts, want->pts);
    CHECK_EQ(f.flags, want->flags);
    CHECK_EQ(f.slot, want->slot);
    if (!CHECK_EQ(f.rect_count, want->rect_count)) {
        return;
    }
    for (uint16_t i = 0; i < f.rect_count; i++) {
        struct ph_rect r = ph_hxfr_rect(&f, i);
        CHECK_MEM(&r, &rects[i], sizeof(r));
    }
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_frame(&w, type, 1, want, rects, pixels);
    ph_write_bytes(&w, payload + head, pixels);
    golden_check(name, out, w.len);

    for (size_t n = 0; n < head; n++) {
        CHECK(!ph_hxfr_parse_frame(type, payload, n, total, &screen, &f));
    }
    for (uint32_t n = 0; n < total + 10; n++) {
        CHECK_EQ(ph_hxfr_parse_frame(type, payload, head, n, &screen, &f),
                n == total);
    }
}

static void test_frames(void)
{
    struct ph_rect two[] = {{0, 0, 2, 2}, {4, 2, 4, 2}};
    check_frame("hxfr-tiles", PH_HXFR_TILES,
            &(struct ph_hxfr_frame){
                    2, 3000000000, PH_HXFR_FRAME_KEYFRAME, 0, 2, NULL},
            two, 18);
    check_frame("hxfr-repeat", PH_HXFR_REPEAT,
            &(struct ph_hxfr_frame){3, 3016666667, 0, 0, 0, NULL}, NULL, 0);
    struct ph_rect one = {100, 200, 32, 16};
    check_frame("hxfr-slot-frame", PH_HXFR_SLOT_FRAME,
            &(struct ph_hxfr_frame){4, 3033333334, 0, 2, 1, NULL}, &one, 0);
}

/* A rectangle that is odd, empty or outside makes the message invalid. */
static void test_bad_rects(void)
{
    static const struct ph_rect bad[] = {
            {1, 0, 2, 2},
            {0, 1, 2, 2},
            {0, 0, 3, 2},
            {0, 0, 2, 3},
            {0, 0, 0, 2},
            {0, 0, 2, 0},
            {1920, 0, 2, 2},
            {0, 1080, 2, 2},
            {0, 0, 1922, 2},
            {0, 0, 2, 1082},
            {65534, 65534, 65534, 65534},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct ph_writer w = ph_writer(out, sizeof(out));
        struct ph_hxfr_frame f = {.sequence = 1, .rect_count = 1};
        ph_hxfr_write_frame(&w, PH_HXFR_SLOT_FRAME, 1, &f, &bad[i], 0);
        size_t len = w.len - PH_HXFR_HEADER_SIZE;
        CHECK(!ph_hxfr_parse_frame(PH_HXFR_SLOT_FRAME,
                out + PH_HXFR_HEADER_SIZE, len, (uint32_t)len, &screen, &f));
    }
}

/* A side is odd only where the surface is, at its edge. */
static void test_odd_edges(void)
{
    static const struct ph_hxfr_surface odd = {
            .width = 67, .height = 51, .format = PH_HXFR_BGRA};
    static const struct {
        struct ph_rect rect;
        bool fits;
    } cases[] = {
            {{0, 0, 67, 51}, true},
            {{66, 50, 1, 1}, true},
            {{64, 2, 3, 4}, true},
            {{0, 48, 2, 3}, true},
            {{65, 50, 2, 1}, false},
            {{66, 49, 1, 2}, false},
            {{0, 0, 65, 2}, false},
            {{0, 0, 2, 49}, false},
            {{66, 50, 2, 1}, false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        CHECK_EQ(ph_hxfr_rect_fits(&cases[i].rect, &odd), cases[i].fits);
    }
}

static void test_rect_limits(void)
{
    static uint8_t big[PH_HXFR_MAX_CONTROL + 64];
    static struct ph_rect rects[PH_HXFR_MAX_RECTS + 1];
    for (size_t i = 0; i < PH_HXFR_MAX_RECTS + 1; i++) {
        rects[i] = (struct ph_rect){0, 0, 2, 2};
    }
    for (uint16_t n = PH_HXFR_MAX_RECTS; n <= PH_HXFR_MAX_RECTS + 1; n++) {
        struct ph_writer w = ph_writer(big, sizeof(big));
        struct ph_hxfr_frame f = {.sequence = 1, .rect_count = n};
        ph_hxfr_write_frame(&w, PH_HXFR_SLOT_FRAME, 1, &f, rects, 0);
        size_t len = w.len - PH_HXFR_HEADER_SIZE;
        CHECK_EQ(ph_hxfr_parse_frame(PH_HXFR_SLOT_FRAME,
                         big + PH_HXFR_HEADER_SIZE, len, (uint32_t)len, &screen,
                         &f),
                n == PH_HXFR_MAX_RECTS);
    }
}

static void test_slots(void)
{
    struct golden g = golden_read("hxfr-slots");
    uint8_t *payload = g.data + PH_HXFR_HEADER_SIZE;
    size_t len = g.len - PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_slots s = {0};
    CHECK(ph_hxfr_parse_slots(payload, len, &screen, &s));
    CHECK_EQ(s.count, 3);
    CHECK_EQ(s.stride[0], 1920);
    CHECK_EQ(s.offset[1], 2073600);
    CHECK_EQ(s.slot_size, 3112960);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_slots(&w, 1, &s);
    golden_check("hxfr-slots", out, w.len);
    for (size_t n = 0; n < len + 4; n++) {
        CHECK_EQ(ph_hxfr_parse_slots(payload, n, &screen, &s), n == len);
    }
    /* Each of these would let a picture leave its slot. */
    static const struct {
        size_t at;
        uint32_t value;
    } bad[] = {{4, 0}, {4, PH_HXFR_MAX_SLOTS + 1}, {8, 1918}, {12, 1918},
            {8, UINT32_MAX}, {12, UINT32_MAX}, {16, UINT32_MAX}, {20, 0},
            {20, UINT32_MAX}, {24, 1920 * 1080 * 3 / 2 - 1},
            {24, PH_HXFR_MAX_PAYLOAD + 1}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t copy[28];
        memcpy(copy, payload, sizeof(copy));
        ph_store_u32(copy + bad[i].at, bad[i].value);
        CHECK(!ph_hxfr_parse_slots(copy, sizeof(copy), &screen, &s));
    }
}

static void test_slots_region(void)
{
    struct golden g = golden_read("hxfr-slots-region");
    uint8_t *payload = g.data + PH_HXFR_HEADER_SIZE;
    size_t len = g.len - PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_slots s = {0};
    for (size_t n = 0; n <= len + 4; n++) {
        CHECK_EQ(ph_hxfr_parse_slots(payload, n, &screen, &s), n == len);
    }
    CHECK_EQ(s.place, PH_HXFR_SLOTS_IVSHMEM);
    CHECK_EQ(s.offset_in_region, 4096);
    CHECK_EQ(s.nonce, 0x0123456789abcdef);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_slots(&w, 1, &s);
    golden_check("hxfr-slots-region", out, w.len);
    payload[28] = 1; /* no whole page */
    CHECK(!ph_hxfr_parse_slots(payload, len, &screen, &s));
    payload[28] = 0;
    payload[35] = 0x80; /* behind any file */
    CHECK(!ph_hxfr_parse_slots(payload, len, &screen, &s));
    payload[35] = 0;
    payload[5] = PH_HXFR_SLOTS_NONE + 1;
    CHECK(!ph_hxfr_parse_slots(payload, len, &screen, &s));
    payload[5] = PH_HXFR_SLOTS_NONE;
    CHECK(ph_hxfr_parse_slots(payload, len - 16, &screen, &s));
}

/* Pixels in a file: none in the message, and no more than a picture has. */
static void test_file_frames(void)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_HEAD_SIZE + 32];
    static const struct ph_rect rect = {0, 0, 4, 2};
    struct ph_hxfr_frame f = {.sequence = 2,
            .flags = PH_HXFR_FRAME_FILE,
            .slot = 3,
            .rect_count = 1};
    struct ph_hxfr_frame got;
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_frame(&w, PH_HXFR_TILES, 1, &f, &rect, 0);
    const uint8_t *payload = buf + PH_HXFR_HEADER_SIZE;
    uint32_t len = (uint32_t)(w.len - PH_HXFR_HEADER_SIZE);
    CHECK(ph_hxfr_parse_frame(PH_HXFR_TILES, payload, len, len, &screen, &got));
    CHECK_EQ(got.bytes, 12);
    CHECK_EQ(got.slot, 3);
    CHECK(ph_hxfr_frame_needs(&got) & PH_HXFR_CAP_FILE);
    CHECK(!ph_hxfr_parse_frame(
            PH_HXFR_TILES, payload, len, len + 12, &screen, &got));
    CHECK(!ph_hxfr_parse_frame(
            PH_HXFR_SLOT_FRAME, payload, len, len, &screen, &got));
    buf[PH_HXFR_HEADER_SIZE + 12] |= PH_HXFR_FRAME_LZ4;
    CHECK(!ph_hxfr_parse_frame(
            PH_HXFR_TILES, payload, len, len, &screen, &got));
}

static void test_region(void)
{
    struct golden g = golden_read("hxfr-hello");
    size_t len = g.len - PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_hello h = {0};
    CHECK(ph_hxfr_parse_hello(g.data + PH_HXFR_HEADER_SIZE, len, &h));
    CHECK_EQ(h.region, 0);
    h.region = 0x1122334455667788;
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_hello(&w, PH_HXFR_HELLO, 1, &h);
    CHECK_EQ(w.len, g.len + 8);
    h.region = 0;
    CHECK(ph_hxfr_parse_hello(
            out + PH_HXFR_HEADER_SIZE, w.len - PH_HXFR_HEADER_SIZE, &h));
    CHECK_EQ(h.region, 0x1122334455667788);
}

static void test_answers(void)
{
    struct golden g = golden_read("hxfr-access-unit");
    const uint8_t *payload = payload_of(&g, PH_HXFR_ACCESS_UNIT);
    struct ph_hxfr_access_unit au = {0};
    CHECK(ph_hxfr_parse_access_unit(payload, &au));
    CHECK_EQ(au.sequence, 4);
    CHECK_EQ(au.pts, 3033333334);
    CHECK_EQ(au.flags, PH_HXFR_FRAME_KEYFRAME);
    CHECK_EQ(au.receive_us, 120);
    CHECK_EQ(au.wait_us, 15);
    CHECK_EQ(au.encode_us, 4321);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_access_unit(&w, 1, &au, 7);
    ph_write_bytes(&w, payload + PH_HXFR_ACCESS_UNIT_SIZE, 7);
    golden_check("hxfr-access-unit", out, w.len);

    g = golden_read("hxfr-failure");
    payload = payload_of(&g, PH_HXFR_FAILURE);
    struct ph_hxfr_failure f = {0};
    CHECK(ph_hxfr_parse_failure(payload, g.len - PH_HXFR_HEADER_SIZE, &f));
    CHECK_EQ(f.sequence, 4);
    CHECK_EQ(f.code, PH_HXFR_ERR_ENCODE);
    CHECK_STR(f.text, "encode failed");
    w = ph_writer(out, sizeof(out));
    ph_hxfr_write_failure(&w, 1, &f);
    golden_check("hxfr-failure", out, w.len);
    CHECK(!ph_hxfr_parse_failure(payload, 7, &f));
    CHECK(!ph_hxfr_parse_failure(NONE, 0, &f));
    uint8_t large[8 + PH_HXFR_ERROR_TEXT] = {0};
    CHECK(ph_hxfr_parse_failure(large, sizeof(large) - 1, &f));
    CHECK(!ph_hxfr_parse_failure(large, sizeof(large), &f));
}

static void test_timed(void)
{
    static const char *const names[] = {"hxfr-timed-ping", "hxfr-timed-pong"};
    for (uint8_t i = 0; i < 2; i++) {
        uint8_t type = PH_HXFR_TIMED_PING + i;
        struct golden g = golden_read(names[i]);
        uint64_t token = 0;
        CHECK(ph_hxfr_parse_timed(payload_of(&g, type), 8, &token));
        CHECK_EQ(token, 0x1122334455667788);
        struct ph_writer w = ph_writer(out, sizeof(out));
        ph_hxfr_write_timed(&w, type, 1, token);
        golden_check(names[i], out, w.len);
        CHECK(!ph_hxfr_parse_timed(g.data, 7, &token));
    }
}

static void test_reset(void)
{
    struct golden g = golden_read("hxfr-reset");
    const uint8_t *payload = payload_of(&g, PH_HXFR_RESET);
    struct ph_hxfr_reset reset = {0};
    size_t len = PH_HXFR_RESET_SIZE - PH_HXFR_HEADER_SIZE;
    CHECK_EQ(g.len, PH_HXFR_RESET_SIZE);
    for (size_t n = 0; n <= len; n++) {
        CHECK_EQ(ph_hxfr_parse_reset(payload, n, &reset), n == len);
    }
    CHECK_EQ(reset.nonce, 0x0123456789abcdef);
    CHECK_EQ(reset.phase, PH_HXFR_RESET_ASK);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_reset(&w, 1, &reset);
    golden_check("hxfr-reset", out, w.len);
    uint8_t copy[PH_HXFR_RESET_SIZE];
    memcpy(copy, payload, len);
    copy[8] = PH_HXFR_RESET_NEWS + 1;
    CHECK(!ph_hxfr_parse_reset(copy, len, &reset));
}

int main(void)
{
    test_hello();
    test_surface();
    test_frames();
    test_bad_rects();
    test_odd_edges();
    test_rect_limits();
    test_slots();
    test_slots_region();
    test_file_frames();
    test_region();
    test_answers();
    test_timed();
    test_reset();
    return CHECK_DONE();
}
