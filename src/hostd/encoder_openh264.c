/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libopenh264: BSD licensed, in software. It takes planar chroma, so the
 * picture's is split first. Names as in wels/codec_api.h.
 *
 * Not in its mode for screens (SCREEN_CONTENT_REAL_TIME): measured with 2.3,
 * that one makes a keyframe of every scene change, does not keep to a rate
 * (its quantizer stays between 26 and 35), and fails on noise when it may go
 * further.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <wels/codec_api.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "hostd/encoder_adapt.h"

#define LOG_MODULE "encoder"
#include "common/log.h"

enum {
    LEAST = 16, /* of a side; smaller ones are refused */
    MOST_FPS = 60,
    LEAST_QP = 12, /* what is finer costs, and nobody sees it */
    MOST_QP = 51,
};

struct openh264_encoder {
    struct ph_encoder base;
    ISVCEncoder *codec; /* functions by (*codec)-> */
    struct ph_adapt adapt;
    struct ph_encoder_config config;
    uint8_t *chroma; /* U, then V */
    uint8_t *unit; /* the layers of one frame, behind each other */
    size_t unit_cap;
    int64_t count;
};

static void on_trace(void *context, int level, const char *text)
{
    LOG_WARN("openh264: %s", text);
}

static void close_encoder(struct ph_encoder *encoder)
{
    struct openh264_encoder *e = (struct openh264_encoder *)encoder;
    if (e->codec) {
        (*e->codec)->Uninitialize(e->codec);
        WelsDestroySVCEncoder(e->codec);
    }
    ph_adapt_finish(&e->adapt);
    free(e->chroma);
    free(e->unit);
    free(e);
}

static int profile_of(uint8_t profile)
{
    return profile == 66 || profile == 77 ? profile : PRO_HIGH;
}

static void set_params(const struct openh264_encoder *e, SEncParamExt *p)
{
    const struct ph_encoder_config *config = &e->config;
    uint32_t fps = PH_MIN(config->fps, (uint32_t)MOST_FPS);
    p->iUsageType = CAMERA_VIDEO_REAL_TIME;
    p->iPicWidth = (int)e->adapt.width;
    p->iPicHeight = (int)e->adapt.height;
    p->iTargetBitrate = (int)config->bitrate;
    p->iMaxBitrate = (int)config->bitrate;
    p->iRCMode = RC_BITRATE_MODE;
    p->iMinQp = LEAST_QP;
    p->iMaxQp = MOST_QP;
    p->fMaxFrameRate = (float)fps;
    p->iComplexityMode = LOW_COMPLEXITY;
    p->uiIntraPeriod = 0; /* a keyframe when somebody asks for it */
    p->bEnableFrameSkip = false; /* each frame gives its access unit */
    p->eSpsPpsIdStrategy = CONSTANT_ID;
    p->bEnableSceneChangeDetect = false; /* it would make keyframes */
    p->iMultipleThreadIdc = 1;
    SSpatialLayerConfig *layer = &p->sSpatialLayers[0];
    layer->iVideoWidth = p->iPicWidth;
    layer->iVideoHeight = p->iPicHeight;
    layer->fFrameRate = p->fMaxFrameRate;
    layer->iSpatialBitrate = p->iTargetBitrate;
    layer->iMaxSpatialBitrate = p->iMaxBitrate;
    layer->uiProfileIdc = profile_of(config->profile);
    layer->sSliceArgument.uiSliceMode = SM_SINGLE_SLICE;
    layer->bVideoSignalTypePresent = true;
    layer->uiVideoFormat = VF_UNDEF;
    layer->bFullRange = config->colour.full_range;
    layer->bColorDescriptionPresent = true;
    layer->uiColorPrimaries = config->colour.primaries;
    layer->uiTransferCharacteristics = config->colour.transfer;
    layer->uiColorMatrix = config->colour.matrix;
}

static bool start(struct openh264_encoder *e)
{
    SEncParamExt param;
    int level = WELS_LOG_ERROR;
    WelsTraceCallback trace = on_trace;
    if (WelsCreateSVCEncoder(&e->codec) != 0) {
        return false;
    }
    (*e->codec)->SetOption(e->codec, ENCODER_OPTION_TRACE_CALLBACK, &trace);
    (*e->codec)->SetOption(e->codec, ENCODER_OPTION_TRACE_LEVEL, &level);
    (*e->codec)->GetDefaultParams(e->codec, &param);
    set_params(e, &param);
    return (*e->codec)->InitializeExt(e->codec, &param) == cmResultSuccess;
}

