/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_overlay.h"

#include <string.h>

static uint8_t *at(const struct ph_x11_canvas *c, uint32_t x, uint32_t y)
{
    return c->pixels + (size_t)y * c->stride + (size_t)x * 4;
}

void ph_x11_overlay_remove(struct ph_x11_overlay *o,
        const struct ph_x11_canvas *c, struct ph_region *damage)
{
    struct ph_rect r = o->rect;
    size_t row = (size_t)r.width * 4;
    for (uint16_t y = 0; r.width > 0 && y < r.height; y++) {
        memcpy(at(c, r.x, (uint32_t)r.y + y), o->under + y * row, row);
    }
    ph_region_add(damage, r);
    o->rect = (struct ph_rect){0, 0, 0, 0};
}

static void blend(uint8_t *to, const uint8_t *from, bool rgba)
{
    uint32_t rest = 255u - from[3];
    uint8_t first = from[rgba ? 0 : 2];
    uint8_t last = from[rgba ? 2 : 0];
    to[0] = (uint8_t)(first + (to[0] * rest + 127) / 255);
    to[1] = (uint8_t)(from[1] + (to[1] * rest + 127) / 255);
    to[2] = (uint8_t)(last + (to[2] * rest + 127) / 255);
}

void ph_x11_overlay_draw(struct ph_x11_overlay *o,
        const struct ph_x11_canvas *c, const struct ph_capture_cursor *cursor,
        const uint8_t *shape, struct ph_region *damage)
{
    int32_t left = cursor->x - cursor->hot_x;
    int32_t top = cursor->y - cursor->hot_y;
    int32_t x0 = PH_MAX(left, 0);
    int32_t y0 = PH_MAX(top, 0);
    int32_t x1 = PH_MIN(left + cursor->width, c->width);
    int32_t y1 = PH_MIN(top + cursor->height, c->height);
    if (!cursor->visible || x0 >= x1 || y0 >= y1) {
        return;
    }
    o->rect = (struct ph_rect){(uint16_t)x0, (uint16_t)y0, (uint16_t)(x1 - x0),
            (uint16_t)(y1 - y0)};
    size_t row = (size_t)o->rect.width * 4;
    for (int32_t y = y0; y < y1; y++) {
        uint8_t *to = at(c, (uint32_t)x0, (uint32_t)y);
        const uint8_t *from = shape +
                ((size_t)(y - top) * cursor->width + (size_t)(x0 - left)) * 4;
        memcpy(o->under + (size_t)(y - y0) * row, to, row);
        for (int32_t x = x0; x < x1; x++, to += 4, from += 4) {
            blend(to, from, c->rgba);
        }
    }
    ph_region_add(damage, o->rect);
}
