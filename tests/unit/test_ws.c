/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/ws.h"

#include <stdlib.h>

#include "check.h"
#include "common/macros.h"

/* A client's frame; returns its length. */
static size_t frame(
        uint8_t *out, uint8_t first, const void *payload, size_t len)
{
    static const uint8_t mask[4] = {1, 2, 3, 0xfe};
    size_t n = 0;
    out[n++] = first;
    if (len < 126) {
        out[n++] = (uint8_t)(0x80 | len);
    } else {
        out[n++] = 0x80 | 126;
        out[n++] = (uint8_t)(len >> 8);
        out[n++] = (uint8_t)len;
    }
    memcpy(out + n, mask, 4);
    n += 4;
    for (size_t i = 0; i < len; i++) {
        out[n++] = ((const uint8_t *)payload)[i] ^ mask[i % 4];
    }
    return n;
}

static uint8_t wire[2 * PH_STREAM_MAX_CLIENT_MESSAGE];
static uint8_t payload[2 * PH_STREAM_MAX_CLIENT_MESSAGE];

/* The first event of the bytes, which come `step` at a time. */
static enum ph_ws_event feed(
        struct ph_ws_parser *p, const uint8_t *data, size_t len, size_t step)
{
    for (size_t pos = 0; pos < len;) {
        size_t n = PH_MIN(step, len - pos);
        size_t used = 0;
        enum ph_ws_event event = ph_ws_parse(p, data + pos, n, &used);
        CHECK(used <= n);
        if (event != PH_WS_GOT_NOTHING) {
            return event;
        }
        CHECK_EQ(used, n);
        pos += n;
    }
    return PH_WS_GOT_NOTHING;
}

static void test_messages(void)
{
    static const size_t sizes[] = {
            0, 1, 125, 126, 127, 1000, PH_STREAM_MAX_CLIENT_MESSAGE};
    for (size_t i = 0; i < sizeof(payload); i++) {
        payload[i] = (uint8_t)(i * 7);
    }
    for (size_t i = 0; i < PH_LEN(sizes); i++) {
        for (size_t step = 1; step < 9; step += 3) {
            struct ph_ws_parser p = {0};
            size_t n = frame(wire, 0x82, payload, sizes[i]);
            CHECK_EQ(feed(&p, wire, n, step), PH_WS_GOT_MESSAGE);
            CHECK_EQ(p.message_len, sizes[i]);
            CHECK_MEM(p.message, payload, sizes[i]);
        }
    }
}

/* Fragments, with a ping between them; then one more message. */
static void test_fragments(void)
{
    struct ph_ws_parser p = {0};
    size_t n = frame(wire, 0x02, "abc", 3);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_NOTHING);
    n = frame(wire, 0x89, "ping", 4);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_PING);
    CHECK_EQ(p.control_len, 4);
    CHECK_MEM(p.control, "ping", 4);
    n = frame(wire, 0x8a, "pong", 4);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_NOTHING);
    n = frame(wire, 0x80, "def", 3);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_MESSAGE);
    CHECK_EQ(p.message_len, 6);
    CHECK_MEM(p.message, "abcdef", 6);
    n = frame(wire, 0x82, "x", 1);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_MESSAGE);
    CHECK_EQ(p.message_len, 1);
    n = frame(wire, 0x88, "\x03\xe8", 2);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_CLOSE);
}

static void expect_failure(
        uint8_t first, const void *data, size_t len, enum ph_ws_code code)
{
    struct ph_ws_parser p = {0};
    size_t n = frame(wire, first, data, len);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_FAILED);
    CHECK_EQ(p.code, code);
}

static void test_failures(void)
{
    expect_failure(0x81, "text", 4, PH_WS_UNSUPPORTED);
    expect_failure(0x80, "no start", 8, PH_WS_PROTOCOL_ERROR);
    expect_failure(0x83, "opcode", 6, PH_WS_PROTOCOL_ERROR);
    expect_failure(0x8b, "opcode", 6, PH_WS_PROTOCOL_ERROR);
    expect_failure(0xc2, "reserved", 8, PH_WS_PROTOCOL_ERROR);
    expect_failure(0x09, "fragment", 8, PH_WS_PROTOCOL_ERROR);
    expect_failure(0x89, payload, 126, PH_WS_PROTOCOL_ERROR);
    expect_failure(
            0x82, payload, PH_STREAM_MAX_CLIENT_MESSAGE + 1, PH_WS_TOO_BIG);

    static const uint8_t unmasked[] = {0x82, 0x01, 'x'};
    struct ph_ws_parser p = {0};
    CHECK_EQ(feed(&p, unmasked, sizeof(unmasked), 1), PH_WS_FAILED);
    CHECK_EQ(p.code, PH_WS_PROTOCOL_ERROR);

    static const uint8_t huge[] = {0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
            0xff, 0xff, 0xff, 1, 2, 3, 4};
    p = (struct ph_ws_parser){0};
    CHECK_EQ(feed(&p, huge, sizeof(huge), 5), PH_WS_FAILED);
    CHECK_EQ(p.code, PH_WS_TOO_BIG);

    /* A second start before the first message ended. */
    p = (struct ph_ws_parser){0};
    size_t n = frame(wire, 0x02, "a", 1);
    n += frame(wire + n, 0x82, "b", 1);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_FAILED);
}

/* However many fragments, a message stays within its bound. */
static void test_fragment_flood(void)
{
    struct ph_ws_parser p = {0};
    size_t n = frame(wire, 0x02, payload, 1000);
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_NOTHING);
    n = frame(wire, 0x00, payload, 1000);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(feed(&p, wire, n, n), PH_WS_GOT_NOTHING);
    }
    CHECK_EQ(feed(&p, wire, n, n), PH_WS_FAILED);
    CHECK_EQ(p.code, PH_WS_TOO_BIG);
}

static void test_write_head(void)
{
    uint8_t out[PH_WS_MAX_HEAD];
    CHECK_EQ(ph_ws_write_head(out, PH_WS_BINARY, 125), 2);
    CHECK_MEM(out, "\x82\x7d", 2);
    CHECK_EQ(ph_ws_write_head(out, PH_WS_PONG, 0), 2);
    CHECK_MEM(out, "\x8a\x00", 2);
    CHECK_EQ(ph_ws_write_head(out, PH_WS_BINARY, 126), 4);
    CHECK_MEM(out, "\x82\x7e\x00\x7e", 4);
    CHECK_EQ(ph_ws_write_head(out, PH_WS_BINARY, 65535), 4);
    CHECK_MEM(out, "\x82\x7e\xff\xff", 4);
    CHECK_EQ(ph_ws_write_head(out, PH_WS_BINARY, 65536), 10);
    CHECK_MEM(out, "\x82\x7f\0\0\0\0\0\x01\0\0", 10);
}

int main(void)
{
    test_messages();
    test_fragments();
    test_failures();
    test_fragment_flood();
    test_write_head();
    return CHECK_DONE();
}
