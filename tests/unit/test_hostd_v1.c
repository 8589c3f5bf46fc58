/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * porthole-hostd to guests of version 1, with a real encoder: a conversation
 * from a file, byte for byte, and pictures of each format, which must come
 * back as they were sent.
 */
#include <fcntl.h>

#define LOG_MODULE "test"
#include "common/log.h"
#include "common/macros.h"
#include "common/parse.h"
#include "proto/h264.h"

#include "golden.h"
#include "integration/decode.h"
#include "peer.h"
#include "v1_guest.h"

static struct ph_budget budget = {.limit = 256 << 20};
static struct ph_session_config config = {
        .encoder = &ph_encoder_libx264,
        .bitrate = 8000000,
        .budget = &budget,
        .progress_ms = PEER_WAIT_MS,
        .idle_ms = PEER_WAIT_MS,
};

static void finish(struct peer *p)
{
    peer_finish(p);
    CHECK_EQ(budget.used, 0);
}

/* --- the conversation --- */

/* Lines of one kind, one behind the other. */
struct block {
    char kind[8];
    char text[64]; /* of its first line */
    struct golden bytes;
};

static void add_hex(struct golden *g, const char *p)
{
    while (isxdigit((unsigned char)p[0]) && isxdigit((unsigned char)p[1])) {
        if (!CHECK(g->len < sizeof(g->data))) {
            return;
        }
        g->data[g->len++] =
                (uint8_t)(golden_digit(p[0]) << 4 | golden_digit(p[1]));
        p += p[2] == ' ' ? 3 : 2;
    }
}

static void expect_unit(struct peer *p, const char *text)
{
    struct ph_h264_unit unit = {0};
    struct ph_h264_sps sps = {0};
    uint32_t width = 0;
    uint32_t height = 0;
    const size_t before = PH_HXFR_FRAME_RESPONSE_SIZE + 4;
    bool key = strncmp(text, "key ", 4) == 0;
    CHECK(ph_parse_size(strchr(text, ' ') + 1, 8192, &width, &height));
    if (!peer_expect(p, PH_HXFR_FRAME_RESPONSE) ||
            !CHECK(p->header.payload > before)) {
        return;
    }
    size_t size = p->header.payload - before;
    CHECK(p->header.flags == 0 && p->header.session == 1);
    CHECK_EQ(ph_load_u32(p->payload + before - 4), size);
    CHECK(ph_h264_inspect(p->payload + before, size, &unit));
    CHECK(unit.idr == key && unit.has_sps == key && unit.has_pps == key);
    CHECK_EQ(unit.slices, 1);
    if (key && CHECK(ph_h264_parse_sps(unit.sps.data, unit.sps.size, &sps))) {
        CHECK_EQ(sps.width, width);
        CHECK_EQ(sps.height, height);
    }
}

static void play(struct peer *p, const struct block *b)
{
    const struct golden *g = &b->bytes;
    if (strcmp(b->kind, "guest") == 0) {
        CHECK(peer_write(p, g->data, g->len));
    } else if (strcmp(b->kind, "unit") == 0) {
        expect_unit(p, b->text);
    } else if (strcmp(b->kind, "head") == 0) {
        CHECK_MEM(p->payload, g->data, g->len);
        CHECK_EQ(g->len, PH_HXFR_FRAME_RESPONSE_SIZE);
    } else if (strcmp(b->kind, "error") == 0) {
        peer_expect_error(p, -(b->text[1] - '0'));
        CHECK_EQ(p->header.payload, 260);
        CHECK(p->header.flags == 0 && p->header.session == 1);
    } else if (CHECK(strcmp(b->kind, "host") == 0) &&
            peer_expect(p, g->data[4])) {
        CHECK_EQ(p->header.session, ph_load_u16(g->data + 6));
        CHECK_EQ(p->header.payload, g->len - PH_HXFR_HEADER_SIZE);
        CHECK_MEM(p->payload, g->data + PH_HXFR_HEADER_SIZE,
                g->len - PH_HXFR_HEADER_SIZE);
    }
}

/* Plays a block when a line of another kind follows. */
static void take_line(struct peer *p, struct block *b, const char *line)
{
    size_t len = strcspn(line, " \n");
    bool same = len > 0 && len == strlen(b->kind) &&
            strncmp(line, b->kind, len) == 0;
    const char *rest = line + len + (line[len] == ' ');
    if (!same && b->kind[0]) {
        play(p, b);
    }
    if (line[0] == '#' || len == 0) {
        b->kind[0] = 0;
        return;
    }
    if (!same) {
        b->bytes.len = 0;
        snprintf(b->kind, sizeof(b->kind), "%.*s", (int)len, line);
        snprintf(b->text, sizeof(b->text), "%.*s", (int)strcspn(rest, "\n"),
                rest);
    }
    add_hex(&b->bytes, rest);
}

static void test_conversation(void)
{
    char line[256];
    struct block block = {{0}};
    FILE *file = fopen(GOLDEN_DIR "/v1.talk", "r");
    if (!CHECK(file != NULL)) {
        return;
    }
    struct peer p = peer_begin(&config);
    while (fgets(line, sizeof(line), file)) {
        take_line(&p, &block, line);
    }
    take_line(&p, &block, "");
    fclose(file);
    /* Nothing came that was not asked for. */
    shutdown(p.fd, SHUT_WR);
    peer_expect_end(&p);
    finish(&p);
}

