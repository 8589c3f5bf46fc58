/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/feed.h"

static void set_all(struct ph_feed *f)
{
    uint16_t width = (uint16_t)f->width;
    uint16_t height = (uint16_t)f->height;
    for (int i = 0; i < PH_HXFR_MAX_SLOTS; i++) {
        ph_region_set(&f->stale[i], width, height);
    }
    ph_region_set(&f->unsent, width, height);
    f->valid = false;
    f->keyframe = true;
}

void ph_feed_set_surface(struct ph_feed *f, uint32_t width, uint32_t height,
        const struct ph_hxfr_colour *colour)
{
    f->width = width;
    f->height = height;
    f->colour = *colour;
    set_all(f);
    ph_link_set_surface(f->link, width, height, colour);
}

void ph_feed_reset(struct ph_feed *f)
{
    set_all(f);
}

static void draw_rect(const struct ph_feed *f, const struct ph_nv12 *picture,
        const struct ph_feed_pixels *pixels, const struct ph_link_picture *slot,
        struct ph_rect rect)
{
    struct ph_nv12 to = {{slot->plane[0], slot->plane[1]},
            {slot->stride[0], slot->stride[1]}, slot->width, slot->height};
    if (pixels) {
        pixels->paint(pixels->data, &to, rect);
    } else if (slot->format == PH_HXFR_NV12) {
        ph_pixels_copy_nv12(picture, &to, rect);
    } else {
        ph_pixels_nv12_to_bgra(picture, f->colour.matrix, f->colour.full_range,
                slot->plane[0], slot->stride[0], rect);
    }
}

enum ph_link_result ph_feed_draw(struct ph_feed *f,
        const struct ph_nv12 *picture, const struct ph_feed_pixels *pixels,
        const struct ph_region *changed, struct ph_link_picture *slot)
{
    enum ph_link_result r = ph_link_acquire(f->link, slot);
    if (r != PH_LINK_OK) {
        return r;
    }
    if (slot->generation != f->generation) {
        f->generation = slot->generation;
        set_all(f);
    }
    for (int i = 0; i < PH_HXFR_MAX_SLOTS; i++) {
        ph_region_union(&f->stale[i], changed);
    }
    ph_region_union(&f->unsent, changed);
    struct ph_region *stale = &f->stale[slot->slot];
    if (pixels && slot->format != PH_HXFR_NV12) {
        pixels->keep(pixels->data);
        pixels = NULL;
    }
    for (uint16_t i = 0; i < stale->count; i++) {
        draw_rect(f, picture, pixels, slot, stale->rects[i]);
    }
    ph_region_clear(stale);
    return PH_LINK_OK;
}

enum ph_link_result ph_feed_submit(struct ph_feed *f,
        const struct ph_link_picture *slot, int64_t pts, bool keyframe,
        uint32_t *sequence)
{
    uint32_t flags = keyframe || f->keyframe ? PH_HXFR_FRAME_KEYFRAME : 0;
    enum ph_link_result r = ph_link_submit(f->link, slot, pts, flags,
            f->unsent.rects, f->unsent.count, sequence);
    if (r == PH_LINK_OK) {
        ph_region_clear(&f->unsent);
        f->valid = true;
        f->keyframe = false;
        ph_refine_begin(&f->refine, pts);
    } else {
        set_all(f);
    }
    return r;
}

enum ph_link_result ph_feed_repeat(
        struct ph_feed *f, int64_t pts, bool keyframe, uint32_t *sequence)
{
    if (!f->valid) {
        return PH_LINK_DOWN;
    }
    bool refine = !keyframe && pts >= ph_refine_due(&f->refine) &&
            ph_link_can_refine(f->link);
    uint32_t flags = keyframe ? PH_HXFR_FRAME_KEYFRAME
            : refine          ? PH_HXFR_FRAME_REFINE
                              : 0;
    enum ph_link_result r = ph_link_repeat(f->link, pts, flags, sequence);
    if (r == PH_LINK_OK && keyframe) {
        ph_refine_begin(&f->refine, pts);
    } else if (r == PH_LINK_OK && refine) {
        ph_refine_took(&f->refine, pts);
    }
    return r;
}

enum ph_link_result ph_feed_submit_resource(struct ph_feed *f,
        const struct ph_link_resource *resource, int64_t pts, bool keyframe,
        uint32_t *sequence)
{
    uint32_t flags = keyframe || f->keyframe ? PH_HXFR_FRAME_KEYFRAME : 0;
    enum ph_link_result r =
            ph_link_submit_resource(f->link, resource, pts, flags, sequence);
    if (r == PH_LINK_OK) {
        set_all(f);
        f->keyframe = false;
    }
    return r;
}
