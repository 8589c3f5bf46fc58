/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libx264 itself: libavcodec cannot say which macroblocks did not change, nor
 * change the motion search while it runs. What did not change is skipped
 * without a look, which is most of a quiet frame. The wide search that finds
 * scrolled text costs most where there is nothing to find (a terminal full of
 * new text): it is narrowed while frames take longer than they may.
 *
 * A picture that stands still is refined: where it is not fine yet it is
 * encoded again at a better quality, elsewhere it gets its own reconstruction,
 * of which nothing needs to be coded.
 */
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x264.h> /* wants stdint.h before it */

#include "common/alloc.h"
#include "common/clock.h"
#include "common/macros.h"
#include "hostd/encoder.h"
#include "hostd/encoder_refine.h"

#define LOG_MODULE "encoder"
#include "common/log.h"

enum {
    MB = 16, /* a macroblock's side */
    RANGE_MOST = 128, /* of the motion search, in pixels */
    RANGE_UMH = 32, /* where it still finds a line of text */
    RANGE_LEAST = 16, /* hexagons, the quickest that is of use */
    SLOW_FRAMES = 2, /* in a row, until the search is narrowed */
    QUICK_FRAMES = 30, /* and until it is widened again */
};

/* Quality, then that of each step of refinement. */
static const float crf[1 + PH_ENCODER_STEPS] = {23, 20, 17, 14};

struct x264_encoder {
    struct ph_encoder base;
    x264_t *x264;
    x264_param_t param;
    uint8_t *info; /* mb_info: one byte a macroblock */
    uint32_t mbs_wide;
    uint32_t mbs_high;
    uint8_t profile; /* asked for */
    int64_t count; /* of frames: their time stamps */
    int64_t budget_ns; /* what a frame may take */
    unsigned slow;
    unsigned quick;
    struct ph_refine refine;
    struct ph_nv12 seen; /* what viewers have; x264's, till the next picture */
    int64_t done_ns; /* when the last picture was encoded */
};

static void on_log(void *data, int level, const char *fmt, va_list ap)
{
    enum ph_log_level ours =
            level <= X264_LOG_WARNING ? PH_LOG_WARN : PH_LOG_DEBUG;
    char text[512];
    if (!ph_log_enabled(ours)) {
        return;
    }
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    vsnprintf(text, sizeof(text), fmt, ap);
#pragma GCC diagnostic pop
    text[strcspn(text, "\n")] = 0;
    PH_LOG(ours, "%s", text);
}

static void close_encoder(struct ph_encoder *encoder)
{
    struct x264_encoder *e = (struct x264_encoder *)encoder;
    if (e->x264) {
        x264_encoder_close(e->x264);
    }
    free(e->info);
    ph_refine_finish(&e->refine);
    free(e);
}

static void set_rate(
        struct x264_encoder *e, const struct ph_encoder_config *config)
{
    e->param.rc.i_vbv_max_bitrate = (int)(config->bitrate / 1000);
    e->param.rc.i_vbv_buffer_size = (int)(config->bitrate / 1000);
}

static bool set_params(
        struct x264_encoder *e, const struct ph_encoder_config *config)
{
    static const char *const profiles[] = {
            [66] = "baseline", [77] = "main", [100] = "high"};
    x264_param_t *p = &e->param;
    if (x264_param_default_preset(p, "ultrafast", "zerolatency") < 0) {
        return false;
    }
    p->pf_log = on_log;
    p->i_log_level = X264_LOG_INFO;
    p->i_width = (int)config->width;
    p->i_height = (int)config->height;
    p->i_csp = X264_CSP_NV12;
    p->i_fps_num = config->fps;
    p->i_fps_den = 1;
    p->i_timebase_num = 1;
    p->i_timebase_den = config->fps;
    p->i_threads = 1;
    p->b_sliced_threads = 0;
    p->i_keyint_max = X264_KEYINT_MAX_INFINITE;
    p->b_repeat_headers = 1;
    p->b_annexb = 1;
    p->rc.i_rc_method = X264_RC_CRF;
    p->rc.f_rf_constant = crf[0];
    set_rate(e, config);
    p->analyse.i_me_method = X264_ME_UMH;
    p->analyse.i_me_range = RANGE_MOST;
    p->analyse.b_mb_info = 1;
    p->vui.i_colmatrix = config->colour.matrix;
    p->vui.i_colorprim = config->colour.primaries;
    p->vui.i_transfer = config->colour.transfer;
    p->vui.b_fullrange = config->colour.full_range;
    const char *profile = config->profile < PH_LEN(profiles)
            ? profiles[config->profile]
            : NULL;
    return !profile || x264_param_apply_profile(p, profile) == 0;
}

