/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams of libx264 in many settings, bent until they look like those of
 * other encoders, and repaired: a decoder that takes the stream at its word
 * gives each picture at once, and the same picture.
 */
#include "proto/h264_repair.h"

#include <libavcodec/avcodec.h>
#include <libavutil/opt.h>
#include <stdlib.h>

#include "common/macros.h"
#include "integration/decode.h"
#include "proto/h264_bits.h"

#include "check.h"

enum {
    FRAMES = 8,
    SECOND_IDR = 5,
    MAX_UNIT = 1 << 18,
};

/* How an SPS is bent. */
enum vui {
    AS_IT_IS,
    NO_VUI, /* as VideoToolbox often writes it */
    NO_RESTRICTION, /* as some VA-API drivers do */
    REORDERS, /* a bound, but one that lets pictures wait */
};

enum sets {
    IN_BAND,
    FIRST_IDR_ONLY,
    OUT_OF_BAND,
};

struct bend {
    const char *name;
    enum vui vui;
    enum sets sets;
    uint8_t length_size;
};

static const struct bend bends[] = {
        {"none", AS_IT_IS, IN_BAND, 0},
        {"videotoolbox", NO_VUI, OUT_OF_BAND, 4},
        {"short sizes", NO_RESTRICTION, OUT_OF_BAND, 2},
        {"nvenc", NO_RESTRICTION, FIRST_IDR_ONLY, 0},
        {"vaapi", REORDERS, IN_BAND, 0},
        {"no vui", NO_VUI, FIRST_IDR_ONLY, 0},
};

struct stream {
    uint8_t *unit[FRAMES];
    size_t size[FRAMES];
};

static bool paint(AVFrame *f, int n)
{
    if (av_frame_make_writable(f) < 0) {
        return false;
    }
    for (int plane = 0; plane < 3; plane++) {
        int shift = plane > 0;
        for (int y = 0; y < f->height >> shift; y++) {
            for (int x = 0; x < f->width >> shift; x++) {
                int v = (x + 5 * n) / 9 * 37 + (y - 2 * n) / 7 * 11 + plane;
                f->data[plane][y * f->linesize[plane] + x] = (uint8_t)v;
            }
        }
    }
    f->pts = n;
    f->pict_type = n == SECOND_IDR ? AV_PICTURE_TYPE_I : AV_PICTURE_TYPE_NONE;
    return true;
}

static bool encode(struct stream *s, const char *params, int width, int height)
{
    const AVCodec *codec = avcodec_find_encoder_by_name("libx264");
    AVCodecContext *c = avcodec_alloc_context3(codec);
    AVFrame *f = av_frame_alloc();
    AVPacket *p = av_packet_alloc();
    c->width = f->width = width;
    c->height = f->height = height;
    c->pix_fmt = f->format = AV_PIX_FMT_YUV420P;
    c->time_base = (AVRational){1, 30};
    c->thread_count = 1;
    av_opt_set(c->priv_data, "preset", "veryfast", 0);
    av_opt_set(c->priv_data, "tune", "zerolatency", 0);
    av_opt_set(c->priv_data, "forced-idr", "1", 0);
    av_opt_set(c->priv_data, "x264-params", params, 0);
    bool ok = avcodec_open2(c, codec, NULL) == 0 &&
            av_frame_get_buffer(f, 0) == 0;
    for (int n = 0; n < FRAMES && ok; n++) {
        ok = paint(f, n) && avcodec_send_frame(c, f) == 0 &&
                avcodec_receive_packet(c, p) == 0;
        s->size[n] = ok ? (size_t)p->size : 0;
        s->unit[n] = malloc(s->size[n] + 1);
        if (ok && s->unit[n]) {
            memcpy(s->unit[n], p->data, s->size[n]);
        }
        av_packet_unref(p);
    }
    av_packet_free(&p);
    av_frame_free(&f);
    avcodec_free_context(&c);
    return ok;
}

static void free_stream(struct stream *s)
{
    for (int n = 0; n < FRAMES; n++) {
        free(s->unit[n]);
    }
}

