/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/pixels.h"

#include <libyuv.h>
#include <string.h>

#include "common/macros.h"

/* Repeats the last column and row of luma where dst is wider or higher than
 * what was converted. Chroma has them already: half of an odd side rounds
 * up. */
static void repeat_edges(uint8_t *luma, uint32_t stride, uint32_t width,
        uint32_t height, struct ph_rect rect)
{
    if (width < rect.width) {
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *row = luma + (size_t)y * stride;
            row[width] = row[width - 1];
        }
    }
    if (height < rect.height) {
        uint8_t *last = luma + (size_t)height * stride;
        memcpy(last, last - stride, rect.width);
    }
}

void ph_pixels_to_nv12(const struct ph_rgb *src, const struct ph_nv12 *dst,
        struct ph_rect rect)
{
    if (rect.x >= src->width || rect.y >= src->height) {
        return;
    }
    uint32_t width = PH_MIN(rect.width, src->width - rect.x);
    uint32_t height = PH_MIN(rect.height, src->height - rect.y);
    const uint8_t *from =
            src->data + (size_t)rect.y * src->stride + (size_t)rect.x * 4;
    uint8_t *luma = dst->plane[0] + (size_t)rect.y * dst->stride[0] + rect.x;
    uint8_t *chroma =
            dst->plane[1] + (size_t)(rect.y / 2) * dst->stride[1] + rect.x;
    /* libyuv names formats by the word, we by the bytes. */
    int (*convert)(const uint8_t *, int, uint8_t *, int, uint8_t *, int, int,
            int) = src->format == PH_HXFR_RGBA ? ABGRToNV12 : ARGBToNV12;
    convert(from, (int)src->stride, luma, (int)dst->stride[0], chroma,
            (int)dst->stride[1], (int)width, (int)height);
    repeat_edges(luma, dst->stride[0], width, height, rect);
}

void ph_pixels_to_bgra(const struct ph_rgb *src, uint8_t *dst,
        uint32_t dst_stride, struct ph_rect rect)
{
    if (rect.x >= src->width || rect.y >= src->height) {
        return;
    }
    uint32_t width = PH_MIN(rect.width, src->width - rect.x);
    uint32_t height = PH_MIN(rect.height, src->height - rect.y);
    const uint8_t *from =
            src->data + (size_t)rect.y * src->stride + (size_t)rect.x * 4;
    uint8_t *to = dst + (size_t)rect.y * dst_stride + (size_t)rect.x * 4;
    int (*convert)(const uint8_t *, int, uint8_t *, int, int, int) =
            src->format == PH_HXFR_RGBA ? ABGRToARGB : ARGBCopy;
    convert(from, (int)src->stride, to, (int)dst_stride, (int)width,
            (int)height);
    if (width < rect.width) {
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *last = to + (size_t)y * dst_stride + (size_t)width * 4;
            memcpy(last, last - 4, 4);
        }
    }
    if (height < rect.height) {
        uint8_t *last = to + (size_t)height * dst_stride;
        memcpy(last, last - dst_stride, (size_t)rect.width * 4);
    }
}

/* Not libyuv's CopyPlane: that takes `rep movsb`, which QEMU, where it emulates
 * the processor, does byte by byte. */
static void copy_plane(const uint8_t *src, uint32_t src_stride, uint8_t *dst,
        uint32_t dst_stride, uint32_t bytes, uint32_t rows)
{
    for (uint32_t y = 0; y < rows; y++) {
        memcpy(dst, src, bytes);
        src += src_stride;
        dst += dst_stride;
    }
}

void ph_pixels_draw_yuv(const struct ph_yuv *src, const struct ph_nv12 *dst)
{
    uint32_t chroma_width = (src->width + 1) / 2;
    uint32_t chroma_height = (src->height + 1) / 2;
    copy_plane(src->plane[0], src->stride[0], dst->plane[0], dst->stride[0],
            src->width, src->height);
    repeat_edges(dst->plane[0], dst->stride[0], src->width, src->height,
            (struct ph_rect){
                    0, 0, (uint16_t)dst->width, (uint16_t)dst->height});
    if (src->plane[2]) {
        MergeUVPlane(src->plane[1], (int)src->stride[1], src->plane[2],
                (int)src->stride[2], dst->plane[1], (int)dst->stride[1],
                (int)chroma_width, (int)chroma_height);
    } else {
        copy_plane(src->plane[1], src->stride[1], dst->plane[1], dst->stride[1],
                chroma_width * 2, chroma_height);
    }
}

static const struct YuvConstants *find_constants(
        uint8_t matrix, bool full_range)
{
    enum {
        BT709 = 1,
        BT2020 = 9
    };
    switch (matrix) {
    case BT709:
        return full_range ? &kYuvF709Constants : &kYuvH709Constants;
    case BT2020:
        return full_range ? &kYuvV2020Constants : &kYuv2020Constants;
    default:
        return full_range ? &kYuvJPEGConstants : &kYuvI601Constants;
    }
}

void ph_pixels_nv12_to_bgra(const struct ph_nv12 *src, uint8_t matrix,
        bool full_range, uint8_t *dst, uint32_t dst_stride, struct ph_rect rect)
{
    size_t y = rect.y;
    NV12ToARGBMatrix(src->plane[0] + y * src->stride[0] + rect.x,
            (int)src->stride[0],
            src->plane[1] + y / 2 * src->stride[1] + rect.x,
            (int)src->stride[1], dst + y * dst_stride + (size_t)rect.x * 4,
            (int)dst_stride, find_constants(matrix, full_range), rect.width,
            rect.height);
}

void ph_pixels_copy_nv12(const struct ph_nv12 *src, const struct ph_nv12 *dst,
        struct ph_rect rect)
{
    size_t y = rect.y;
    copy_plane(src->plane[0] + y * src->stride[0] + rect.x, src->stride[0],
            dst->plane[0] + y * dst->stride[0] + rect.x, dst->stride[0],
            rect.width, rect.height);
    y /= 2;
    copy_plane(src->plane[1] + y * src->stride[1] + rect.x, src->stride[1],
            dst->plane[1] + y * dst->stride[1] + rect.x, dst->stride[1],
            rect.width, rect.height / 2);
}

void ph_pixels_copy_rgb(const struct ph_rgb *src, uint8_t *dst,
        uint32_t dst_stride, struct ph_rect rect)
{
    size_t x = (size_t)rect.x * 4;
    copy_plane(src->data + (size_t)rect.y * src->stride + x, src->stride,
            dst + (size_t)rect.y * dst_stride + x, dst_stride,
            (uint32_t)rect.width * 4, rect.height);
}

void ph_pixels_clear_nv12(const struct ph_nv12 *dst)
{
    SetPlane(dst->plane[0], (int)dst->stride[0], (int)dst->width,
            (int)dst->height, 16);
    SetPlane(dst->plane[1], (int)dst->stride[1], (int)dst->width,
            (int)dst->height / 2, 128);
}

void ph_pixels_split_chroma(
        const struct ph_nv12 *src, uint8_t *u, uint8_t *v, uint32_t stride)
{
    SplitUVPlane(src->plane[1], (int)src->stride[1], u, (int)stride, v,
            (int)stride, (int)(src->width / 2), (int)(src->height / 2));
}
