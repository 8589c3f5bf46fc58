/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Between GStreamer's words for a video and those of H.264. */
#pragma once

#include <gst/video/video.h>

#include "proto/hxfr_ext.h"

/* What to signal for frames of this kind. RGB is converted by us, to BT.601
 * of limited range. */
struct ph_hxfr_colour ph_caps_colour(const GstVideoInfo *info);

/* enum ph_hxfr_format, or 0: the frame protocol has none like it. */
uint32_t ph_caps_format(GstVideoFormat format);

/* Caps of a stream that begins with this SPS (a NAL unit with its header), and
 * into *info its size and colour. NULL: it cannot be read. */
GstCaps *ph_caps_from_sps(const guint8 *sps, gsize size, GstVideoInfo *info);
