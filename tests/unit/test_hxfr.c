/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/hxfr.h"

#include "golden.h"

static uint8_t out[4096];

static struct ph_hxfr_header header_of(const struct golden *g)
{
    struct ph_hxfr_header h = {0};
    CHECK(ph_hxfr_parse_header(g->data, &h));
    CHECK_EQ(h.payload, g->len - PH_HXFR_HEADER_SIZE);
    return h;
}

static void test_header(void)
{
    struct golden g = golden_read("hxfr-ping");
    struct ph_hxfr_header h = {.type = 99};
    CHECK(ph_hxfr_parse_header(g.data, &h));
    CHECK_EQ(h.type, PH_HXFR_PING);
    CHECK_EQ(h.session, 1);
    CHECK_EQ(h.payload, 0);

    ph_store_u32(g.data + 8, PH_HXFR_MAX_PAYLOAD);
    CHECK(ph_hxfr_parse_header(g.data, &h));
    ph_store_u32(g.data + 8, PH_HXFR_MAX_PAYLOAD + 1);
    CHECK(!ph_hxfr_parse_header(g.data, &h));
    ph_store_u32(g.data + 8, 0);
    for (int i = 0; i < 4; i++) {
        g.data[i] ^= 0x20;
        CHECK(!ph_hxfr_parse_header(g.data, &h));
        g.data[i] ^= 0x20;
    }
}

static void test_empty_messages(void)
{
    static const struct {
        const char *name;
        uint8_t type;
    } rows[] = {
            {"hxfr-ping", PH_HXFR_PING},
            {"hxfr-pong", PH_HXFR_PONG},
            {"hxfr-keyframe-req", PH_HXFR_KEYFRAME_REQ},
            {"hxfr-config-resp", PH_HXFR_CONFIG_RESP},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ph_writer w = ph_writer(out, sizeof(out));
        ph_hxfr_write_empty(&w, rows[i].type, 1);
        golden_check(rows[i].name, out, w.len);
    }
}

static void test_frame_request(void)
{
    struct golden g = golden_read("hxfr-frame-request");
    struct ph_hxfr_header h = header_of(&g);
    struct ph_hxfr_frame_request q = {0};
    CHECK(ph_hxfr_parse_frame_request(&h, g.data + PH_HXFR_HEADER_SIZE, &q));
    CHECK_EQ(q.resource_id, 0);
    CHECK_EQ(q.width, 2);
    CHECK_EQ(q.height, 3);
    CHECK_EQ(q.format, PH_HXFR_BGRA);
    CHECK_EQ(q.stride, 8);
    CHECK_EQ(q.pts, 1000000000);
    CHECK_EQ(q.duration, -1);
    CHECK(q.force_keyframe);
    CHECK(q.has_pixels);
    CHECK_EQ(q.layout.planes, 1);
    CHECK_EQ(q.layout.size, 24);

    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_frame_request(&w, 1, &q);
    size_t head = PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_REQUEST_SIZE;
    CHECK_EQ(w.len, head);
    CHECK_MEM(out, g.data, head);

    /* Every payload size but the right one is refused. */
    for (uint32_t n = 0; n < 100; n++) {
        h.payload = n;
        bool ok = ph_hxfr_parse_frame_request(
                &h, g.data + PH_HXFR_HEADER_SIZE, &q);
        CHECK_EQ(ok, n == PH_HXFR_FRAME_REQUEST_SIZE + 24);
    }
}

static void test_frame_request_resource(void)
{
    struct golden g = golden_read("hxfr-frame-request-resource");
    struct ph_hxfr_header h = header_of(&g);
    struct ph_hxfr_frame_request q = {0};
    CHECK(ph_hxfr_parse_frame_request(&h, g.data + PH_HXFR_HEADER_SIZE, &q));
    CHECK_EQ(q.resource_id, 5);
    CHECK(!q.has_pixels);
    CHECK_EQ(q.duration, 16666667);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_frame_request(&w, 1, &q);
    golden_check("hxfr-frame-request-resource", out, w.len);
}

