/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/encoder_device.h"

#include <libavutil/hwcontext.h>

enum {
    SURFACES = 4, /* one goes in at a time; drivers keep some for a while */
};

static enum AVPixelFormat surface_format(enum AVHWDeviceType type)
{
    return type == AV_HWDEVICE_TYPE_VAAPI ? AV_PIX_FMT_VAAPI : AV_PIX_FMT_NONE;
}

int ph_device_attach(AVCodecContext *c, const char *name)
{
    enum AVHWDeviceType type = av_hwdevice_find_type_by_name(name);
    AVBufferRef *device = NULL;
    if (type == AV_HWDEVICE_TYPE_NONE) {
        return AVERROR(ENOSYS);
    }
    int err = av_hwdevice_ctx_create(&device, type, NULL, NULL, 0);
    if (err < 0) {
        return err;
    }
    c->pix_fmt = surface_format(type);
    c->hw_frames_ctx = av_hwframe_ctx_alloc(device);
    av_buffer_unref(&device); /* the pool holds on to it */
    if (!c->hw_frames_ctx) {
        return AVERROR(ENOMEM);
    }
    AVHWFramesContext *frames = (void *)c->hw_frames_ctx->data;
    frames->format = c->pix_fmt;
    frames->sw_format = AV_PIX_FMT_NV12;
    frames->width = c->width;
    frames->height = c->height;
    frames->initial_pool_size = SURFACES;
    return av_hwframe_ctx_init(c->hw_frames_ctx);
}

int ph_device_upload(AVCodecContext *c, const AVFrame *frame, AVFrame *surface)
{
    int err = av_hwframe_get_buffer(c->hw_frames_ctx, surface, 0);
    if (err >= 0) {
        err = av_hwframe_transfer_data(surface, frame, 0);
    }
    return err < 0 ? err : av_frame_copy_props(surface, frame);
}