static void copy_bits(
        struct ph_h264_bits *in, struct ph_h264_bit_writer *out, size_t until)
{
    while (in->pos < until) {
        ph_h264_put(out, 1, ph_h264_get(in, 1));
    }
}

/* The SPS with less in its VUI; header and all. */
static size_t bend_sps(
        enum vui vui, const struct ph_h264_nal *nal, uint8_t *out, size_t cap)
{
    uint8_t rbsp[PH_H264_MAX_SET];
    uint8_t bent[PH_H264_MAX_SET];
    struct ph_h264_sps sps;
    struct ph_h264_sps_layout at;
    size_t len = 0;
    size_t n = ph_h264_unescape(nal->data + 1, nal->size - 1, rbsp);
    CHECK(ph_h264_read_sps(rbsp, n, &sps, &at) && at.has_vui);
    struct ph_h264_bits in = {rbsp, n * 8, 0, true};
    struct ph_h264_bit_writer w = {bent, sizeof(bent) * 8, 0, true};
    if (vui == NO_VUI) {
        copy_bits(&in, &w, at.vui);
        ph_h264_put(&w, 1, 0);
    } else if (vui == NO_RESTRICTION) {
        copy_bits(&in, &w, at.restriction);
        ph_h264_put(&w, 1, 0);
    } else {
        copy_bits(&in, &w, at.reorder);
        ph_h264_put_ue(&w, 2);
        ph_h264_put_ue(&w, PH_MAX(at.ref_frames, 2u));
    }
    ph_h264_put(&w, 1, 1);
    while (w.pos % 8) {
        ph_h264_put(&w, 1, 0);
    }
    out[0] = nal->data[0];
    CHECK(ph_h264_escape(bent, w.pos / 8, out + 1, cap - 1, &len));
    return len + 1;
}

static void append(uint8_t length_size, const uint8_t *data, size_t size,
        uint8_t *out, size_t *len)
{
    static const uint8_t start[] = {0, 0, 1};
    if (length_size) {
        for (int i = length_size - 1; i >= 0; i--) {
            out[(*len)++] = (uint8_t)(size >> 8 * i);
        }
    } else {
        memcpy(out + *len, start, sizeof(start));
        *len += sizeof(start);
    }
    memcpy(out + *len, data, size);
    *len += size;
}

/* One unit as that other encoder would give it. */
static size_t bend_unit(const struct bend *b, const struct stream *s, int n,
        struct ph_h264_repair *r, uint8_t *out)
{
    struct ph_h264_nal nal;
    size_t pos = 0;
    size_t len = 0;
    while (ph_h264_next_nal(s->unit[n], s->size[n], &pos, &nal)) {
        uint8_t sps[PH_H264_MAX_SET];
        if (nal.type == PH_H264_SPS && b->vui != AS_IT_IS) {
            nal.size = bend_sps(b->vui, &nal, sps, sizeof(sps));
            nal.data = sps;
        }
        bool is_set = nal.type == PH_H264_SPS || nal.type == PH_H264_PPS;
        if (is_set && b->sets == OUT_OF_BAND && n == 0) {
            CHECK(ph_h264_repair_set(r, nal.data, nal.size));
        }
        if (!is_set || b->sets == IN_BAND ||
                (b->sets == FIRST_IDR_ONLY && n == 0)) {
            append(b->length_size, nal.data, nal.size, out, &len);
        }
    }
    return len;
}

static void check_sets(const uint8_t *data, size_t size, bool idr)
{
    struct ph_h264_unit u;
    struct ph_h264_sps sps;
    CHECK(ph_h264_inspect(data, size, &u));
    CHECK_EQ(u.idr, idr);
    CHECK_EQ(u.has_sps, idr);
    CHECK_EQ(u.has_pps, idr);
    if (idr && CHECK(ph_h264_parse_sps(u.sps.data, u.sps.size, &sps))) {
        CHECK(sps.has_reorder_bound);
        CHECK_EQ(sps.max_reorder_frames, 0);
        CHECK(sps.has_colour);
        CHECK_EQ(sps.matrix, 6);
        CHECK_EQ(sps.transfer, 13);
    }
}

