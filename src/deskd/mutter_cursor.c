/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter_cursor.h"

#include <spa/buffer/buffer.h>
#include <spa/buffer/meta.h>
#include <spa/param/video/raw.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"

/* Bytes where red, green, blue and alpha lie in a pixel; NULL: not known. */
static const uint8_t *order_of(uint32_t format)
{
    static const uint8_t rgba[] = {0, 1, 2, 3};
    static const uint8_t bgra[] = {2, 1, 0, 3};
    static const uint8_t argb[] = {1, 2, 3, 0};
    static const uint8_t abgr[] = {3, 2, 1, 0};
    switch (format) {
    case SPA_VIDEO_FORMAT_RGBA:
        return rgba;
    case SPA_VIDEO_FORMAT_BGRA:
        return bgra;
    case SPA_VIDEO_FORMAT_ARGB:
        return argb;
    case SPA_VIDEO_FORMAT_ABGR:
        return abgr;
    default:
        return NULL;
    }
}

/* True when the description, of size bytes, holds a shape; *bitmap is where,
 * NULL: the shape is "none". */
static bool find_shape(const struct spa_meta_cursor *cursor, uint32_t size,
        const struct spa_meta_bitmap **bitmap)
{
    uint32_t at = cursor->bitmap_offset;
    if (at < sizeof(*cursor) || at > size || size - at < sizeof(**bitmap)) {
        return false;
    }
    const struct spa_meta_bitmap *b =
            SPA_PTROFF(cursor, at, const struct spa_meta_bitmap);
    *bitmap = NULL; /* Mutter says so without a format, too */
    if (b->offset == 0 || b->size.width == 0 || b->size.height == 0) {
        return true;
    }
    uint64_t room = size - at;
    uint64_t end = b->offset + (uint64_t)b->size.width * 4;
    if (b->offset < sizeof(*b) || !order_of(b->format) || b->stride <= 0 ||
            b->size.height > size ||
            end + (uint64_t)b->stride * (b->size.height - 1) > room) {
        return false;
    }
    *bitmap = b;
    return true;
}

/* True when it is another shape than before. A cursor that is larger than
 * what may be told loses its right and lower edge. */
static bool take_shape(struct ph_mutter_cursor *c,
        const struct spa_meta_cursor *cursor, const struct spa_meta_bitmap *b)
{
    struct ph_capture_cursor *now = &c->now;
    uint32_t width = PH_MIN(b->size.width, (uint32_t)PH_CAPTURE_MAX_CURSOR);
    uint32_t height = PH_MIN(b->size.height, (uint32_t)PH_CAPTURE_MAX_CURSOR);
    const uint8_t *order = order_of(b->format);
    uint8_t *pixels = ph_xmalloc((size_t)width * height * 4);
    uint8_t *to = pixels;
    for (uint32_t y = 0; y < height; y++) {
        const uint8_t *from = SPA_PTROFF(
                b, b->offset + (size_t)y * (uint32_t)b->stride, const uint8_t);
        for (uint32_t x = 0; x < width; x++, from += 4, to += 4) {
            to[0] = from[order[0]];
            to[1] = from[order[1]];
            to[2] = from[order[2]];
            to[3] = from[order[3]];
        }
    }
    int32_t hot_x = PH_MAX(0, PH_MIN(cursor->hotspot.x, (int32_t)width - 1));
    int32_t hot_y = PH_MAX(0, PH_MIN(cursor->hotspot.y, (int32_t)height - 1));
    bool same = c->pixels && now->width == width && now->height == height &&
            now->hot_x == hot_x && now->hot_y == hot_y &&
            memcmp(pixels, c->pixels, (size_t)width * height * 4) == 0;
    if (same) {
        free(pixels);
        return false;
    }
    free(c->pixels);
    c->pixels = pixels;
    now->serial++;
    now->width = (uint16_t)width;
    now->height = (uint16_t)height;
    now->hot_x = (uint16_t)hot_x;
    now->hot_y = (uint16_t)hot_y;
    return true;
}

bool ph_mutter_cursor_take(struct ph_mutter_cursor *c,
        const struct spa_buffer *buffer, struct ph_capture_cursor *out)
{
    const struct spa_meta *meta = spa_buffer_find_meta(buffer, SPA_META_Cursor);
    if (!meta || meta->size < sizeof(struct spa_meta_cursor)) {
        return false;
    }
    const struct spa_meta_cursor *cursor = meta->data;
    const struct spa_meta_bitmap *bitmap = NULL;
    struct ph_capture_cursor before = c->now;
    bool fresh = false;
    c->now.visible = false; /* 0: it is on no part of this picture */
    if (cursor->id != 0) {
        if (find_shape(cursor, meta->size, &bitmap)) {
            c->empty = !bitmap;
            fresh = bitmap && take_shape(c, cursor, bitmap);
        }
        c->now.visible = c->pixels && !c->empty;
        c->now.x = cursor->position.x;
        c->now.y = cursor->position.y;
    }
    if (!fresh && c->now.visible == before.visible && c->now.x == before.x &&
            c->now.y == before.y) {
        return false;
    }
    *out = c->now;
    out->data = fresh ? c->pixels : NULL;
    return true;
}

void ph_mutter_cursor_finish(struct ph_mutter_cursor *c)
{
    free(c->pixels);
    *c = (struct ph_mutter_cursor){0};
}
