/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pixel formats: from what compositors and guests give (4 bytes a pixel) to
 * what encoders take (NV12), rectangle by rectangle, by libyuv. The matrix is
 * BT.601, limited range; alpha is ignored.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "proto/hxfr_ext.h"

/* A picture in NV12: width and height even, planes of stride bytes a row. */
struct ph_nv12 {
    uint8_t *plane[2];
    uint32_t stride[2];
    uint32_t width;
    uint32_t height;
};

/* A picture of 4 bytes a pixel: PH_HXFR_BGRA or PH_HXFR_RGBA. */
struct ph_rgb {
    const uint8_t *data;
    uint32_t stride;
    uint32_t width;
    uint32_t height;
    uint32_t format;
};

/* A picture with chroma of half size, rounded up: I420, or NV12 (plane[2] is
 * NULL). */
struct ph_yuv {
    const uint8_t *plane[3];
    uint32_t stride[3];
    uint32_t width;
    uint32_t height;
};

/* Copies all of src into dst, which may be one pixel wider and higher where
 * those sides are odd: the last column and row are repeated there. */
void ph_pixels_draw_yuv(const struct ph_yuv *src, const struct ph_nv12 *dst);

/* Converts the rectangle (even position and sides) back, into the same place
 * of a PH_HXFR_BGRA picture. matrix: as H.264 numbers it, unknown ones are
 * taken as BT.601. */
void ph_pixels_nv12_to_bgra(const struct ph_nv12 *src, uint8_t matrix,
        bool full_range, uint8_t *dst, uint32_t dst_stride,
        struct ph_rect rect);

/* Converts the rectangle (even position and sides) of src into the same place
 * of dst. dst may be one pixel wider and higher than src when those sides are
 * odd: the last column and row are repeated there. */
void ph_pixels_to_nv12(const struct ph_rgb *src, const struct ph_nv12 *dst,
        struct ph_rect rect);

/* The same into PH_HXFR_BGRA; dst_stride in bytes. */
void ph_pixels_to_bgra(const struct ph_rgb *src, uint8_t *dst,
        uint32_t dst_stride, struct ph_rect rect);

/* Copies a rectangle of an NV12 picture into the same place of another. */
void ph_pixels_copy_nv12(const struct ph_nv12 *src, const struct ph_nv12 *dst,
        struct ph_rect rect);
/* The same for 4 bytes a pixel; dst_stride in bytes. */
void ph_pixels_copy_rgb(const struct ph_rgb *src, uint8_t *dst,
        uint32_t dst_stride, struct ph_rect rect);

/* The chroma of src in two planes of `stride` bytes a row. */
void ph_pixels_split_chroma(
        const struct ph_nv12 *src, uint8_t *u, uint8_t *v, uint32_t stride);

/* Black in BT.601 limited range. */
void ph_pixels_clear_nv12(const struct ph_nv12 *dst);
