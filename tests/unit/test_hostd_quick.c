/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures between the encoder's own, as a guest and a decoder see them. */
#include "common/macros.h"
#include "hostd/encoder_fake.h"
#include "proto/h264.h"

#define LOG_MODULE "test"
#include "common/log.h"

#include "integration/decode.h"

#include "peer.h"

static struct ph_budget budget = {.limit = 256 << 20};
static struct ph_session_config config = {
        .encoder = &ph_encoder_libx264,
        .bitrate = 8000000,
        .budget = &budget,
        .progress_ms = PEER_WAIT_MS,
        .idle_ms = PEER_WAIT_MS,
};

/* Whether a later picture may refer to one of the unit's. */
static bool is_reference(const uint8_t *data, size_t size)
{
    struct ph_h264_nal nal;
    size_t pos = 0;
    bool reference = false;
    while (ph_h264_next_nal(data, size, &pos, &nal)) {
        bool slice = nal.type == PH_H264_SLICE || nal.type == PH_H264_IDR;
        reference = reference || (slice && nal.data[0] >> 5);
    }
    return reference;
}

struct seen {
    struct decoder *decoder;
    bool reference;
    uint32_t flags;
    uint8_t luma;
};

static void expect(struct peer *p, uint32_t sequence, struct seen *s)
{
    uint8_t yuv[3] = {0};
    struct ph_hxfr_access_unit au = peer_expect_unit(p, sequence);
    const uint8_t *data = p->payload + PH_HXFR_ACCESS_UNIT_SIZE;
    size_t size = p->header.payload - PH_HXFR_ACCESS_UNIT_SIZE;
    CHECK(decoder_push(s->decoder, data, size));
    CHECK(decoder_pixel(s->decoder, 20, 20, yuv));
    s->reference = is_reference(data, size);
    s->flags = au.flags;
    s->luma = yuv[0];
}

/* Of a still screen at a steady rate every other picture takes no encoder: it
 * changes nothing, and nothing has to be said again. */
static void test_steady(void)
{
    const struct ph_rect all = {0, 0, 64, 48};
    struct seen seen = {.decoder = decoder_create()};
    struct peer p = peer_begin(&config);
    unsigned quick = 0;
    CHECK(peer_hello(&p,
                  PH_HXFR_CAP_TILES | PH_HXFR_CAP_REPEAT | PH_HXFR_CAP_QUICK,
                  2) &
            PH_HXFR_CAP_QUICK);
    struct ph_hxfr_surface s = peer_surface(&p, 1, PH_HXFR_NV12, 64, 48);
    peer_frame(&p, PH_HXFR_TILES, &s, 2, &all, 1, 0, 100);
    expect(&p, 2, &seen);
    CHECK(seen.reference);
    for (uint32_t n = 3; n < 13; n++) {
        peer_frame(&p, PH_HXFR_REPEAT, &s, n, NULL, 0, 0, 0);
        expect(&p, n, &seen);
        CHECK_EQ(seen.flags, 0);
        CHECK_EQ(seen.luma, 100);
        quick += !seen.reference;
    }
    CHECK_EQ(quick, 5);
    peer_frame(&p, PH_HXFR_TILES, &s, 13, &all, 1, 0, 180);
    expect(&p, 13, &seen);
    CHECK(seen.luma > 170 && seen.luma < 190);
    peer_finish(&p);
    decoder_destroy(seen.decoder);
    CHECK_EQ(budget.used, 0);
}

int main(void)
{
    ph_log_set_level(PH_LOG_ERROR);
    test_steady();
    return CHECK_DONE();
}