static void check_same(struct decoder *a, struct decoder *b)
{
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t others[2];
    unsigned differ = 0;
    decoder_size(a, &width, &height);
    decoder_size(b, &others[0], &others[1]);
    CHECK(width == others[0] && height == others[1] && width > 0);
    for (uint32_t y = 0; y < height; y += 3) {
        for (uint32_t x = 0; x < width; x++) {
            uint8_t p[2][3] = {{0}};
            CHECK(decoder_pixel(a, x, y, p[0]) && decoder_pixel(b, x, y, p[1]));
            differ += memcmp(p[0], p[1], 3) != 0;
        }
    }
    CHECK_EQ(differ, 0);
}

static void check_bend(const struct bend *b, const struct stream *s)
{
    static uint8_t bent[MAX_UNIT];
    static uint8_t fixed[MAX_UNIT];
    struct ph_h264_repair r = {
            .length_size = b->length_size, .colour = {1, 13, 6, false}};
    struct decoder *plain = decoder_create();
    struct decoder *patient = decoder_create_patient();
    for (int n = 0; n < FRAMES; n++) {
        size_t needed = 0;
        size_t again = 0;
        size_t len = bend_unit(b, s, n, &r, bent);
        if (!CHECK(ph_h264_repair_unit(&r, bent, len, NULL, 0, &again)) ||
                !CHECK(ph_h264_repair_unit(
                        &r, bent, len, fixed, again, &needed))) {
            break;
        }
        CHECK_EQ(needed, again);
        check_sets(fixed, needed, n == 0 || n == SECOND_IDR);
        CHECK(decoder_push(plain, s->unit[n], s->size[n]));
        if (!CHECK(decoder_push(patient, fixed, needed))) {
            fprintf(stderr, "  %s: picture %d is kept back\n", b->name, n);
            break;
        }
        check_same(plain, patient);
    }
    decoder_destroy(plain);
    decoder_destroy(patient);
}

/* Without repair such a decoder keeps the first picture: the test tests. */
static void check_kept_back(const struct stream *s)
{
    static uint8_t bent[MAX_UNIT];
    struct ph_h264_repair unused = {0};
    const struct bend b = {"", NO_RESTRICTION, IN_BAND, 0};
    struct decoder *patient = decoder_create_patient();
    size_t len = bend_unit(&b, s, 0, &unused, bent);
    CHECK(!decoder_push(patient, bent, len));
    decoder_destroy(patient);
}

static void test_streams(void)
{
    static const struct {
        const char *params;
        int width;
        int height;
    } settings[] = {
            {"ref=1", 320, 176},
            {"cabac=0:8x8dct=0:ref=3", 322, 182},
            {"ref=4:aud=1", 640, 360},
            {"slices=4:weightp=2", 322, 182},
            {"nal-hrd=cbr:filler=1:bitrate=2000:vbv-maxrate=2000"
             ":vbv-bufsize=500",
                    320, 176},
            {"tff=1", 320, 192},
            {"colorprim=bt709:transfer=iec61966-2-1:colormatrix=smpte170m", 320,
                    176},
    };
    for (size_t i = 0; i < PH_LEN(settings); i++) {
        struct stream s = {0};
        if (!CHECK(encode(&s, settings[i].params, settings[i].width,
                    settings[i].height))) {
            fprintf(stderr, "  libx264 %s\n", settings[i].params);
        }
        check_kept_back(&s);
        for (size_t b = 0; b < PH_LEN(bends); b++) {
            check_bend(&bends[b], &s);
        }
        free_stream(&s);
    }
}

/* A host pads to whole macroblocks, and shows what it was given. */
static void test_crop(void)
{
    static uint8_t fixed[MAX_UNIT];
    static const uint32_t sizes[][2] = {{322, 178}, {336, 192}, {2, 2}};
    struct stream s = {0};
    CHECK(encode(&s, "ref=1", 336, 192));
    for (size_t i = 0; i < PH_LEN(sizes); i++) {
        struct ph_h264_repair r = {.width = sizes[i][0], .height = sizes[i][1]};
        struct decoder *d = decoder_create_patient();
        size_t needed = 0;
        uint32_t got[2] = {0};
        CHECK(ph_h264_repair_unit(
                &r, s.unit[0], s.size[0], fixed, sizeof(fixed), &needed));
        CHECK(decoder_push(d, fixed, needed));
        decoder_size(d, &got[0], &got[1]);
        CHECK(got[0] == sizes[i][0] && got[1] == sizes[i][1]);
        decoder_destroy(d);
    }
    free_stream(&s);
}

