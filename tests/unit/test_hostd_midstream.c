/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Size, format, bit rate, profile and frame rate change in mid-stream, with
 * each encoder that works here: N frames in give N access units, each of which
 * decodes to a picture of the right size.
 */
#include <fcntl.h>

#define LOG_MODULE "test"
#include "common/log.h"
#include "common/macros.h"
#include "proto/h264.h"

#include "encoders.h"
#include "integration/decode.h"
#include "peer.h"
#include "v1_guest.h"

static struct ph_budget budget = {.limit = 512 << 20};
static struct ph_session_config config = {
        .bitrate = 8000000,
        .budget = &budget,
        .progress_ms = PEER_WAIT_MS,
        .idle_ms = PEER_WAIT_MS,
};

enum {
    FRAMES = 80,
    EVERY = 10 /* frames a step of the plan lasts */
};

/* One step each; 0: as before. What it changes must show in the first access
 * unit of the step. */
static const struct step {
    uint32_t width;
    uint32_t height;
    uint32_t format;
    struct ph_hxfr_config rate;
    bool keyframe; /* asked for with KEYFRAME_REQ */
    bool begins; /* with a keyframe, whatever the encoder */
} plan[FRAMES / EVERY] = {
        {320, 240, V1_NV12, {0}, false, true},
        {0, 0, 0, {.bitrate = 500000}, false, false},
        {640, 362, 0, {0}, false, true},
        {0, 0, V1_BGRA, {0}, false, true},
        {0, 0, 0, {.profile = 66}, false, true},
        {0, 0, 0, {.fps_num = 30, .fps_den = 1}, true, true},
        {160, 120, V1_NV12, {.bitrate = 2000000, .profile = 77}, false, true},
        {0, 0, 0, {.fps_num = 15, .fps_den = 1}, true, true},
};

/* What holds in this frame. */
static struct step state_at(int frame)
{
    struct step s = plan[0];
    for (int i = 1; i <= frame / EVERY; i++) {
        const struct step *p = &plan[i];
        s.width = p->width ? p->width : s.width;
        s.height = p->height ? p->height : s.height;
        s.format = p->format ? p->format : s.format;
        s.rate.profile = p->rate.profile ? p->rate.profile : s.rate.profile;
    }
    return s;
}

static bool begins(int frame)
{
    return frame % EVERY == 0 && plan[frame / EVERY].begins;
}

static bool wants_rate(const struct step *step)
{
    return step->rate.bitrate || step->rate.profile || step->rate.fps_num;
}

static void check_unit(struct decoder *d, int frame, bool key,
        const uint8_t *data, size_t size)
{
    struct step s = state_at(frame);
    struct ph_h264_unit unit = {0};
    struct ph_h264_sps sps = {0};
    uint32_t width = 0;
    uint32_t height = 0;
    CHECK(ph_h264_inspect(data, size, &unit));
    CHECK_EQ(unit.idr, key);
    CHECK(key || !begins(frame));
    if (key && CHECK(ph_h264_is_entry(data, size)) &&
            CHECK(ph_h264_parse_sps(unit.sps.data, unit.sps.size, &sps))) {
        CHECK_EQ(sps.width, s.width);
        CHECK_EQ(sps.height, s.height);
        CHECK(!s.rate.profile || sps.profile <= s.rate.profile);
    }
    CHECK(decoder_push(d, data, size));
    decoder_size(d, &width, &height);
    CHECK(width == s.width && height == s.height);
}

/* --- version 1 --- */

static void send_rate(struct v1_guest *g, const struct ph_hxfr_config *rate)
{
    uint8_t buf[64];
    uint8_t head[V1_HEADER];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_hxfr_config c = *rate;
    c.fps_den = 1;
    ph_hxfr_write_config(&w, 1, &c);
    CHECK(v1_write(g, w.data, w.len));
    /* CONFIG_RESP: empty. */
    CHECK(v1_read(g, head, sizeof(head)));
    CHECK(head[4] == PH_HXFR_CONFIG_RESP && v1_get32(head + 8) == 0);
}

