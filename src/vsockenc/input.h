/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Frames on their way in: from GStreamer's buffers to our pictures. Upstream's
 * thread. */
#pragma once

#include "vsockenc/vsockenc.h"

/* Mutter's buffer for a pointer that moved has no bytes, only metas: the
 * picture is the one before. */
bool ph_input_has_pixels(const GstVideoCodecFrame *frame);
/* Draws a frame and hands it to the transit, when that has room; one without
 * pixels needs one before it. False: its pixels cannot be read. */
bool ph_input_take(PhVsockenc *self, GstVideoCodecFrame *frame);
