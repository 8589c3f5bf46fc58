/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/surface.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "common/cleanup.h"
#include "video/moves.h"

/* libyuv and encoders like aligned rows. */
enum {
    ALIGN = 64
};

static uint32_t even(uint32_t v)
{
    return (v + 1) & ~1u;
}

/* One picture: strides, offsets, and its size in slots.slot_size. */
static void lay_out(struct ph_surface *s, const struct ph_hxfr_surface *info)
{
    uint32_t width = even(info->width);
    uint32_t height = even(info->height);
    uint32_t stride = (width + ALIGN - 1) & ~(uint32_t)(ALIGN - 1);
    s->info = *info;
    s->fd = -1;
    s->slots.sequence = info->sequence;
    s->slots.count = 1;
    s->slots.stride[0] = stride;
    s->slots.stride[1] = stride;
    s->slots.offset[0] = 0;
    s->slots.offset[1] = stride * height;
    uint32_t bytes = stride * height / 2 * 3;
    s->slots.slot_size = (bytes + 4095) & ~UINT32_C(4095);
    s->picture = (struct ph_nv12){
            .stride = {stride, stride}, .width = width, .height = height};
}

void ph_surface_use_slot(struct ph_surface *s, uint8_t slot)
{
    uint8_t *base = s->memory + (size_t)slot * s->slots.slot_size;
    s->picture.plane[0] = base + s->slots.offset[0];
    s->picture.plane[1] = base + s->slots.offset[1];
}

bool ph_surface_init(struct ph_surface *s, struct ph_budget *budget,
        const struct ph_hxfr_surface *info)
{
    *s = (struct ph_surface){0};
    lay_out(s, info);
    if (!ph_budget_take(budget, s->slots.slot_size)) {
        return false;
    }
    s->budget = budget;
    s->size = s->slots.slot_size;
    s->memory = malloc(s->size);
    if (!s->memory) {
        ph_surface_finish(s);
        return false;
    }
    ph_surface_use_slot(s, 0);
    ph_pixels_clear_nv12(&s->picture);
    return true;
}

bool ph_surface_init_shared(struct ph_surface *s, struct ph_budget *budget,
        const struct ph_hxfr_surface *info, uint8_t count)
{
    *s = (struct ph_surface){0};
    lay_out(s, info);
    size_t size = (size_t)s->slots.slot_size * count;
    if (!ph_budget_take(budget, size)) {
        return false;
    }
    s->budget = budget;
    s->size = size;
    s->slots.count = count;
    s->fd = ph_memfile_create(size);
    void *p = s->fd < 0
            ? MAP_FAILED
            : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd, 0);
    if (p == MAP_FAILED) {
        ph_surface_finish(s);
        return false;
    }
    s->memory = p;
    s->shared = true;
    ph_surface_use_slot(s, 0);
    return true;
}

bool ph_surface_init_range(struct ph_surface *s, struct ph_share *share,
        const struct ph_hxfr_surface *info, uint8_t count)
{
    *s = (struct ph_surface){0};
    lay_out(s, info);
    if (!ph_share_take(share, (size_t)s->slots.slot_size * count, &s->range)) {
        return false;
    }
    s->memory = s->range.memory;
    s->slots.count = count;
    s->slots.place = PH_HXFR_SLOTS_IVSHMEM;
    s->slots.offset_in_region = s->range.offset;
    s->slots.nonce = s->range.nonce;
    s->shared = true;
    ph_surface_use_slot(s, 0);
    return true;
}

void ph_surface_finish(struct ph_surface *s)
{
    if (s->range.share) {
        ph_share_give(&s->range);
    } else if (s->shared) {
        munmap(s->memory, s->size);
    } else {
        free(s->memory);
    }
    if (s->budget) {
        ph_budget_give(s->budget, s->size);
        ph_close(&s->fd);
    }
    *s = (struct ph_surface){.fd = -1};
}

