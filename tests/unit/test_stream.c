/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/stream.h"

#include "golden.h"

static uint8_t out[4096];

/* Writes with `call`, compares with the golden message. */
#define CHECK_WRITE(name, call)                                                \
    do {                                                                       \
        struct ph_writer w = ph_writer(out, sizeof(out));                      \
        call;                                                                  \
        golden_check((name), out, w.len);                                      \
    } while (0)

/* No shorter message than len parses; a longer one only when it may. */
#define CHECK_LENGTHS(parse, g, longer_ok)                                     \
    do {                                                                       \
        for (size_t n_ = 0; n_ < (g).len; n_++) {                              \
            CHECK(!parse((g).data, n_, &v));                                   \
        }                                                                      \
        CHECK_EQ(parse((g).data, (g).len + 1, &v), (longer_ok));               \
    } while (0)

static void test_header(void)
{
    struct ph_stream_header h = {0};
    uint8_t msg[] = {0x81, 1, 2, 3};
    CHECK(ph_stream_parse_header(msg, 4, &h));
    CHECK_EQ(h.type, PH_STREAM_KEY);
    CHECK_EQ(h.flags, 1);
    CHECK_EQ(h.stream, 0x302);
    CHECK(!ph_stream_parse_header(msg, 3, &h));
}

static void test_welcome(void)
{
    struct golden g = golden_read("stream-welcome");
    struct ph_stream_welcome v = {0};
    CHECK(ph_stream_parse_welcome(g.data, g.len, &v));
    CHECK_EQ(v.version, PH_STREAM_VERSION);
    CHECK_EQ(v.role, PH_STREAM_MAY_DRIVE);
    CHECK_STR(v.name, "desktop");
    CHECK_WRITE("stream-welcome", ph_stream_write_welcome(&w, &v));
    CHECK_LENGTHS(ph_stream_parse_welcome, g, true);
}