static struct ph_encoder *open_encoder(const struct ph_encoder_ops *row,
        const struct ph_encoder_config *config, char *error, size_t size)
{
    struct x264_encoder *e = ph_xcalloc(1, sizeof(*e));
    e->base.ops = row;
    e->profile = config->profile;
    e->mbs_wide = (config->width + MB - 1) / MB;
    e->mbs_high = (config->height + MB - 1) / MB;
    e->budget_ns = PH_NS_PER_S / config->fps;
    e->info = malloc((size_t)e->mbs_wide * e->mbs_high);
    bool room = ph_refine_init(&e->refine, config->width, config->height);
    if (room && e->info && set_params(e, config)) {
        e->x264 = x264_encoder_open(&e->param);
    }
    if (!e->x264) {
        snprintf(error, size, "libx264 takes no %ux%u at %u bit/s",
                config->width, config->height, config->bitrate);
        close_encoder(&e->base);
        return NULL;
    }
    return &e->base;
}

static void fill_picture(struct x264_encoder *e, x264_picture_t *picture,
        const struct ph_encoder_input *in, const struct ph_nv12 *from)
{
    x264_picture_init(picture);
    picture->i_type = in->keyframe ? X264_TYPE_IDR : X264_TYPE_AUTO;
    picture->i_pts = e->count++;
    picture->img.i_csp = X264_CSP_NV12;
    picture->img.i_plane = 2;
    for (int i = 0; i < 2; i++) {
        picture->img.plane[i] = from->plane[i];
        picture->img.i_stride[i] = (int)from->stride[i];
    }
    if (in->changed && !in->keyframe && from == in->picture) {
        memset(e->info, X264_MBINFO_CONSTANT,
                (size_t)e->mbs_wide * e->mbs_high);
        for (uint16_t i = 0; i < in->changed->count; i++) {
            ph_refine_set(e->info, e->mbs_wide, e->mbs_high,
                    &in->changed->rects[i], 0);
        }
        picture->prop.mb_info = e->info;
    }
}

/* Halves or doubles the search with what the last frame took. A keyframe has
 * none, so it says nothing. */
static void adapt_search(struct x264_encoder *e, int64_t took_ns)
{
    int range = e->param.analyse.i_me_range;
    bool slow = took_ns > e->budget_ns * 3 / 4;
    bool quick = took_ns < e->budget_ns * 3 / 8;
    e->slow = slow ? e->slow + 1 : 0;
    e->quick = quick ? e->quick + 1 : 0;
    if (e->slow >= SLOW_FRAMES && range > RANGE_LEAST) {
        range /= 2;
    } else if (e->quick >= QUICK_FRAMES && range < RANGE_MOST) {
        range *= 2;
    } else {
        return;
    }
    e->slow = 0;
    e->quick = 0;
    e->param.analyse.i_me_range = range;
    e->param.analyse.i_me_method =
            range < RANGE_UMH ? X264_ME_HEX : X264_ME_UMH;
    x264_encoder_reconfig(e->x264, &e->param);
}

/* To the quality of a step, and back. x264 counts frames and not time, and so
 * would think that the budget of the rate is as low as after the last picture:
 * the time that passed is given to it at once, as a higher rate. */