static void frame_v1(struct v1_guest *g, struct decoder *d, int i)
{
    const struct step *step = &plan[i / EVERY];
    struct step s = state_at(i);
    if (i % EVERY == 0 && wants_rate(step)) {
        send_rate(g, &step->rate);
    }
    if (i % EVERY == 0 && step->keyframe) {
        CHECK(v1_message(g, PH_HXFR_KEYFRAME_REQ, NULL, 0));
    }
    struct v1_frame f = {.width = s.width,
            .height = s.height,
            .format = s.format,
            .stride = v1_stride(s.format, s.width),
            .pts = i};
    f.size = v1_size(f.format, f.stride, f.height);
    uint8_t *pixels = malloc(f.size);
    memset(pixels, i * 3, f.size);
    f.pixels = pixels;
    if (CHECK_EQ(v1_encode(g, &f), V1_UNIT)) {
        CHECK_EQ(g->pts, i);
        check_unit(d, i, g->key, g->data, g->size);
    }
    free(pixels);
}

static void test_v1(const struct ph_encoder_ops *encoder)
{
    struct ph_session_config c = config;
    c.encoder = encoder;
    struct peer p = peer_begin(&c);
    struct v1_guest g = {.fd = p.fd};
    struct decoder *d = decoder_create();
    fcntl(p.fd, F_SETFL, 0);
    for (int i = 0; i < FRAMES; i++) {
        frame_v1(&g, d, i);
    }
    decoder_destroy(d);
    free(g.data);
    peer_finish(&p);
    CHECK_EQ(budget.used, 0);
}

/* --- the extensions, four requests in flight --- */

static void send_step(struct peer *p, int i, struct ph_hxfr_surface *surface)
{
    const struct step *step = &plan[i / EVERY];
    struct step s = state_at(i);
    uint8_t buf[64];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (i == 0 || step->width || step->format) {
        *surface = peer_surface(
                p, (uint32_t)(1000 + i), s.format, s.width, s.height);
    }
    if (wants_rate(step)) {
        struct ph_hxfr_config c = step->rate;
        c.fps_den = 1;
        ph_hxfr_write_config(&w, 1, &c);
        peer_send(p, &w);
    }
    if (step->keyframe) {
        peer_header(p, PH_HXFR_KEYFRAME_REQ, 0);
    }
}

static void send_ext(struct peer *p, int i, struct ph_hxfr_surface *surface)
{
    if (i % EVERY == 0) {
        send_step(p, i, surface);
    }
    struct ph_rect all = {
            0, 0, (uint16_t)surface->width, (uint16_t)surface->height};
    peer_frame(p, PH_HXFR_TILES, surface, (uint32_t)i, &all, 1, 0,
            (uint8_t)(i * 3));
}

static void take_ext(struct peer *p, struct decoder *d, int i)
{
    while (CHECK(peer_read(p)) && p->header.type == PH_HXFR_CONFIG_RESP) {
    }
    struct ph_hxfr_access_unit au = {0};
    if (CHECK_EQ(p->header.type, PH_HXFR_ACCESS_UNIT) &&
            CHECK(ph_hxfr_parse_access_unit(p->payload, &au))) {
        CHECK_EQ(au.sequence, i);
        check_unit(d, i, au.flags & PH_HXFR_FRAME_KEYFRAME,
                p->payload + PH_HXFR_ACCESS_UNIT_SIZE,
                p->header.payload - PH_HXFR_ACCESS_UNIT_SIZE);
    }
}

static void test_ext(const struct ph_encoder_ops *encoder)
{
    enum {
        WINDOW = 4
    };
    struct ph_session_config c = config;
    c.encoder = encoder;
    struct peer p = peer_begin(&c);
    struct ph_hxfr_surface surface = {0};
    struct decoder *d = decoder_create();
    CHECK(peer_hello(&p, PH_HXFR_CAP_TILES, WINDOW) & PH_HXFR_CAP_TILES);
    for (int i = 0; i < FRAMES + WINDOW; i++) {
        if (i >= WINDOW) {
            take_ext(&p, d, i - WINDOW);
        }
        if (i < FRAMES) {
            send_ext(&p, i, &surface);
        }
    }
    decoder_destroy(d);
    peer_finish(&p);
    CHECK_EQ(budget.used, 0);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    for (size_t i = 0; i < ph_encoder_table_size; i++) {
        if (encoder_works(ph_encoder_table[i])) {
            test_v1(ph_encoder_table[i]);
            test_ext(ph_encoder_table[i]);
        }
    }
    return CHECK_DONE();
}
