/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/pictures.h"

#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "video/damage.h"
#include "vsockenc/caps.h"

enum {
    ROW_ALIGN = 64,
};

static uint32_t even(uint32_t side)
{
    return (side + 1) & ~1u;
}

bool ph_pictures_init(
        struct ph_pictures *p, const GstVideoInfo *info, unsigned count)
{
    *p = (struct ph_pictures){.newest = -1, .count = count};
    p->width = even((uint32_t)info->width);
    p->height = even((uint32_t)info->height);
    uint32_t stride = (p->width + ROW_ALIGN - 1) & ~(ROW_ALIGN - 1u);
    size_t luma = (size_t)stride * p->height;
    size_t size = luma + luma / 2;
    p->memory = calloc(count, size); /* padding is compared as well */
    if (!p->memory) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        uint8_t *at = p->memory + i * size;
        p->items[i] = (struct ph_nv12){
                {at, at + luma}, {stride, stride}, p->width, p->height};
        ph_region_set(&p->stale[i], (uint16_t)p->width, (uint16_t)p->height);
    }
    return true;
}

void ph_pictures_finish(struct ph_pictures *p)
{
    free(p->memory);
    free(p->before);
    *p = (struct ph_pictures){.newest = -1};
}

/* Compares a plane of bytes as if 4 of them were a pixel; one byte of it
 * stands for 1 << shift rows of luma. */
static void compare_plane(const struct ph_pictures *p, unsigned a, unsigned b,
        int plane, struct ph_region *out)
{
    struct ph_region found = {0};
    struct ph_damage_pictures pair = {
            .before = p->items[a].plane[plane],
            .now = p->items[b].plane[plane],
            .stride = p->items[a].stride[plane],
            .width = (uint16_t)((p->width + 3) / 4),
            .height = (uint16_t)(p->height >> plane),
    };
    ph_damage_compare(
            &pair, (struct ph_rect){0, 0, pair.width, pair.height}, &found);
    for (uint16_t i = 0; i < found.count; i++) {
        struct ph_rect r = found.rects[i];
        uint32_t x = r.x * 4u;
        uint32_t end = PH_MIN(x + r.width * 4u, p->width);
        ph_region_add(out,
                (struct ph_rect){(uint16_t)x, (uint16_t)(r.y << plane),
                        (uint16_t)(end - x), (uint16_t)(r.height << plane)});
    }
}

static void draw_yuv(struct ph_pictures *p, unsigned index,
        const GstVideoFrame *f, struct ph_region *changed)
{
    struct ph_yuv src = {.width = (uint32_t)GST_VIDEO_FRAME_WIDTH(f),
            .height = (uint32_t)GST_VIDEO_FRAME_HEIGHT(f)};
    for (guint i = 0; i < GST_VIDEO_FRAME_N_PLANES(f); i++) {
        src.plane[i] = GST_VIDEO_FRAME_PLANE_DATA(f, i);
        src.stride[i] = (uint32_t)GST_VIDEO_FRAME_PLANE_STRIDE(f, i);
    }
    ph_pixels_draw_yuv(&src, &p->items[index]);
    if (p->newest >= 0) {
        compare_plane(p, (unsigned)p->newest, index, 0, changed);
        compare_plane(p, (unsigned)p->newest, index, 1, changed);
    }
}

static struct ph_rgb rgb_of(const GstVideoFrame *f)
{
    return (struct ph_rgb){
            .data = GST_VIDEO_FRAME_PLANE_DATA(f, 0),
            .stride = (uint32_t)GST_VIDEO_FRAME_PLANE_STRIDE(f, 0),
            .width = (uint32_t)GST_VIDEO_FRAME_WIDTH(f),
            .height = (uint32_t)GST_VIDEO_FRAME_HEIGHT(f),
            .format = ph_caps_format(GST_VIDEO_FRAME_FORMAT(f)),
    };
}

static void compare_rgb(struct ph_pictures *p, const GstVideoFrame *f,
        struct ph_region *changed)
{
    struct ph_rgb rgb = rgb_of(f);
    struct ph_rect all = {0, 0, (uint16_t)rgb.width, (uint16_t)rgb.height};
    if (p->before && p->before_stride == rgb.stride) {
        struct ph_damage_pictures pair = {p->before, rgb.data, rgb.stride,
                (uint16_t)rgb.width, (uint16_t)rgb.height};
        ph_damage_compare(&pair, all, changed);
    } else {
        free(p->before);
        p->before = malloc((size_t)rgb.stride * rgb.height);
        p->before_stride = rgb.stride;
        ph_region_add(changed, all);
    }
    p->unkept = *changed;
}

bool ph_pictures_take(struct ph_pictures *p, unsigned index,
        const GstVideoFrame *f, struct ph_region *changed)
{
    bool drawn = GST_VIDEO_INFO_IS_YUV(&f->info);
    ph_region_clear(changed);
    if (drawn) {
        draw_yuv(p, index, f, changed);
    } else {
        compare_rgb(p, f, changed);
    }
    if (p->newest < 0) {
        ph_region_set(changed, (uint16_t)p->width, (uint16_t)p->height);
    }
    ph_region_align(changed, (uint16_t)p->width, (uint16_t)p->height);
    for (unsigned i = 0; !drawn && i < p->count; i++) {
        ph_region_union(&p->stale[i], changed);
    }
    p->newest = (int)index;
    return drawn;
}

void ph_pictures_paint(
        const GstVideoFrame *f, const struct ph_nv12 *to, struct ph_rect rect)
{
    struct ph_rgb rgb = rgb_of(f);
    ph_pixels_to_nv12(&rgb, to, rect);
}

void ph_pictures_keep(struct ph_pictures *p, const GstVideoFrame *f)
{
    struct ph_rgb rgb = rgb_of(f);
    struct ph_region *stale = &p->stale[p->newest];
    for (uint16_t i = 0; p->before && i < p->unkept.count; i++) {
        ph_pixels_copy_rgb(&rgb, p->before, rgb.stride, p->unkept.rects[i]);
    }
    for (uint16_t i = 0; i < stale->count; i++) {
        ph_pixels_to_nv12(&rgb, &p->items[p->newest], stale->rects[i]);
    }
    ph_region_clear(&p->unkept);
    ph_region_clear(stale);
}