static void set_step(struct x264_encoder *e, int step)
{
    int64_t passed = ph_clock_ns() - e->done_ns;
    int64_t frames = passed * e->param.i_fps_num / PH_NS_PER_S;
    int most = (int)e->param.i_fps_num; /* one second */
    int rate = e->param.rc.i_vbv_buffer_size;
    e->param.rc.f_rf_constant = crf[step];
    e->param.rc.i_vbv_max_bitrate = rate;
    if (step > 0 && frames > 1) {
        e->param.rc.i_vbv_max_bitrate = rate * (int)PH_MIN(frames, most);
    }
    x264_encoder_reconfig(e->x264, &e->param);
}

/* The picture to be refined, or NULL when there is nothing to refine. */
static const struct ph_nv12 *start_refining(
        struct x264_encoder *e, const struct ph_encoder_input *in)
{
    if (!in->refine || in->keyframe || !e->seen.plane[0] ||
            ph_refine_judge(&e->refine, in->picture, &e->seen) == 0) {
        return NULL;
    }
    const struct ph_nv12 *p =
            ph_refine_blend(&e->refine, in->picture, &e->seen);
    if (p) {
        set_step(e, in->refine);
    }
    return p;
}

static void end_refining(struct x264_encoder *e, int step)
{
    set_step(e, 0);
    if (step == PH_ENCODER_STEPS) {
        ph_refine_clear(&e->refine);
    }
}

/* As x264 has them: its planes are for reading only. */
static void note_seen(struct x264_encoder *e, const x264_picture_t *encoded)
{
    for (int i = 0; i < 2; i++) {
        e->seen.plane[i] = encoded->img.plane[i];
        e->seen.stride[i] = (uint32_t)encoded->img.i_stride[i];
    }
}

static enum ph_encoder_result encode(struct ph_encoder *encoder,
        const struct ph_encoder_input *in, struct ph_encoder_output *out)
{
    struct x264_encoder *e = (struct x264_encoder *)encoder;
    x264_picture_t picture;
    x264_picture_t encoded;
    x264_nal_t *nals = NULL;
    int count = 0;
    int64_t begin = ph_clock_ns();
    ph_refine_mark(&e->refine, in->changed);
    const struct ph_nv12 *finer = start_refining(e, in);
    fill_picture(e, &picture, in, finer ? finer : in->picture);
    int size = x264_encoder_encode(e->x264, &nals, &count, &picture, &encoded);
    if (finer) {
        end_refining(e, in->refine);
    }
    if (size <= 0) {
        return size < 0 ? PH_ENCODER_FAILED : PH_ENCODER_HELD;
    }
    note_seen(e, &encoded);
    if (encoded.b_keyframe) {
        ph_refine_mark(&e->refine, NULL);
    }
    out->data = nals[0].p_payload; /* all of them lie behind each other */
    out->size = (size_t)size;
    out->keyframe = encoded.b_keyframe;
    out->fine = in->refine && !encoded.b_keyframe && !finer;
    e->done_ns = ph_clock_ns();
    if (!encoded.b_keyframe && !finer) {
        adapt_search(e, e->done_ns - begin);
    }
    return PH_ENCODER_OK;
}

static enum ph_encoder_change reconfigure(
        struct ph_encoder *encoder, const struct ph_encoder_config *config)
{
    struct x264_encoder *e = (struct x264_encoder *)encoder;
    set_rate(e, config);
    if (config->fps != e->param.i_fps_num || config->profile != e->profile ||
            x264_encoder_reconfig(e->x264, &e->param) < 0) {
        return PH_ENCODER_REOPEN;
    }
    return PH_ENCODER_LIVE;
}

const struct ph_encoder_ops ph_encoder_x264 = {
        .name = "x264",
        .what = "H.264 in software, by libx264",
        .codec = "x264",
        .options = "",
        .refines = true,
        .open = open_encoder,
        .encode = encode,
        .reconfigure = reconfigure,
        .close = close_encoder,
};
