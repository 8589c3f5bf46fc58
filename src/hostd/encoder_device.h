/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A graphics device of libavcodec whose encoder takes pictures in the device's
 * own memory only: each is uploaded into one of a pool of surfaces.
 */
#pragma once

#include <libavcodec/avcodec.h>

/* Gives a context (size, not opened yet) such surfaces, on the first device
 * of this type ("vaapi"). An error of libavutil, or 0. */
int ph_device_attach(AVCodecContext *context, const char *type);

/* The frame, in memory of the device; `surface` is an empty frame. */
int ph_device_upload(
        AVCodecContext *context, const AVFrame *frame, AVFrame *surface);
