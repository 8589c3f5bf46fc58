/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/encoder_adapt.h"

#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "proto/hxfr_ext.h"

bool ph_adapt_init(struct ph_adapt *adapt,
        const struct ph_encoder_config *config, uint32_t least)
{
    const struct ph_hxfr_colour *c = &config->colour;
    *adapt = (struct ph_adapt){
            .width = PH_MAX(config->width, least),
            .height = PH_MAX(config->height, least),
            .repair = {.width = config->width,
                    .height = config->height,
                    .colour = {c->primaries, c->transfer, c->matrix,
                            c->full_range}},
    };
    if (adapt->width == config->width && adapt->height == config->height) {
        return true;
    }
    size_t luma = (size_t)adapt->width * adapt->height;
    uint8_t *memory = malloc(luma / 2 * 3);
    adapt->larger = (struct ph_nv12){{memory, memory ? memory + luma : NULL},
            {adapt->width, adapt->width}, adapt->width, adapt->height};
    return memory;
}

void ph_adapt_finish(struct ph_adapt *adapt)
{
    free(adapt->larger.plane[0]);
    free(adapt->out);
    *adapt = (struct ph_adapt){0};
}

/* Rows of `step` bytes a pixel; the last pixel and row fill the rest. */
static void extend_plane(struct ph_adapt *adapt, const struct ph_nv12 *from,
        int plane, uint32_t step)
{
    const struct ph_nv12 *to = &adapt->larger;
    uint32_t shift = plane > 0;
    uint32_t bytes = (from->width >> shift) * step;
    uint32_t rows = from->height >> shift;
    for (uint32_t y = 0; y < to->height >> shift; y++) {
        const uint8_t *src = from->plane[plane] +
                (size_t)PH_MIN(y, rows - 1) * from->stride[plane];
        uint8_t *dst = to->plane[plane] + (size_t)y * to->stride[plane];
        memcpy(dst, src, bytes);
        for (uint32_t x = bytes; x < to->width; x++) {
            dst[x] = dst[x - step];
        }
    }
}

const struct ph_nv12 *ph_adapt_picture(
        struct ph_adapt *adapt, const struct ph_nv12 *picture)
{
    if (!adapt->larger.plane[0]) {
        return picture;
    }
    extend_plane(adapt, picture, 0, 1);
    extend_plane(adapt, picture, 1, 2);
    return &adapt->larger;
}

bool ph_adapt_unit(struct ph_adapt *adapt, const uint8_t *data, size_t size,
        struct ph_encoder_output *out)
{
    size_t needed = 0;
    if (!ph_h264_repair_unit(&adapt->repair, data, size, adapt->out,
                adapt->out_size, &needed)) {
        return false;
    }
    if (needed > adapt->out_size) {
        size_t room = needed + needed / 4;
        uint8_t *larger = needed <= PH_HXFR_MAX_ACCESS_UNIT
                ? realloc(adapt->out, room)
                : NULL;
        if (!larger) {
            return false;
        }
        adapt->out = larger;
        adapt->out_size = room;
        ph_h264_repair_unit(
                &adapt->repair, data, size, adapt->out, room, &needed);
    }
    struct ph_h264_unit unit;
    out->data = adapt->out;
    out->size = needed;
    out->keyframe = ph_h264_inspect(adapt->out, needed, &unit) && unit.idr;
    return true;
}
