/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The encoder of macOS. libavcodec's hands out a frame's access unit when the
 * next one is given; here a session is told to complete each frame at once.
 */
#include "hostd/encoder_videotoolbox.h"

#include <stdio.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "hostd/videotoolbox_session.h"

enum {
    /* Frames between keyframes, where 0 lets it choose: 77 hours at 60. */
    ENDLESS = 1 << 24,
    /* Hardware takes 5 ms for a frame, and a first one half a second. */
    PATIENCE_MS = 5000,
};

struct vt_encoder {
    struct ph_encoder base;
    const struct ph_vt *vt;
    struct ph_vt_session *session;
    struct ph_encoder_config config;
    const void *colour[3]; /* CVImageBuffer's: primaries, transfer, matrix */
};

static const char *library; /* NULL: Apple's */
static int64_t patience_ms = PATIENCE_MS;

void ph_videotoolbox_pretend(const char *path, int64_t wait_ms)
{
    library = path;
    patience_ms = wait_ms;
}

static bool set_flag(struct vt_encoder *e, const void *key, bool value)
{
    return ph_vt_session_set(e->session, key,
            value ? e->vt->kCFBooleanTrue : e->vt->kCFBooleanFalse, false);
}

static const void *new_number(const struct ph_vt *vt, int64_t value)
{
    return vt->CFNumberCreate(NULL, PH_VT_SINT64, &value);
}

static bool set_number(struct vt_encoder *e, const void *key, int64_t value)
{
    return ph_vt_session_set(e->session, key, new_number(e->vt, value), true);
}

/* Bytes in one second, at most; and an average, which it wants as well. */
static bool set_rate(struct vt_encoder *e, const struct ph_encoder_config *c)
{
    const struct ph_vt *vt = e->vt;
    double second = 1;
    const void *limit[] = {new_number(vt, c->bitrate / 8),
            vt->CFNumberCreate(NULL, PH_VT_DOUBLE, &second)};
    const void *limits =
            vt->CFArrayCreate(NULL, limit, 2, vt->kCFTypeArrayCallBacks);
    vt->CFRelease(limit[0]);
    vt->CFRelease(limit[1]);
    bool average = set_number(
            e, vt->kVTCompressionPropertyKey_AverageBitRate, c->bitrate);
    ph_vt_session_set(e->session, vt->kVTCompressionPropertyKey_DataRateLimits,
            limits, true);
    return average &&
            set_number(
                    e, vt->kVTCompressionPropertyKey_ExpectedFrameRate, c->fps);
}

static const void *profile_of(const struct ph_vt *vt, uint8_t profile)
{
    return profile == 66    ? vt->kVTProfileLevel_H264_Baseline_AutoLevel
            : profile == 77 ? vt->kVTProfileLevel_H264_Main_AutoLevel
                            : vt->kVTProfileLevel_H264_High_AutoLevel;
}

static void set_colour(struct vt_encoder *e)
{
    const struct ph_vt *vt = e->vt;
    const struct ph_hxfr_colour *c = &e->config.colour;
    const void *const keys[] = {vt->kVTCompressionPropertyKey_ColorPrimaries,
            vt->kVTCompressionPropertyKey_TransferFunction,
            vt->kVTCompressionPropertyKey_YCbCrMatrix};
    e->colour[0] =
            vt->CVColorPrimariesGetStringForIntegerCodePoint(c->primaries);
    e->colour[1] =
            vt->CVTransferFunctionGetStringForIntegerCodePoint(c->transfer);
    e->colour[2] = vt->CVYCbCrMatrixGetStringForIntegerCodePoint(c->matrix);
    for (size_t i = 0; i < PH_LEN(keys); i++) {
        ph_vt_session_set(e->session, keys[i], e->colour[i], false);
    }
}

/* What is only a wish may be refused: the probe looks at what comes out. */
static bool set_up(struct vt_encoder *e, char *error, size_t size)
{
    const struct ph_vt *vt = e->vt;
    set_flag(e, vt->kVTCompressionPropertyKey_RealTime, true);
    set_flag(e, vt->kVTCompressionPropertyKey_AllowFrameReordering, false);
    set_number(e, vt->kVTCompressionPropertyKey_MaxKeyFrameInterval, ENDLESS);
    set_colour(e);
    if (!ph_vt_session_set(e->session,
                vt->kVTCompressionPropertyKey_ProfileLevel,
                profile_of(vt, e->config.profile), false) ||
            !set_rate(e, &e->config)) {
        snprintf(error, size,
                "VideoToolbox takes neither its profile nor its rate");
        return false;
    }
    ph_vt_session_prepare(e->session);
    return true;
}

static void close_encoder(struct ph_encoder *encoder)
{
    struct vt_encoder *e = (struct vt_encoder *)encoder;
    ph_vt_session_destroy(e->session, patience_ms);
    free(e);
}

static struct ph_encoder *open_encoder(const struct ph_encoder_ops *row,
        const struct ph_encoder_config *config, char *error, size_t size)
{
    const struct ph_vt *vt = ph_vt_load(library, error, size);
    if (!vt) {
        return NULL;
    }
    struct vt_encoder *e = ph_xcalloc(1, sizeof(*e));
    e->base.ops = row;
    e->vt = vt;
    e->config = *config;
    e->session = ph_vt_session_create(vt, config, row->least, error, size);
    if (!e->session || !set_up(e, error, size)) {
        close_encoder(&e->base);
        return NULL;
    }
    return &e->base;
}

static enum ph_encoder_result encode(struct ph_encoder *encoder,
        const struct ph_encoder_input *in, struct ph_encoder_output *out)
{
    struct vt_encoder *e = (struct vt_encoder *)encoder;
    const struct ph_vt *vt = e->vt;
    const void *const keys[] = {vt->kCVImageBufferColorPrimariesKey,
            vt->kCVImageBufferTransferFunctionKey,
            vt->kCVImageBufferYCbCrMatrixKey};
    void *image = ph_vt_session_image(e->session, in->picture);
    if (!image) {
        return PH_ENCODER_FAILED;
    }
    for (size_t i = 0; i < PH_LEN(keys); i++) {
        if (e->colour[i]) {
            vt->CVBufferSetAttachment(
                    image, keys[i], e->colour[i], PH_VT_PROPAGATE);
        }
    }
    return ph_vt_session_encode(
            e->session, image, in->keyframe, patience_ms, out);
}

static enum ph_encoder_change reconfigure(
        struct ph_encoder *encoder, const struct ph_encoder_config *config)
{
    struct vt_encoder *e = (struct vt_encoder *)encoder;
    if (config->fps != e->config.fps || config->profile != e->config.profile ||
            !set_rate(e, config)) {
        return PH_ENCODER_REOPEN;
    }
    e->config = *config;
    return PH_ENCODER_LIVE;
}

const struct ph_encoder_ops ph_encoder_videotoolbox = {
        .name = "videotoolbox",
        .what = "H.264 by macOS",
        .codec = "avc1",
        .options = "",
        .hardware = true,
        .least = 64,
        .open = open_encoder,
        .encode = encode,
        .reconfigure = reconfigure,
        .close = close_encoder,
};
