/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/input.h"

#include <gst/allocators/allocators.h>

#include "vsockenc/caps.h"
#include "vsockenc/resource_linux.h"

/* Upstream gets its buffer back now; what it says besides pixels is kept. */
static void give_back(GstVideoCodecFrame *frame)
{
    GstBuffer *without = gst_buffer_new();
    gst_buffer_copy_into(without, frame->input_buffer,
            GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS |
                    GST_BUFFER_COPY_META,
            0, (gsize)-1);
    gst_buffer_unref(frame->input_buffer);
    frame->input_buffer = without;
}

static bool is_keyframe(PhVsockenc *self, GstVideoCodecFrame *frame)
{
    GST_OBJECT_LOCK(self);
    guint interval = self->settings.keyframe_interval;
    GST_OBJECT_UNLOCK(self);
    bool key = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame) ||
            (interval && self->since_keyframe >= interval);
    self->since_keyframe = key ? 1 : self->since_keyframe + 1;
    return key;
}

/* What a dma-buf is to the host; id 0: nothing. */
static struct ph_link_resource find_resource(
        PhVsockenc *self, const GstVideoFrame *pixels)
{
    struct ph_link_resource r = {0};
    GstVideoFormat format = GST_VIDEO_FRAME_FORMAT(pixels);
    GstMemory *memory = gst_buffer_peek_memory(pixels->buffer, 0);
    if (gst_buffer_n_memory(pixels->buffer) != 1 ||
            !gst_is_dmabuf_memory(memory) ||
            memory->offset + GST_VIDEO_FRAME_PLANE_OFFSET(pixels, 0) != 0 ||
            self->node < 0 || !ph_transit_takes_resources(self->transit)) {
        return r;
    }
    r.format = ph_caps_format(format);
    r.id = r.format
            ? ph_resource_id(self->node, gst_dmabuf_memory_get_fd(memory))
            : 0;
    r.width = (uint32_t)GST_VIDEO_FRAME_WIDTH(pixels);
    r.height = (uint32_t)GST_VIDEO_FRAME_HEIGHT(pixels);
    r.stride = (uint32_t)GST_VIDEO_FRAME_PLANE_STRIDE(pixels, 0);
    return r;
}

/* Rows from the last to the first, as a meta may have it. */
static bool stands_on_its_head(const GstVideoFrame *pixels)
{
    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(pixels); i++) {
        if (GST_VIDEO_FRAME_PLANE_STRIDE(pixels, i) < 0) {
            return true;
        }
    }
    return false;
}

/* Its meta may say more than the caps: rows and columns to pad it. These are
 * not shown. */
static bool map(PhVsockenc *self, GstBuffer *buffer, GstVideoFrame *pixels)
{
    const GstVideoInfo *info = &self->input->info;
    if (!gst_video_frame_map(pixels, info, buffer, GST_MAP_READ)) {
        return false;
    }
    if (GST_VIDEO_FRAME_FORMAT(pixels) != GST_VIDEO_INFO_FORMAT(info) ||
            GST_VIDEO_FRAME_WIDTH(pixels) < info->width ||
            GST_VIDEO_FRAME_HEIGHT(pixels) < info->height ||
            stands_on_its_head(pixels)) {
        gst_video_frame_unmap(pixels);
        return false;
    }
    pixels->info.width = info->width;
    pixels->info.height = info->height;
    return true;
}

/* A frame whose pixels are upstream's, for as long as it is pushed. */
struct input {
    struct ph_pictures *pictures;
    GstVideoFrame pixels;
};

static void paint(void *data, const struct ph_nv12 *to, struct ph_rect rect)
{
    struct input *in = data;
    ph_pictures_paint(&in->pixels, to, rect);
}

static void keep(void *data)
{
    struct input *in = data;
    ph_pictures_keep(in->pictures, &in->pixels);
}

static void push(PhVsockenc *self, struct ph_transit_frame *out,
        const struct ph_feed_pixels *pixels)
{
    out->picture = &self->pictures.items[out->index];
    if (out->resource.id == 0) { /* else the host reads it */
        give_back(out->frame);
    }
    ph_transit_push(self->transit, out, pixels);
}

/* False: its pixels cannot be read. */
static bool push_pixels(PhVsockenc *self, struct ph_transit_frame *out)
{
    GstVideoCodecFrame *frame = out->frame;
    struct ph_pictures *p = &self->pictures;
    struct input in = {.pictures = p};
    const struct ph_feed_pixels pixels = {paint, keep, &in};
    if (!map(self, frame->input_buffer, &in.pixels)) {
        return false;
    }
    out->index = ph_transit_free_picture(self->transit, p->count, p->newest);
    bool drawn = ph_pictures_take(p, out->index, &in.pixels, &out->changed);
    out->resource = find_resource(self, &in.pixels);
    push(self, out, drawn ? NULL : &pixels);
    gst_video_frame_unmap(&in.pixels); /* which has a reference of its own */
    return true;
}

bool ph_input_has_pixels(const GstVideoCodecFrame *frame)
{
    return gst_buffer_get_size(frame->input_buffer) > 0;
}

bool ph_input_take(PhVsockenc *self, GstVideoCodecFrame *frame)
{
    struct ph_transit_frame out = {
            .frame = frame,
            .pts = GST_CLOCK_TIME_IS_VALID(frame->pts)
                    ? (int64_t)frame->pts
                    : (int64_t)frame->system_frame_number * GST_MSECOND,
            .keyframe = is_keyframe(self, frame),
    };
    if (ph_input_has_pixels(frame)) {
        return push_pixels(self, &out);
    }
    out.index = (unsigned)self->pictures.newest; /* once more */
    push(self, &out, NULL);
    return true;
}
