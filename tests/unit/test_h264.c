/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "proto/h264.h"

#include "check.h"

/* What libx264 wrote for 1366x768 with every colour field set. */
static const uint8_t unit[] = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x20, 0xda, 0x01,
        0x58, 0x18, 0x79, 0xbc, 0x05, 0xa8, 0x08, 0x68, 0x32, 0x00, 0x00, 0x03,
        0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0x79, 0x1e, 0x30, 0x65, 0x40, 0, 0,
        0, 1, 0x68, 0xce, 0x0f, 0xc8, 0, 0, 1, 0x06, 0x05, 0xff, 0, 0, 1, 0x65,
        0x88, 0x84, 0x21};

/* 640x360 in High 4:4:4 Predictive; High with NAL HRD. No colour, B frames. */
static const uint8_t high444[] = {0x67, 0xf4, 0x00, 0x1e, 0x91, 0x9b, 0x28,
        0x14, 0x05, 0xff, 0x13, 0x80, 0x88, 0x00, 0x00, 0x03, 0x00, 0x08, 0x00,
        0x00, 0x03, 0x01, 0xe0, 0x78, 0xb1, 0x6c, 0xb0};
static const uint8_t hrd[] = {0x67, 0x64, 0x00, 0x1e, 0xac, 0xd9, 0x40, 0xa0,
        0x2f, 0xf9, 0x70, 0x11, 0x00, 0x00, 0x03, 0x00, 0x01, 0x00, 0x00, 0x03,
        0x00, 0x3c, 0x60, 0x40, 0x00, 0xf4, 0x24, 0x00, 0x1e, 0x84, 0xe4, 0xc3,
        0x00, 0x78, 0xb1, 0x6c, 0xb0};

static void test_walk(void)
{
    static const uint8_t types[] = {7, 8, 6, 5};
    static const size_t sizes[] = {29, 4, 3, 4};
    struct ph_h264_nal nal;
    size_t pos = 0;
    for (size_t i = 0; i < 4; i++) {
        if (!CHECK(ph_h264_next_nal(unit, sizeof(unit), &pos, &nal))) {
            return;
        }
        CHECK_EQ(nal.type, types[i]);
        CHECK_EQ(nal.size, sizes[i]);
    }
    CHECK(!ph_h264_next_nal(unit, sizeof(unit), &pos, &nal));

    pos = 0; /* a start code with nothing behind it */
    CHECK(!ph_h264_next_nal((uint8_t[]){0, 0, 0, 1}, 4, &pos, &nal));
    pos = 0;
    CHECK(!ph_h264_next_nal((uint8_t[]){0, 0, 1, 0}, 4, &pos, &nal));
    pos = 0;
    CHECK(!ph_h264_next_nal((uint8_t[]){1, 2, 3, 4}, 4, &pos, &nal));
    pos = 0;
    CHECK(!ph_h264_next_nal(unit, 0, &pos, &nal));
}

static void test_inspect(void)
{
    struct ph_h264_unit u;
    CHECK(ph_h264_inspect(unit, sizeof(unit), &u));
    CHECK(u.idr);
    CHECK(u.has_sps);
    CHECK(u.has_pps);
    CHECK_EQ(u.slices, 1);
    CHECK_EQ(u.sps.size, 29);
    CHECK(!ph_h264_inspect(unit, 46, &u)); /* parameter sets only */
    uint8_t delta[] = {0, 0, 1, 0x41, 0x9a, 0, 0, 0, 1, 0x41, 0x80};
    CHECK(ph_h264_inspect(delta, sizeof(delta), &u));
    CHECK(!u.idr);
    CHECK_EQ(u.slices, 2);
}

static void test_sps(void)
{
    struct ph_h264_sps s;
    char codec[PH_H264_CODEC_TEXT];
    CHECK(ph_h264_parse_sps(unit + 4, 29, &s));
    CHECK_EQ(s.profile, 66);
    CHECK_EQ(s.level, 32);
    CHECK_EQ(s.chroma_format, 1);
    CHECK_EQ(s.width, 1366); /* cropped from 1376 */
    CHECK_EQ(s.height, 768);
    CHECK(s.has_range);
    CHECK(!s.full_range);
    CHECK(s.has_colour);
    CHECK_EQ(s.primaries, 1);
    CHECK_EQ(s.transfer, 13);
    CHECK_EQ(s.matrix, 6);
    CHECK(s.has_reorder_bound);
    CHECK_EQ(s.max_reorder_frames, 0);
    ph_h264_codec_text(&s, codec);
    CHECK_STR(codec, "avc1.42C020");

    CHECK(ph_h264_parse_sps(high444, sizeof(high444), &s));
    CHECK_EQ(s.profile, 244);
    CHECK_EQ(s.chroma_format, 3);
    CHECK_EQ(s.width, 640);
    CHECK_EQ(s.height, 360);
    CHECK(!s.has_colour);
    CHECK(s.has_reorder_bound);
    CHECK_EQ(s.max_reorder_frames, 2);

    CHECK(ph_h264_parse_sps(hrd, sizeof(hrd), &s));
    CHECK_EQ(s.width, 640);
    CHECK_EQ(s.height, 360);
    CHECK(s.has_reorder_bound);
    CHECK_EQ(s.max_reorder_frames, 2);
}

/* Cut and bent parameter sets: refused, or some size; never past the end
 * (an exact-size copy, so that a sanitizer sees it). */
static void test_bent_sps(void)
{
    struct ph_h264_sps s;
    uint8_t copy[sizeof(hrd)];
    for (size_t n = 0; n < 10; n++) {
        CHECK(!ph_h264_parse_sps(hrd, n, &s));
    }
    for (size_t bit = 8; bit < sizeof(hrd) * 8; bit++) {
        memcpy(copy, hrd, sizeof(hrd));
        copy[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        if (ph_h264_parse_sps(copy, sizeof(copy), &s)) {
            CHECK(s.width > 0 && s.width <= 65536);
            CHECK(s.height > 0 && s.height <= 131072);
        }
    }
    memset(copy, 0, sizeof(copy));
    copy[0] = 0x67;
    CHECK(!ph_h264_parse_sps(copy, sizeof(copy), &s)); /* endless zeros */
    copy[0] = 0x68;
    CHECK(!ph_h264_parse_sps(copy, sizeof(copy), &s)); /* not an SPS */
}

int main(void)
{
    test_walk();
    test_inspect();
    test_sps();
    test_bent_sps();
    return CHECK_DONE();
}