static const uint8_t sps[] = {0x67, 0x42, 0xc0, 0x15, 0xda, 0x05, 0x07, 0xe9,
        0xa8, 0x08, 0x68, 0x32, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00, 0x00, 0x03,
        0x00, 0xf1, 0x1e, 0x2c, 0x5d, 0x40};
static const uint8_t pps[] = {0x68, 0xce, 0x0f, 0xc8};

static void test_sets(void)
{
    struct ph_h264_repair r = {0};
    uint8_t many[8] = {0x68, 0x80, 0x12, 0x34};
    CHECK(ph_h264_repair_set(&r, sps, sizeof(sps)));
    CHECK(ph_h264_repair_set(&r, pps, sizeof(pps)));
    size_t once[] = {r.sps.size, r.pps.size};
    CHECK(ph_h264_repair_set(&r, pps, sizeof(pps))); /* in place of itself */
    CHECK(ph_h264_repair_set(&r, sps, sizeof(sps)));
    CHECK(r.sps.size == once[0] && r.pps.size == once[1]);
    many[1] = 0x40; /* id 1 */
    CHECK(ph_h264_repair_set(&r, many, 4));
    CHECK_EQ(r.pps.size, once[1] + 4 + 4);
    CHECK(ph_h264_repair_set(&r, pps, sizeof(pps)));
    CHECK_EQ(r.pps.size, once[1] + 4 + 4);

    CHECK(!ph_h264_repair_set(&r, sps, 0));
    CHECK(!ph_h264_repair_set(&r, sps, 1));
    CHECK(!ph_h264_repair_set(&r, sps, 10)); /* cut */
    CHECK(!ph_h264_repair_set(&r, (uint8_t[]){0x65, 1, 2, 3}, 4));
    CHECK(!ph_h264_repair_set(&r, (uint8_t[]){0x68, 0, 0, 0}, 4));
    for (int id = 0; id < 1000; id++) { /* more of them than there is room */
        uint8_t big[512] = {0x68, 0, 0x20, (uint8_t)id};
        memset(big + 4, 1, sizeof(big) - 4);
        big[1] = (uint8_t)(id >> 8 | 1);
        if (!ph_h264_repair_set(&r, big, sizeof(big))) {
            break;
        }
        CHECK(r.pps.size <= sizeof(r.pps.data));
    }
}

static void test_framing(void)
{
    uint8_t out[64];
    size_t n = 0;
    const uint8_t unit[] = {0, 2, 9, 0xf0, 0, 3, 0x41, 0x9a, 1, 0, 2, 12, 0xff};
    struct ph_h264_repair r = {.length_size = 2};
    for (size_t len = 0; len < 9; len++) {
        CHECK(!ph_h264_repair_unit(&r, unit, len, out, sizeof(out), &n));
    }
    /* Neither the delimiter nor the filler. */
    CHECK(ph_h264_repair_unit(&r, unit, sizeof(unit), out, sizeof(out), &n));
    CHECK_EQ(n, 7);
    CHECK_MEM(out, ((uint8_t[]){0, 0, 0, 1, 0x41, 0x9a, 1}), 7);
    CHECK(!ph_h264_repair_unit(&r, unit, sizeof(unit) - 1, out, 64, &n));
    memset(out, 7, sizeof(out)); /* no room: nothing is written past it */
    CHECK(ph_h264_repair_unit(&r, unit, sizeof(unit), out, 5, &n));
    CHECK(n == 7 && out[5] == 7);
    r.length_size = 1;
    const uint8_t empty[] = {0, 1, 0x41};
    CHECK(!ph_h264_repair_unit(&r, empty, sizeof(empty), out, 64, &n));
}

int main(void)
{
    av_log_set_level(AV_LOG_QUIET);
    test_streams();
    test_crop();
    test_sets();
    test_framing();
    return CHECK_DONE();
}
