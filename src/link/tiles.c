/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/tiles.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "video/pack.h"

enum {
    /* Less is not worth packing: it fits into a packet or two. */
    PACK_LEAST = 512,
    /* Nor is less worth the round trip to a file system's server. */
    STAGE_LEAST = 16 << 10,
};

bool ph_link_tiles_init(
        struct ph_link_tiles *t, uint32_t width, uint32_t height)
{
    size_t size = (size_t)width * height / 2 * 3;
    ph_link_tiles_finish(t);
    t->delta = ph_delta_create(width, height);
    t->pixels = malloc(size);
    t->packed = malloc(size);
    if (t->delta && t->pixels && t->packed) {
        return true;
    }
    ph_link_tiles_finish(t);
    return false;
}

void ph_link_tiles_finish(struct ph_link_tiles *t)
{
    ph_delta_destroy(t->delta);
    free(t->pixels);
    free(t->packed);
    *t = (struct ph_link_tiles){0};
}

static bool pack(struct ph_link_tiles *t, struct ph_flow *flow)
{
    size_t bytes = t->body_size;
    int64_t begin = ph_clock_ns();
    size_t packed = ph_pack(t->pixels, bytes, t->packed, bytes - 1);
    ph_flow_packed(flow, bytes, packed ? packed : bytes, ph_clock_ns() - begin);
    if (packed) {
        t->body = t->packed;
        t->body_size = packed;
    }
    return packed;
}

/* Leaves the pixels in the file, where the host reads them. */
static bool stage(
        struct ph_link_tiles *t, const struct ph_link_tiles_frame *frame)
{
    size_t done = 0;
    while (done < t->body_size) {
        ssize_t n = pwrite(frame->stage, t->body + done, t->body_size - done,
                frame->stage_at + (off_t)done);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        done += (size_t)n;
    }
    t->body_size = 0;
    return true;
}

void ph_link_tiles_write(struct ph_link_tiles *t, struct ph_flow *flow,
        struct ph_writer *w, uint16_t session,
        const struct ph_link_tiles_frame *frame)
{
    struct ph_delta *d = t->delta;
    struct ph_hxfr_frame head = frame->head;
    ph_delta_update(
            d, &frame->picture, frame->rects, frame->rect_count, frame->whole);
    ph_delta_gather(d, t->pixels);
    head.move_count = d->move_count;
    head.rect_count = d->tile_count;
    t->moved = d->move_count > 0;
    t->body = t->pixels;
    t->body_size = d->bytes;
    if (frame->stage >= 0 && d->bytes >= STAGE_LEAST && stage(t, frame)) {
        head.flags |= PH_HXFR_FRAME_FILE;
    } else if (!frame->pack) {
        ph_flow_not_packed(flow);
    } else if (d->bytes >= PACK_LEAST && pack(t, flow)) {
        head.flags |= PH_HXFR_FRAME_LZ4;
    }
    ph_hxfr_write_tiles(w, session, &head, d->moves, d->tiles, t->body_size);
}