static void test_config(void)
{
    struct golden g = golden_read("stream-config");
    struct ph_stream_config v = {0};
    CHECK(ph_stream_parse_config(g.data, g.len, &v));
    CHECK_EQ(v.width, 1920);
    CHECK_EQ(v.height, 1080);
    CHECK_STR(v.codec, "avc1.42E02A");
    CHECK_WRITE("stream-config", ph_stream_write_config(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_config, g, true);
    memset(g.data + 4, 0, 2);
    CHECK(!ph_stream_parse_config(g.data, g.len, &v));
}

static void test_frame(void)
{
    struct golden g = golden_read("stream-frame");
    struct ph_stream_frame v = {0};
    CHECK(ph_stream_parse_frame(g.data, g.len, &v));
    CHECK_EQ(v.flags, PH_STREAM_FRAME_KEY);
    CHECK_EQ(v.sequence, 42);
    CHECK_EQ(v.captured_us, 5000000);
    CHECK_EQ(v.sent_us, 5006500);
    uint32_t sum = 0;
    for (int i = 0; i < PH_STREAM_STAGES; i++) {
        sum += v.stage_us[i];
    }
    CHECK_EQ(sum, v.sent_us - v.captured_us);
    CHECK_EQ(v.stage_us[PH_STREAM_STAGE_ENCODE], 4900);
    CHECK_EQ(v.size, 7);
    CHECK_EQ(v.data[4], 0x65);
    CHECK_WRITE("stream-frame", ph_stream_write_frame(&w, 0, &v);
                ph_write_bytes(&w, v.data, v.size));
    for (size_t n = 0; n <= PH_STREAM_FRAME_SIZE; n++) {
        CHECK(!ph_stream_parse_frame(g.data, n, &v));
    }
}

static void test_times(void)
{
    struct golden g = golden_read("stream-unchanged");
    uint64_t v = 0;
    CHECK(ph_stream_parse_unchanged(g.data, g.len, &v));
    CHECK_EQ(v, 6000000);
    CHECK_WRITE("stream-unchanged", ph_stream_write_unchanged(&w, 0, v));
    CHECK_LENGTHS(ph_stream_parse_unchanged, g, false);

    g = golden_read("stream-ping");
    CHECK(ph_stream_parse_ping(g.data, g.len, &v));
    CHECK_EQ(v, 123456789);
    CHECK_WRITE("stream-ping", ph_stream_write_ping(&w, v));
    CHECK_LENGTHS(ph_stream_parse_ping, g, false);
}

static void test_pong(void)
{
    struct golden g = golden_read("stream-pong");
    struct ph_stream_pong v = {0};
    CHECK(ph_stream_parse_pong(g.data, g.len, &v));
    CHECK_EQ(v.token, 123456789);
    CHECK_EQ(v.server_us, 7000000);
    CHECK_WRITE("stream-pong", ph_stream_write_pong(&w, &v));
    CHECK_LENGTHS(ph_stream_parse_pong, g, false);
}

static void test_notices(void)
{
    struct golden g = golden_read("stream-status");
    struct ph_stream_notice v = {0};
    CHECK(ph_stream_parse_notice(g.data, g.len, &v));
    CHECK_EQ(v.code, PH_STREAM_STATUS_NO_HOST);
    CHECK_STR(v.text, "the encoding host is away");
    CHECK_WRITE(
            "stream-status", ph_stream_write_notice(&w, PH_STREAM_STATUS, &v));
    CHECK_LENGTHS(ph_stream_parse_notice, g, true);

    g = golden_read("stream-goodbye");
    CHECK(ph_stream_parse_notice(g.data, g.len, &v));
    CHECK_EQ(v.code, PH_STREAM_BAD_TOKEN);
    CHECK_WRITE("stream-goodbye",
            ph_stream_write_notice(&w, PH_STREAM_GOODBYE, &v));
}

static void test_auth(void)
{
    struct golden g = golden_read("stream-auth");
    struct ph_stream_auth v = {0};
    CHECK(ph_stream_parse_auth(g.data, g.len, &v));
    CHECK_STR(v.token, "c2VjcmV0LXRva2Vu");
    CHECK_WRITE("stream-auth", ph_stream_write_auth(&w, &v));
    CHECK_LENGTHS(ph_stream_parse_auth, g, false);
    uint8_t msg[200] = {PH_STREAM_AUTH, 0, 0, 0, PH_STREAM_MAX_TOKEN};
    memset(msg + 5, 'a', sizeof(msg) - 5);
    CHECK(ph_stream_parse_auth(msg, 5 + PH_STREAM_MAX_TOKEN, &v));
    msg[4]++;
    CHECK(!ph_stream_parse_auth(msg, 6 + PH_STREAM_MAX_TOKEN, &v));
    msg[4] = 0;
    CHECK(!ph_stream_parse_auth(msg, 5, &v)); /* empty */
    msg[4] = 3;
    msg[6] = 0;
    CHECK(!ph_stream_parse_auth(msg, 8, &v)); /* a zero inside */
}

static void test_presses(void)
{
    struct golden g = golden_read("stream-key");
    {
        struct ph_stream_key v = {0};
        CHECK(ph_stream_parse_key(g.data, g.len, &v));
        CHECK_EQ(v.code, 30);
        CHECK(v.pressed);
        CHECK_WRITE("stream-key", ph_stream_write_key(&w, 0, &v));
        CHECK_LENGTHS(ph_stream_parse_key, g, false);
        g.data[1] = 0;
        CHECK(ph_stream_parse_key(g.data, g.len, &v));
        CHECK(!v.pressed);
        g.data[4] = 0; /* KEY_RESERVED */
        CHECK(!ph_stream_parse_key(g.data, g.len, &v));
        g.data[5] = 3; /* KEY_CNT */
        CHECK(!ph_stream_parse_key(g.data, g.len, &v));
    }
    g = golden_read("stream-button");
    struct ph_stream_button v = {0};
    CHECK(ph_stream_parse_button(g.data, g.len, &v));
    CHECK_EQ(v.code, 0x110);
    CHECK(v.pressed);
    CHECK_WRITE("stream-button", ph_stream_write_button(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_button, g, false);
}

static void test_pointer(void)
{
    struct golden g = golden_read("stream-pointer");
    struct ph_stream_pointer v = {0};
    CHECK(ph_stream_parse_pointer(g.data, g.len, &v));
    CHECK_EQ(v.x, 960);
    CHECK_EQ(v.y, 540);
    CHECK_EQ(v.width, 1920);
    CHECK_EQ(v.height, 1080);
    CHECK_WRITE("stream-pointer", ph_stream_write_pointer(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_pointer, g, false);
    ph_store_u16(g.data + 4, 1920); /* outside */
    CHECK(!ph_stream_parse_pointer(g.data, g.len, &v));
    ph_store_u16(g.data + 4, 0);
    ph_store_u16(g.data + 10, 0); /* no height */
    CHECK(!ph_stream_parse_pointer(g.data, g.len, &v));
}

static void test_wheel(void)
{
    struct golden g = golden_read("stream-wheel");
    struct ph_stream_wheel v = {0};
    CHECK(ph_stream_parse_wheel(g.data, g.len, &v));
    CHECK(v.smooth);
    CHECK_EQ(v.dx, -30);
    CHECK_EQ(v.dy, 120);
    CHECK_WRITE("stream-wheel", ph_stream_write_wheel(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_wheel, g, false);
}

static void test_ack(void)
{
    struct golden g = golden_read("stream-ack");
    struct ph_stream_ack v = {0};
    CHECK(ph_stream_parse_ack(g.data, g.len, &v));
    CHECK_EQ(v.sequence, 42);
    CHECK_EQ(v.decode_us, 2100);
    CHECK_EQ(v.present_us, 5300);
    CHECK_WRITE("stream-ack", ph_stream_write_ack(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_ack, g, false);
}

static void test_settings(void)
{
    struct golden g = golden_read("stream-settings");
    struct ph_stream_settings v = {0};
    CHECK(ph_stream_parse_settings(g.data, g.len, &v));
    CHECK_EQ(v.flags, PH_STREAM_PAUSED);
    CHECK_EQ(v.fps, 30);
    CHECK_WRITE("stream-settings", ph_stream_write_settings(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_settings, g, false);
    ph_store_u16(g.data + 4, PH_STREAM_MAX_FPS + 1);
    CHECK(!ph_stream_parse_settings(g.data, g.len, &v));
}

static void test_empty(void)
{
    CHECK_WRITE("stream-release-all",
            ph_stream_write_empty(&w, PH_STREAM_RELEASE_ALL, 0));
    CHECK_WRITE("stream-keyframe",
            ph_stream_write_empty(&w, PH_STREAM_KEYFRAME, 0));
}

/* A text from a peer is one line without control characters. */
static void test_hostile_text(void)
{
    uint8_t msg[] = {PH_STREAM_STATUS, 0, 0, 0, 1, 0, 3, 'a', '\n', 0x1b};
    struct ph_stream_notice v;
    CHECK(ph_stream_parse_notice(msg, sizeof(msg), &v));
    CHECK_STR(v.text, "a??");
}

int main(void)
{
    test_header();
    test_welcome();
    test_config();
    test_frame();
    test_times();
    test_pong();
    test_notices();
    test_auth();
    test_presses();
    test_pointer();
    test_wheel();
    test_ack();
    test_settings();
    test_empty();
    test_hostile_text();
    return CHECK_DONE();
}