/* --- pictures --- */

/* A colour in each quarter. */
static const uint8_t colours[4][3] = {
        {60, 110, 150}, {180, 128, 128}, {120, 90, 200}, {90, 140, 110}};

/* Full-range BGR or RGB of a BT.601 limited colour. */
static uint8_t clip(double v)
{
    return (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
}

static void to_rgb(const uint8_t yuv[3], uint8_t rgb[3])
{
    double y = 1.164 * (yuv[0] - 16);
    double u = yuv[1] - 128;
    double v = yuv[2] - 128;
    rgb[0] = clip(y + 1.596 * v);
    rgb[1] = clip(y - 0.392 * u - 0.813 * v);
    rgb[2] = clip(y + 2.017 * u);
}

static const uint8_t *colour_at(
        const struct v1_frame *f, uint32_t x, uint32_t y)
{
    return colours[(y >= f->height / 2) * 2 + (x >= f->width / 2)];
}

static void draw(const struct v1_frame *f, uint8_t *out)
{
    uint8_t rgb[3];
    memset(out, 0xee, f->size); /* what is in the padding is nobody's */
    for (uint32_t y = 0; y < f->height; y++) {
        uint8_t *row = out + (size_t)y * f->stride;
        uint8_t *chroma =
                out + (size_t)f->stride * (v1_round(f->height, 2) + y / 2);
        for (uint32_t x = 0; x < f->width; x++) {
            const uint8_t *c = colour_at(f, x, y);
            if (f->format == V1_NV12) {
                row[x] = c[0];
                chroma[x & ~1u] = c[1];
                chroma[x | 1] = c[2];
                continue;
            }
            to_rgb(c, rgb);
            bool swap = f->format == V1_BGRA;
            row[4 * x] = rgb[swap ? 2 : 0];
            row[4 * x + 1] = rgb[1];
            row[4 * x + 2] = rgb[swap ? 0 : 2];
        }
    }
}

static void check_point(
        struct decoder *d, const struct v1_frame *f, uint32_t x, uint32_t y)
{
    uint8_t got[3] = {0};
    const uint8_t *want = colour_at(f, x, y);
    CHECK(decoder_pixel(d, x, y, got));
    for (int i = 0; i < 3; i++) {
        int diff = got[i] - want[i];
        if (!CHECK(diff >= -6 && diff <= 6)) {
            fprintf(stderr, "  %ux%u, format %x: %u,%u is %u %u %u\n", f->width,
                    f->height, f->format, x, y, got[0], got[1], got[2]);
            return;
        }
    }
}

static void test_picture(struct v1_guest *g, uint32_t format, uint32_t width,
        uint32_t height, uint32_t padding)
{
    struct v1_frame f = {.width = width,
            .height = height,
            .format = format,
            .stride = v1_stride(format, width) + padding,
            .pts = 7};
    f.size = v1_size(format, f.stride, height);
    uint8_t *pixels = malloc(f.size);
    draw(&f, pixels);
    f.pixels = pixels;
    struct decoder *d = decoder_create();
    if (CHECK_EQ(v1_encode(g, &f), V1_UNIT)) {
        uint32_t shown[2] = {0};
        CHECK(g->key == 1 && g->pts == 7 && g->nals == 1);
        CHECK(decoder_push(d, g->data, g->size));
        decoder_size(d, &shown[0], &shown[1]);
        CHECK_EQ(shown[0], v1_round(width, 2));
        CHECK_EQ(shown[1], v1_round(height, 2));
        for (uint32_t i = 0; i < 4; i++) {
            /* The middle of a quarter, and its outer corner. */
            uint32_t right = i % 2;
            uint32_t low = i / 2;
            check_point(d, &f, width / 4 + right * width / 2,
                    height / 4 + low * height / 2);
            check_point(d, &f, right * (width - 1), low * (height - 1));
        }
    }
    decoder_destroy(d);
    free(pixels);
}

static void test_pictures(void)
{
    static const uint32_t formats[] = {V1_NV12, V1_BGRA, V1_RGBA};
    static const struct {
        uint32_t width;
        uint32_t height;
        uint32_t padding; /* more than GStreamer's */
    } sizes[] = {{1366, 768, 0}, {33, 17, 0}, {35, 33, 0}, {64, 48, 64},
            {101, 99, 12}, {640, 360, 0}, {1921, 35, 0}};
    struct peer p = peer_begin(&config);
    struct v1_guest g = {.fd = p.fd};
    fcntl(p.fd, F_SETFL, 0); /* such guests block */
    for (size_t i = 0; i < PH_LEN(sizes); i++) {
        for (size_t k = 0; k < PH_LEN(formats); k++) {
            test_picture(&g, formats[k], sizes[i].width, sizes[i].height,
                    sizes[i].padding);
        }
    }
    free(g.data);
    finish(&p);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    test_conversation();
    test_pictures();
    return CHECK_DONE();
}
