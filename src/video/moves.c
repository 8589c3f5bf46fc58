/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "video/moves.h"

#include <string.h>

/* Rows in the order in which none is overwritten before it was read; within
 * a row memmove sees to that. */
static void move_plane(uint8_t *plane, uint32_t stride, struct ph_rect from,
        int32_t dx, int32_t dy)
{
    for (uint32_t i = 0; i < from.height; i++) {
        uint32_t y = from.y + (dy > 0 ? from.height - 1u - i : i);
        uint8_t *row = plane + (size_t)y * stride + from.x;
        memmove(row + (ptrdiff_t)dy * stride + dx, row, from.width);
    }
}

void ph_moves_apply(const struct ph_nv12 *p, const struct ph_move *m)
{
    struct ph_rect from = m->from;
    move_plane(p->plane[0], p->stride[0], from, m->dx, m->dy);
    if (ph_hxfr_move_is_even(m)) {
        from.y /= 2;
        from.height /= 2;
        move_plane(p->plane[1], p->stride[1], from, m->dx, m->dy / 2);
    }
}