static struct ph_encoder *open_encoder(const struct ph_encoder_ops *row,
        const struct ph_encoder_config *config, char *error, size_t size)
{
    struct openh264_encoder *e = ph_xcalloc(1, sizeof(*e));
    e->base.ops = row;
    e->config = *config;
    bool room = ph_adapt_init(&e->adapt, config, row->least);
    e->chroma = malloc((size_t)e->adapt.width * e->adapt.height / 2);
    if (!room || !e->chroma || !start(e)) {
        snprintf(error, size, "libopenh264 takes no %ux%u at %u bit/s",
                config->width, config->height, config->bitrate);
        close_encoder(&e->base);
        return NULL;
    }
    return &e->base;
}

static void fill_picture(struct openh264_encoder *e, SSourcePicture *p,
        const struct ph_nv12 *from)
{
    uint32_t stride = e->adapt.width / 2;
    uint8_t *v = e->chroma + (size_t)stride * (e->adapt.height / 2);
    ph_pixels_split_chroma(from, e->chroma, v, stride);
    *p = (SSourcePicture){
            .iColorFormat = videoFormatI420,
            .iStride = {(int)from->stride[0], (int)stride, (int)stride},
            .pData = {from->plane[0], e->chroma, v},
            .iPicWidth = (int)e->adapt.width,
            .iPicHeight = (int)e->adapt.height,
            .uiTimeStamp = e->count++ * 1000 / e->config.fps,
    };
}

/* All layers of a frame: parameter sets are one of their own. */
static bool join_layers(
        struct openh264_encoder *e, const SFrameBSInfo *info, size_t *size)
{
    *size = 0;
    if (info->iFrameSizeInBytes > (int)e->unit_cap) {
        size_t cap = (size_t)info->iFrameSizeInBytes * 2;
        uint8_t *larger = realloc(e->unit, cap);
        if (!larger) {
            return false;
        }
        e->unit = larger;
        e->unit_cap = cap;
    }
    for (int i = 0; i < info->iLayerNum; i++) {
        const SLayerBSInfo *layer = &info->sLayerInfo[i];
        size_t bytes = 0;
        for (int n = 0; n < layer->iNalCount; n++) {
            bytes += (size_t)layer->pNalLengthInByte[n];
        }
        if (bytes > e->unit_cap - *size) {
            return false;
        }
        memcpy(e->unit + *size, layer->pBsBuf, bytes);
        *size += bytes;
    }
    return true;
}

static enum ph_encoder_result encode(struct ph_encoder *encoder,
        const struct ph_encoder_input *in, struct ph_encoder_output *out)
{
    struct openh264_encoder *e = (struct openh264_encoder *)encoder;
    SSourcePicture picture;
    SFrameBSInfo info = {0};
    size_t size = 0;
    fill_picture(e, &picture, ph_adapt_picture(&e->adapt, in->picture));
    if (in->keyframe) {
        (*e->codec)->ForceIntraFrame(e->codec, true);
    }
    int err = (*e->codec)->EncodeFrame(e->codec, &picture, &info);
    if (err != cmResultSuccess || !join_layers(e, &info, &size)) {
        LOG_ERR("openh264: error %d", err);
        return PH_ENCODER_FAILED;
    }
    if (size == 0) {
        return PH_ENCODER_HELD;
    }
    if (!ph_adapt_unit(&e->adapt, e->unit, size, out)) {
        LOG_ERR("openh264: its access unit cannot be read");
        return PH_ENCODER_FAILED;
    }
    return PH_ENCODER_OK;
}

static enum ph_encoder_change reconfigure(
        struct ph_encoder *encoder, const struct ph_encoder_config *config)
{
    struct openh264_encoder *e = (struct openh264_encoder *)encoder;
    /* Raised the bound first, lowered it last: a target above it is refused. */
    static const ENCODER_OPTION both[] = {ENCODER_OPTION_MAX_BITRATE,
            ENCODER_OPTION_BITRATE, ENCODER_OPTION_MAX_BITRATE};
    if (config->fps != e->config.fps || config->profile != e->config.profile) {
        return PH_ENCODER_REOPEN;
    }
    bool raise = config->bitrate > e->config.bitrate;
    for (size_t i = 0; i < 2; i++) {
        SBitrateInfo info = {SPATIAL_LAYER_ALL, (int)config->bitrate};
        if ((*e->codec)->SetOption(e->codec, both[i + !raise], &info) != 0) {
            return PH_ENCODER_REOPEN;
        }
    }
    e->config = *config;
    return PH_ENCODER_LIVE;
}

const struct ph_encoder_ops ph_encoder_openh264 = {
        .name = "openh264",
        .what = "H.264 in software, by libopenh264",
        .codec = "openh264",
        .options = "",
        .least = LEAST,
        .open = open_encoder,
        .encode = encode,
        .reconfigure = reconfigure,
        .close = close_encoder,
};
