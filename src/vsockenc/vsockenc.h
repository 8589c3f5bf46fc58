/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element vsockenc: a GstVideoEncoder whose encoder is a host. Frames come
 * in on the upstream's thread (handle_frame: copy, compare, hand to the
 * transit); access units leave on a task of the source pad, which also sends
 * again what was lost. Locks: the base class's stream lock, then the transit's;
 * the stream lock is never held while waiting.
 */
#pragma once

#include <gst/video/gstvideoencoder.h>

#include "vsockenc/pictures.h"
#include "vsockenc/settings.h"
#include "vsockenc/transit.h"

GST_DEBUG_CATEGORY_EXTERN(ph_vsockenc_debug);
#define GST_CAT_DEFAULT ph_vsockenc_debug

#define PH_TYPE_VSOCKENC (ph_vsockenc_get_type())
G_DECLARE_FINAL_TYPE(PhVsockenc, ph_vsockenc, PH, VSOCKENC, GstVideoEncoder)

struct _PhVsockenc {
    GstVideoEncoder parent;
    struct ph_settings settings; /* under the object lock */
    struct ph_host_spawn *own;
    struct ph_transit *transit; /* from start to stop */
    int node; /* virtio-gpu, -1: none */
    guint window; /* max-in-flight as it was at the start */

    /* Upstream's thread. */
    GstVideoCodecState *input;
    struct ph_pictures pictures;
    uint32_t since_keyframe; /* frames, with the one that comes */
    gint told_bitrate; /* in the tags, 0: not yet */

    /* The task. */
    GBytes *sps; /* that the caps are made of */
    gint flow_return; /* GstFlowReturn that ended it; atomic */
    gint relinked; /* gboolean: something downstream may be; atomic */
};

GST_ELEMENT_REGISTER_DECLARE(vsockenc)