static void test_layout(void)
{
    struct ph_hxfr_layout l;
    /* GStreamer: 1366x768 NV12 has a stride of 1368. */
    CHECK(ph_hxfr_layout(PH_HXFR_NV12, 1366, 768, 1368, &l));
    CHECK_EQ(l.planes, 2);
    CHECK_EQ(l.offset[1], 1368 * 768);
    CHECK_EQ(l.size, 1368 * 768 * 3 / 2);
    /* 33x17: stride 36, 18 luma and 9 chroma rows. */
    CHECK(ph_hxfr_layout(PH_HXFR_NV12, 33, 17, 36, &l));
    CHECK_EQ(l.offset[1], 36 * 18);
    CHECK_EQ(l.size, 36 * 27);
    CHECK(ph_hxfr_layout(PH_HXFR_BGRA, 33, 17, 132, &l));
    CHECK_EQ(l.size, 132 * 17);
    CHECK(ph_hxfr_layout(PH_HXFR_RGBA, 8192, 8192, 32768, &l));

    CHECK(!ph_hxfr_layout(0x30323449, 2, 2, 2, &l));
    CHECK(!ph_hxfr_layout(PH_HXFR_NV12, 0, 2, 2, &l));
    CHECK(!ph_hxfr_layout(PH_HXFR_NV12, 2, 0, 2, &l));
    CHECK(!ph_hxfr_layout(PH_HXFR_NV12, 8193, 2, 8196, &l));
    CHECK(!ph_hxfr_layout(PH_HXFR_NV12, 2, 8193, 2, &l));
    /* The chroma row of 33 pixels has 34 bytes. */
    CHECK(!ph_hxfr_layout(PH_HXFR_NV12, 33, 17, 33, &l));
    CHECK(!ph_hxfr_layout(PH_HXFR_BGRA, 33, 17, 131, &l));
    CHECK(!ph_hxfr_layout(PH_HXFR_BGRA, 33, 17, UINT32_MAX, &l));
}

static void test_frame_response(void)
{
    struct golden g = golden_read("hxfr-frame-response");
    struct ph_hxfr_frame_response r = {0};
    CHECK(ph_hxfr_parse_frame_response(g.data + PH_HXFR_HEADER_SIZE, &r));
    CHECK_EQ(r.pts, 1000000000);
    CHECK_EQ(r.dts, 1000000000);
    CHECK(r.keyframe);
    CHECK_EQ(r.nal_count, 1);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_frame_response(&w, 1, &r, 7);
    CHECK_EQ(w.len, 40);
    CHECK_MEM(out, g.data, w.len);

    uint8_t count[] = {0, 0, 0, 0, 1, 4, 0, 0};
    memcpy(g.data + PH_HXFR_HEADER_SIZE + 20, count, 4);
    CHECK(!ph_hxfr_parse_frame_response(g.data + PH_HXFR_HEADER_SIZE, &r));
    memcpy(g.data + PH_HXFR_HEADER_SIZE + 20, count + 4, 4); /* 1025 */
    CHECK(!ph_hxfr_parse_frame_response(g.data + PH_HXFR_HEADER_SIZE, &r));
}

static void test_join_nals(void)
{
    uint8_t two[] = {2, 0, 0, 0, 'a', 'b', 3, 0, 0, 0, 'c', 'd', 'e'};
    uint8_t buf[sizeof(two)];
    memcpy(buf, two, sizeof(two));
    CHECK_EQ(ph_hxfr_join_nals(buf, sizeof(buf), 2), 5);
    CHECK_MEM(buf, "abcde", 5);
    for (size_t n = 0; n < sizeof(two); n++) {
        memcpy(buf, two, sizeof(two));
        CHECK_EQ(ph_hxfr_join_nals(buf, n, 2), 0);
    }
    memcpy(buf, two, sizeof(two));
    CHECK_EQ(ph_hxfr_join_nals(buf, sizeof(buf), 1), 0); /* bytes left */
    memcpy(buf, two, sizeof(two));
    CHECK_EQ(ph_hxfr_join_nals(buf, sizeof(buf), 3), 0);
}

