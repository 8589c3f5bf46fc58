/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/stream_seat.h"

#include "golden.h"

static uint8_t out[4096];

/* Writes with `call`, compares with the golden message. */
#define CHECK_WRITE(name, call)                                                \
    do {                                                                       \
        struct ph_writer w = ph_writer(out, sizeof(out));                      \
        call;                                                                  \
        golden_check((name), out, w.len);                                      \
    } while (0)

/* Nothing shorter parses, nor anything longer. */
#define CHECK_LENGTHS(parse, g)                                                \
    do {                                                                       \
        for (size_t n_ = 0; n_ < (g).len; n_++) {                              \
            CHECK(!parse((g).data, n_, &v));                                   \
        }                                                                      \
        CHECK(!parse((g).data, (g).len + 1, &v));                              \
    } while (0)

static void test_clipboard(void)
{
    struct golden g = golden_read("stream-clipboard");
    struct ph_stream_piece v = {0};
    CHECK(ph_stream_parse_piece(g.data, g.len, &v));
    CHECK_EQ(v.flags, PH_STREAM_PIECE_FIRST);
    CHECK_EQ(v.total, 70000);
    CHECK_STR(v.name, "image/png");
    CHECK_EQ(v.size, 4);
    CHECK_EQ(v.data[0], 0x89);
    CHECK_WRITE("stream-clipboard",
                ph_stream_write_piece(&w, PH_STREAM_CLIPBOARD, &v);
                ph_write_bytes(&w, v.data, v.size));
    for (size_t n = 0; n < g.len - 4; n++) {
        CHECK(!ph_stream_parse_piece(g.data, n, &v));
    }
    ph_store_u64(g.data + 8, PH_STREAM_MAX_CLIPBOARD);
    CHECK(ph_stream_parse_piece(g.data, g.len, &v));
    ph_store_u64(g.data + 8, PH_STREAM_MAX_CLIPBOARD + 1);
    CHECK(!ph_stream_parse_piece(g.data, g.len, &v));

    g = golden_read("stream-clipboard-last");
    CHECK(ph_stream_parse_piece(g.data, g.len, &v));
    CHECK_EQ(v.flags, PH_STREAM_PIECE_LAST);
    CHECK_EQ(v.size, 3);
    CHECK_WRITE("stream-clipboard-last",
                ph_stream_write_piece(&w, PH_STREAM_CLIPBOARD, &v);
                ph_write_bytes(&w, v.data, v.size));
    g.data[1] = PH_STREAM_PIECE_CANCEL; /* has no data */
    CHECK(!ph_stream_parse_piece(g.data, g.len, &v));
    CHECK(ph_stream_parse_piece(g.data, g.len - 3, &v));
    g.data[4] = 1; /* a clipboard has no number */
    CHECK(!ph_stream_parse_piece(g.data, g.len - 3, &v));
}

static void test_file(void)
{
    struct golden g = golden_read("stream-file");
    struct ph_stream_piece v = {0};
    CHECK(ph_stream_parse_piece(g.data, g.len, &v));
    CHECK_EQ(v.flags, PH_STREAM_PIECE_FIRST | PH_STREAM_PIECE_LAST);
    CHECK_EQ(v.id, 7);
    CHECK_EQ(v.total, 5);
    CHECK_STR(v.name, "caf\xc3\xa9.txt");
    CHECK_EQ(v.size, 5);
    CHECK_WRITE("stream-file", ph_stream_write_piece(&w, PH_STREAM_FILE, &v);
                ph_write_bytes(&w, v.data, v.size));
    ph_store_u64(g.data + 8, PH_STREAM_MAX_FILE + 1);
    CHECK(!ph_stream_parse_piece(g.data, g.len, &v));

    g = golden_read("stream-progress");
    struct ph_stream_progress p = {0};
    CHECK(ph_stream_parse_progress(g.data, g.len, &p));
    CHECK_EQ(p.code, PH_STREAM_PROGRESS_DONE);
    CHECK_EQ(p.id, 7);
    CHECK_EQ(p.received, 5);
    CHECK_STR(p.text, "caf\xc3\xa9 (1).txt");
    CHECK_WRITE("stream-progress", ph_stream_write_progress(&w, &p));
    for (size_t n = 0; n < g.len; n++) {
        CHECK(!ph_stream_parse_progress(g.data, n, &p));
    }
}

