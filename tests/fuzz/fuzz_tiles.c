/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The payload of a TILES message on a small surface, through everything that
 * a host does with it: parse, unpack, move, draw. The first byte chooses the
 * format.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "hostd/surface.h"
#include "video/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void draw(const struct ph_hxfr_surface *info,
        const struct ph_hxfr_frame *f, const uint8_t *rest, size_t len)
{
    struct ph_budget budget = {.limit = 1 << 20};
    struct ph_surface surface;
    uint8_t *pixels = malloc(f->bytes + 1);
    must(pixels && ph_surface_init(&surface, &budget, info));
    bool ok = true;
    if (f->flags & PH_HXFR_FRAME_LZ4) {
        ok = ph_unpack(rest, len, pixels, f->bytes);
    } else {
        must(len == f->bytes);
        memcpy(pixels, rest, len);
    }
    if (ok) {
        ph_surface_patch(&surface, f, pixels);
    }
    ph_surface_finish(&surface);
    must(budget.used == 0);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 + PH_HXFR_FRAME_HEAD_SIZE || size > 64 << 10) {
        return 0;
    }
    struct ph_hxfr_surface info = {
            .width = 64, .height = 48, .format = PH_HXFR_NV12};
    if (data[0] & 1) {
        info = (struct ph_hxfr_surface){
                .width = 63, .height = 47, .format = PH_HXFR_BGRA};
    }
    const uint8_t *payload = data + 1;
    size_t len = size - 1;
    struct ph_hxfr_frame f;
    if (ph_hxfr_parse_frame(
                PH_HXFR_TILES, payload, len, (uint32_t)len, &info, &f)) {
        size_t control =
                PH_HXFR_FRAME_HEAD_SIZE + ph_hxfr_frame_control(payload);
        must(control <= len);
        if (f.flags & PH_HXFR_FRAME_FILE) { /* its pixels are elsewhere */
            must(control == len);
            return 0;
        }
        draw(&info, &f, payload + control, len - control);
    }
    return 0;
}