static void test_config(void)
{
    struct golden g = golden_read("hxfr-config-req");
    uint8_t *payload = g.data + PH_HXFR_HEADER_SIZE;
    struct ph_hxfr_config c = {0};
    CHECK(ph_hxfr_parse_config(payload, PH_HXFR_CONFIG_SIZE, &c));
    CHECK_EQ(c.width, 1920);
    CHECK_EQ(c.height, 1080);
    CHECK_EQ(c.bitrate, 4000000);
    CHECK_EQ(c.fps_num, 60);
    CHECK_EQ(c.fps_den, 1);
    CHECK_EQ(c.profile, 66);
    CHECK_EQ(c.level, 42);
    CHECK(c.realtime);
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_config(&w, 1, &c);
    golden_check("hxfr-config-req", out, w.len);

    for (size_t n = 0; n < 40; n++) {
        CHECK_EQ(
                ph_hxfr_parse_config(payload, n, &c), n == PH_HXFR_CONFIG_SIZE);
    }
    ph_store_u32(payload + 16, 0); /* 60 frames in 0 seconds */
    CHECK(!ph_hxfr_parse_config(payload, PH_HXFR_CONFIG_SIZE, &c));
}

static void test_error(void)
{
    struct golden g = golden_read("hxfr-error");
    struct ph_hxfr_error_message e;
    CHECK_EQ(g.len, PH_HXFR_HEADER_SIZE + 260);
    CHECK(ph_hxfr_parse_error(
            g.data + PH_HXFR_HEADER_SIZE, PH_HXFR_ERROR_SIZE, &e));
    CHECK_EQ(e.code, PH_HXFR_ERR_NO_RESOURCE);
    CHECK_STR(e.text, "no such resource");
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_error(&w, 1, e.code, e.text);
    golden_check("hxfr-error", out, w.len);
    CHECK(!ph_hxfr_parse_error(
            g.data + PH_HXFR_HEADER_SIZE, PH_HXFR_ERROR_SIZE - 1, &e));

    /* A text without an end is ended, a long one is cut. */
    memset(g.data + PH_HXFR_HEADER_SIZE + 4, 'x', PH_HXFR_ERROR_TEXT);
    CHECK(ph_hxfr_parse_error(
            g.data + PH_HXFR_HEADER_SIZE, PH_HXFR_ERROR_SIZE, &e));
    CHECK_EQ(strlen(e.text), PH_HXFR_ERROR_TEXT - 1);
    char text[600];
    memset(text, 'y', sizeof(text) - 1);
    text[sizeof(text) - 1] = 0;
    w = ph_writer(out, sizeof(out));
    ph_hxfr_write_error(&w, 1, -99, text);
    CHECK_EQ(w.len, PH_HXFR_HEADER_SIZE + PH_HXFR_ERROR_SIZE);
    CHECK_EQ(out[w.len - 1], 0);
}

static void test_scanouts(void)
{
    struct ph_writer w = ph_writer(out, sizeof(out));
    ph_hxfr_write_subscribe_resp(&w, 7, 7, false);
    golden_check("hxfr-subscribe-resp", out, w.len);
    w = ph_writer(out, sizeof(out));
    ph_hxfr_write_scanout_resp(&w, 1, 7, false, "");
    golden_check("hxfr-scanout-resp", out, w.len);
    uint32_t id = 0;
    CHECK(ph_hxfr_parse_scanout_id((uint8_t[]){7, 0, 1, 0}, 4, &id));
    CHECK_EQ(id, 0x10007);
    CHECK(!ph_hxfr_parse_scanout_id((uint8_t[]){7, 0, 1}, 3, &id));
}

/* A writer with too little room says so and writes nothing past it. */
static void test_short_buffers(void)
{
    for (size_t cap = 0; cap < 40; cap++) {
        memset(out, 0xee, sizeof(out));
        struct ph_writer w = ph_writer(out, cap);
        struct ph_hxfr_config c = {0};
        ph_hxfr_write_config(&w, 1, &c);
        CHECK(!w.ok);
        CHECK_EQ(out[cap], 0xee);
    }
}

int main(void)
{
    test_header();
    test_empty_messages();
    test_frame_request();
    test_frame_request_resource();
    test_layout();
    test_frame_response();
    test_join_nals();
    test_config();
    test_error();
    test_scanouts();
    test_short_buffers();
    return CHECK_DONE();
}