static void test_cursor(void)
{
    struct golden g = golden_read("stream-cursor");
    struct ph_stream_cursor v = {0};
    CHECK(ph_stream_parse_cursor(g.data, g.len, &v));
    CHECK_EQ(v.flags, PH_STREAM_CURSOR_VISIBLE | PH_STREAM_CURSOR_SHAPE);
    CHECK_EQ(v.serial, 9);
    CHECK_EQ(v.x, -3);
    CHECK_EQ(v.y, 540);
    CHECK_EQ(v.width, 2);
    CHECK_EQ(v.height, 1);
    CHECK_EQ(v.hot_x, 1);
    CHECK_EQ(v.data[5], 128);
    CHECK_WRITE("stream-cursor", ph_stream_write_cursor(&w, 0, &v);
                ph_write_bytes(&w, v.data, 8));
    CHECK_LENGTHS(ph_stream_parse_cursor, g);
    ph_store_u16(g.data + 16, 2); /* the hotspot outside */
    CHECK(!ph_stream_parse_cursor(g.data, g.len, &v));
    ph_store_u16(g.data + 16, 0);
    ph_store_u16(g.data + 12, PH_STREAM_MAX_CURSOR + 1);
    CHECK(!ph_stream_parse_cursor(g.data, g.len, &v));
    ph_store_u16(g.data + 12, 0);
    CHECK(!ph_stream_parse_cursor(g.data, PH_STREAM_CURSOR_HEAD, &v));

    g = golden_read("stream-cursor-moved");
    CHECK(ph_stream_parse_cursor(g.data, g.len, &v));
    CHECK_EQ(v.x, 100);
    CHECK_WRITE("stream-cursor-moved", ph_stream_write_cursor(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_cursor, g);
}

static void test_text(void)
{
    struct golden g = golden_read("stream-text");
    const char *text = NULL;
    size_t size = 0;
    CHECK(ph_stream_parse_text(g.data, g.len, &text, &size));
    CHECK_EQ(size, g.len - PH_STREAM_HEADER_SIZE);
    CHECK_WRITE("stream-text", ph_stream_write_typed(&w, 0, text, size));
    CHECK(!ph_stream_parse_text(g.data, PH_STREAM_HEADER_SIZE, &text, &size));
    CHECK(!ph_stream_parse_text(g.data, g.len - 1, &text, &size));
    memset(out, 'a', sizeof(out));
    out[0] = PH_STREAM_TEXT;
    CHECK(ph_stream_parse_text(
            out, PH_STREAM_HEADER_SIZE + PH_STREAM_MAX_TYPED, &text, &size));
    CHECK(!ph_stream_parse_text(out,
            PH_STREAM_HEADER_SIZE + PH_STREAM_MAX_TYPED + 1, &text, &size));
}

static bool is_text(const char *text)
{
    return ph_stream_is_text((const uint8_t *)text, strlen(text));
}

static void test_utf8(void)
{
    static const char *const good[] = {"", "a\tb\nc", "\xc2\xa0",
            "\xed\x9f\xbf", "\xee\x80\x80", "\xf4\x8f\xbf\xbf",
            "\xf0\x90\x80\x80"};
    static const char *const bad[] = {"\x1b", "\r", "\x7f", "\xc2\x85",
            "\xc0\xaf", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80",
            "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\x80",
            "\xc3", "\xe2\x82", "\xe2\x28\xa1", "\xff"};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        CHECK(is_text(good[i]));
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        CHECK(!is_text(bad[i]));
    }
    CHECK(!ph_stream_is_text((const uint8_t *)"a\0b", 3));
}

static void test_motion(void)
{
    struct golden g = golden_read("stream-motion");
    struct ph_stream_motion v = {0};
    CHECK(ph_stream_parse_motion(g.data, g.len, &v));
    CHECK_EQ(v.dx, -384);
    CHECK_EQ(v.dy, 256);
    CHECK_WRITE("stream-motion", ph_stream_write_motion(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_motion, g);
    ph_store_u32(g.data + 4, PH_STREAM_MAX_MOTION);
    CHECK(ph_stream_parse_motion(g.data, g.len, &v));
    ph_store_u32(g.data + 4, PH_STREAM_MAX_MOTION + 1);
    CHECK(!ph_stream_parse_motion(g.data, g.len, &v));
    ph_store_u32(g.data + 4, 0x80000000);
    CHECK(!ph_stream_parse_motion(g.data, g.len, &v));
}

static void test_touch(void)
{
    struct golden g = golden_read("stream-touch");
    struct ph_stream_touch v = {0};
    CHECK(ph_stream_parse_touch(g.data, g.len, &v));
    CHECK_EQ(v.what, 1);
    CHECK_EQ(v.finger, 1);
    CHECK_EQ(v.at.x, 960);
    CHECK_WRITE("stream-touch", ph_stream_write_touch(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_touch, g);
    ph_store_u16(g.data + 4, PH_STREAM_MAX_FINGERS);
    CHECK(!ph_stream_parse_touch(g.data, g.len, &v));
    ph_store_u16(g.data + 4, 0);
    ph_store_u16(g.data + 6, 1920); /* outside */
    CHECK(!ph_stream_parse_touch(g.data, g.len, &v));
    g.data[1] = 2; /* where it went up is of no interest */
    CHECK(ph_stream_parse_touch(g.data, g.len, &v));
    g.data[1] = 4;
    CHECK(!ph_stream_parse_touch(g.data, g.len, &v));
}

static void test_locks(void)
{
    struct golden g = golden_read("stream-locks");
    struct ph_stream_locks v = {0};
    CHECK(ph_stream_parse_locks(g.data, g.len, &v));
    CHECK(v.caps);
    CHECK(v.num);
    CHECK_WRITE("stream-locks", ph_stream_write_locks(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_locks, g);
    CHECK_WRITE("stream-held", ph_stream_write_empty(&w, PH_STREAM_HELD, 0));
}

static void test_resize(void)
{
    struct golden g = golden_read("stream-resize");
    struct ph_stream_resize v = {0};
    CHECK(ph_stream_parse_resize(g.data, g.len, &v));
    CHECK_EQ(v.width, 2560);
    CHECK_EQ(v.height, 1440);
    CHECK_EQ(v.scale, 180);
    CHECK_WRITE("stream-resize", ph_stream_write_resize(&w, 0, &v));
    CHECK_LENGTHS(ph_stream_parse_resize, g);
    ph_store_u16(g.data + 4, PH_STREAM_MAX_SIDE + 1);
    CHECK(!ph_stream_parse_resize(g.data, g.len, &v));
    ph_store_u16(g.data + 4, 0);
    CHECK(!ph_stream_parse_resize(g.data, g.len, &v));
    ph_store_u16(g.data + 6, 0); /* not any more */
    CHECK(ph_stream_parse_resize(g.data, g.len, &v));
}

int main(void)
{
    test_clipboard();
    test_file();
    test_cursor();
    test_text();
    test_utf8();
    test_motion();
    test_touch();
    test_locks();
    test_resize();
    return CHECK_DONE();
}
