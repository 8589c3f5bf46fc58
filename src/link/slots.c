/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/slots.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "link/memory.h"

static struct ph_slots *new_slots(const struct ph_hxfr_surface *surface)
{
    struct ph_slots *s = ph_xcalloc(1, sizeof(*s));
    s->refs = 1;
    s->format = surface->format;
    s->width = surface->width;
    s->height = surface->height;
    return s;
}

struct ph_slots *ph_slots_create(
        const struct ph_hxfr_surface *surface, uint8_t count)
{
    struct ph_slots *s = new_slots(surface);
    bool nv12 = surface->format == PH_HXFR_NV12;
    uint32_t stride = nv12 ? surface->width : surface->width * 4;
    s->layout.count = count;
    s->layout.stride[0] = stride;
    s->layout.stride[1] = stride;
    s->layout.offset[1] = stride * surface->height;
    s->layout.slot_size =
            nv12 ? stride * surface->height / 2 * 3 : stride * surface->height;
    s->memory = malloc((size_t)s->layout.slot_size * count);
    if (!s->memory) {
        ph_slots_unref(s);
        return NULL;
    }
    return s;
}

struct ph_slots *ph_slots_map(const struct ph_hxfr_surface *surface,
        const struct ph_hxfr_slots *layout, int fd)
{
    size_t size = (size_t)layout->slot_size * layout->count;
    uint8_t *memory = ph_memory_map(fd, size);
    if (!memory) {
        return NULL;
    }
    struct ph_slots *s = new_slots(surface);
    s->layout = *layout;
    s->memory = memory;
    s->shared = true;
    return s;
}

struct ph_slots *ph_slots_ref(struct ph_slots *slots)
{
    slots->refs++;
    return slots;
}

void ph_slots_unref(struct ph_slots *s)
{
    if (!s || --s->refs > 0) {
        return;
    }
    if (s->shared) {
        ph_memory_unmap(
                s->memory, (size_t)s->layout.slot_size * s->layout.count);
    } else {
        free(s->memory);
    }
    free(s);
}

size_t ph_slots_gathered_size(
        const struct ph_slots *slots, const struct ph_rect *rects, size_t count)
{
    size_t size = 0;
    for (size_t i = 0; i < count; i++) {
        size += ph_hxfr_rect_size(&rects[i], slots->format);
    }
    return size;
}

static uint8_t *copy_rows(uint8_t *out, const uint8_t *from, uint32_t stride,
        size_t row, uint32_t rows)
{
    if (stride == row) {
        memcpy(out, from, row * rows);
        return out + row * rows;
    }
    for (uint32_t y = 0; y < rows; y++) {
        memcpy(out, from + (size_t)y * stride, row);
        out += row;
    }
    return out;
}

void ph_slots_gather(const struct ph_slots *s, uint8_t slot,
        const struct ph_rect *rects, size_t count, uint8_t *out)
{
    bool nv12 = s->format == PH_HXFR_NV12;
    const uint8_t *plane[] = {
            ph_slots_plane(s, slot, 0), ph_slots_plane(s, slot, 1)};
    const uint32_t *stride = s->layout.stride;
    for (size_t i = 0; i < count; i++) {
        struct ph_rect r = rects[i];
        size_t bytes = nv12 ? 1 : 4;
        const uint8_t *from = plane[0] + (size_t)r.y * stride[0] + r.x * bytes;
        out = copy_rows(out, from, stride[0], r.width * bytes, r.height);
        if (nv12) {
            from = plane[1] + (size_t)(r.y / 2) * stride[1] + r.x;
            out = copy_rows(out, from, stride[1], r.width, r.height / 2u);
        }
    }
}