static void draw_rgb(struct ph_surface *s, const uint8_t *data, uint32_t stride,
        struct ph_rect at)
{
    /* A rectangle of pixels at its place in a picture that begins before it,
     * so that the converter can use one position for both. */
    struct ph_nv12 dst = s->picture;
    dst.plane[0] += (size_t)at.y * dst.stride[0] + at.x;
    dst.plane[1] += (size_t)(at.y / 2) * dst.stride[1] + at.x;
    struct ph_rgb src = {data, stride, at.width, at.height, s->info.format};
    struct ph_rect whole = {
            0, 0, (uint16_t)even(at.width), (uint16_t)even(at.height)};
    ph_pixels_to_nv12(&src, &dst, whole);
}

static void draw_plane(struct ph_surface *s, int plane, const uint8_t *pixels,
        struct ph_rect at)
{
    uint32_t stride = s->picture.stride[plane];
    uint8_t *to =
            s->picture.plane[plane] + (size_t)(at.y >> plane) * stride + at.x;
    for (uint32_t y = 0; y < (uint32_t)at.height >> plane; y++) {
        memcpy(to + (size_t)y * stride, pixels + (size_t)y * at.width,
                at.width);
    }
}

static void draw_nv12(struct ph_surface *s, const uint8_t *luma,
        const uint8_t *chroma, uint32_t stride, struct ph_rect at)
{
    struct ph_nv12 src = {{(uint8_t *)luma, (uint8_t *)chroma},
            {stride, stride}, at.width, at.height};
    struct ph_nv12 dst = s->picture;
    dst.plane[0] += (size_t)at.y * dst.stride[0] + at.x;
    dst.plane[1] += (size_t)(at.y / 2) * dst.stride[1] + at.x;
    ph_pixels_copy_nv12(
            &src, &dst, (struct ph_rect){0, 0, at.width, at.height});
}

void ph_surface_patch(struct ph_surface *s, const struct ph_hxfr_frame *frame,
        const uint8_t *pixels)
{
    for (uint8_t i = 0; i < frame->move_count; i++) {
        struct ph_move m = ph_hxfr_move(frame, i);
        ph_moves_apply(&s->picture, &m);
    }
    for (uint16_t i = 0; i < frame->rect_count; i++) {
        struct ph_rect r = ph_hxfr_rect(frame, i);
        uint8_t planes = ph_hxfr_planes(frame, i);
        if (s->info.format != PH_HXFR_NV12) {
            draw_rgb(s, pixels, (uint32_t)r.width * 4, r);
        } else if (planes == PH_HXFR_ALL_PLANES) {
            draw_nv12(
                    s, pixels, pixels + (size_t)r.width * r.height, r.width, r);
        } else {
            draw_plane(s, planes == PH_HXFR_CHROMA, pixels, r);
        }
        pixels += ph_hxfr_tile_size(&r, planes, s->info.format);
    }
}

/* The last row and column of an odd NV12 picture, once more. */
static void extend_edges(struct ph_surface *s)
{
    struct ph_nv12 *p = &s->picture;
    uint32_t width = s->info.width;
    uint32_t height = s->info.height;
    if (width < p->width) {
        for (uint32_t y = 0; y < height; y++) {
            uint8_t *row = p->plane[0] + (size_t)y * p->stride[0];
            row[width] = row[width - 1];
        }
    }
    if (height < p->height) {
        uint8_t *row = p->plane[0] + (size_t)height * p->stride[0];
        memcpy(row, row - p->stride[0], p->width);
    }
}

void ph_surface_draw(struct ph_surface *s,
        const struct ph_hxfr_frame_request *req, const uint8_t *pixels)
{
    struct ph_rect whole = {0, 0, (uint16_t)req->width, (uint16_t)req->height};
    if (req->format == PH_HXFR_NV12) {
        whole.width = (uint16_t)even(req->width);
        whole.height = (uint16_t)even(req->height);
        draw_nv12(
                s, pixels, pixels + req->layout.offset[1], req->stride, whole);
        extend_edges(s);
    } else {
        draw_rgb(s, pixels, req->stride, whole);
    }
}
