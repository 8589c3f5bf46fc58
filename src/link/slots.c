/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/slots.h"

#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "link/memory.h"
#include "link/region.h"

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

struct ph_slots *ph_slots_map_range(const struct ph_hxfr_surface *surface,
        const struct ph_hxfr_slots *layout, int bar)
{
    uint8_t *memory = ph_region_map(bar, layout->offset_in_region,
            layout->nonce, (size_t)layout->slot_size * layout->count);
    if (!memory) {
        return NULL;
    }
    struct ph_slots *s = new_slots(surface);
    s->layout = *layout;
    s->memory = memory;
    s->shared = true;
    s->in_region = true;
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
    size_t size = (size_t)s->layout.slot_size * s->layout.count;
    if (s->in_region) {
        ph_region_unmap(s->memory, size);
    } else if (s->shared) {
        ph_memory_unmap(s->memory, size);
    } else {
        free(s->memory);
    }
    free(s);
}

struct ph_slots_reader ph_slots_read(const struct ph_slots *slots, uint8_t slot,
        const struct ph_rect *rects, size_t count)
{
    struct ph_slots_reader r = {
            .slots = slots, .slot = slot, .rects = rects, .count = count};
    for (size_t i = 0; i < count; i++) {
        r.left += ph_hxfr_rect_size(&rects[i], slots->format);
    }
    return r;
}

/* The rectangle as it lies in the plane of the position. */
static size_t row_bytes(const struct ph_slots_reader *r)
{
    uint32_t pixel = r->slots->format == PH_HXFR_NV12 ? 1 : 4;
    return (size_t)r->rects[r->rect].width * pixel;
}

static size_t row_count(const struct ph_slots_reader *r)
{
    return r->rects[r->rect].height >> r->plane;
}

/* The bytes from the position that lie in one piece. */
static size_t piece(const struct ph_slots_reader *r, uint8_t **data)
{
    const struct ph_rect *rect = &r->rects[r->rect];
    size_t row = row_bytes(r);
    size_t stride = r->slots->layout.stride[r->plane];
    size_t y = (rect->y >> r->plane) + r->done / row;
    size_t x = rect->x * (row / rect->width) + r->done % row;
    *data = ph_slots_plane(r->slots, r->slot, r->plane) + y * stride + x;
    return row == stride ? row * row_count(r) - r->done : row - r->done % row;
}

/* Skips n bytes of one piece. */
static void skip(struct ph_slots_reader *r, size_t n)
{
    bool nv12 = r->slots->format == PH_HXFR_NV12;
    r->done += n;
    r->left -= n;
    if (r->done == row_bytes(r) * row_count(r)) {
        r->done = 0;
        r->plane = nv12 && r->plane == 0;
        r->rect += r->plane == 0;
    }
}

int ph_slots_peek(
        const struct ph_slots_reader *from, struct iovec *iov, int max)
{
    struct ph_slots_reader r = *from;
    int count = 0;
    while (r.left > 0 && count < max) {
        uint8_t *data = NULL;
        size_t n = piece(&r, &data);
        iov[count++] = (struct iovec){data, n};
        skip(&r, n);
    }
    return count;
}

void ph_slots_advance(struct ph_slots_reader *r, size_t n)
{
    while (n > 0 && r->left > 0) {
        uint8_t *data = NULL;
        size_t len = piece(r, &data);
        len = PH_MIN(len, n);
        skip(r, len);
        n -= len;
    }
}
