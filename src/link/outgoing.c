/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "link/link_private.h"

/* Room in `out` for a message of this size; the old content is gone. */
static struct ph_writer begin(struct ph_link *link, size_t size)
{
    if (size > link->out_cap) {
        free(link->out);
        link->out = malloc(size);
        link->out_cap = link->out ? size : 0;
    }
    link->out_len = 0;
    link->out_done = 0;
    return ph_writer(link->out, link->out_cap);
}

static bool finish(struct ph_link *link, const struct ph_writer *w)
{
    link->out_len = w->ok ? w->len : 0;
    return w->ok;
}

/* What a host of version 1 wants: BGRA; with extensions: NV12. */
static uint32_t wanted_format(const struct ph_link *link)
{
    return link->version == 1 ? PH_HXFR_BGRA : PH_HXFR_NV12;
}

static bool announce_locked(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    s->surface_changed = false;
    s->surface.format = wanted_format(link);
    s->surface.sequence = s->next_sequence++;
    link->announced = s->surface;
    link->announced_generation = s->generation;
    link->awaiting_slots = link->capabilities & PH_HXFR_CAP_MEMFD;
    struct ph_writer w = begin(link, 64);
    if (link->version == 1) {
        return false; /* the next FRAME_REQUEST says it */
    }
    ph_hxfr_write_surface(&w, PH_LINK_SESSION, &s->surface);
    return finish(link, &w);
}

static bool write_bitrate_locked(struct ph_link *link)
{
    link->shared.bitrate_changed = false;
    struct ph_hxfr_config config = {
            .bitrate = link->shared.bitrate, .fps_den = 1, .realtime = true};
    struct ph_writer w = begin(link, 64);
    ph_hxfr_write_config(&w, PH_LINK_SESSION, &config);
    return finish(link, &w);
}

/* A whole picture for a version 1 host. */
static bool write_v1_frame(struct ph_link *link, const struct ph_slots *slots,
        const struct ph_link_request *r)
{
    struct ph_hxfr_frame_request q = {
            .width = slots->width,
            .height = slots->height,
            .format = slots->format,
            .stride = slots->layout.stride[0],
            .pts = r->pts,
            .duration = -1,
            .force_keyframe = r->flags & PH_HXFR_FRAME_KEYFRAME,
            .has_pixels = true,
            .layout = {.size = slots->layout.slot_size},
    };
    struct ph_writer w = begin(link,
            PH_HXFR_HEADER_SIZE + PH_HXFR_FRAME_REQUEST_SIZE + q.layout.size);
    ph_hxfr_write_frame_request(&w, PH_LINK_SESSION, &q);
    ph_write_bytes(
            &w, ph_slots_plane(slots, r->slot, 0), slots->layout.slot_size);
    return finish(link, &w);
}

static bool write_ext_frame(struct ph_link *link, const struct ph_slots *slots,
        const struct ph_link_request *r)
{
    struct ph_hxfr_frame f = {
            .sequence = r->sequence,
            .pts = r->pts,
            .flags = r->flags,
            .slot = r->slot,
            .rect_count = r->rect_count,
    };
    uint8_t type = r->type;
    size_t pixels = 0;
    if (type == PH_HXFR_SLOT_FRAME && !slots->shared) {
        type = PH_HXFR_TILES;
        f.slot = 0;
        pixels = ph_slots_gathered_size(slots, r->rects, r->rect_count);
    }
    struct ph_writer w =
            begin(link, PH_HXFR_HEADER_SIZE + PH_HXFR_MAX_CONTROL + pixels);
    ph_hxfr_write_frame(&w, type, PH_LINK_SESSION, &f, r->rects, pixels);
    uint8_t *room = pixels ? ph_write_room(&w, pixels) : NULL;
    if (room) {
        ph_slots_gather(slots, r->slot, r->rects, r->rect_count, room);
    }
    return finish(link, &w);
}

/* The oldest request that is not written, or NULL. Requests of an older
 * generation, whose pixels are gone, are handed out as well: the caller drops
 * them. */
static struct ph_link_request *next_request_locked(struct ph_link_shared *s)
{
    return s->written < s->count ? ph_link_request(s, s->written) : NULL;
}

/* Takes the request at `written`, the oldest not written, out of the ring. */
static void drop_unwritten_locked(struct ph_link_shared *s)
{
    for (uint32_t i = s->written; i + 1 < s->count; i++) {
        *ph_link_request(s, i) = *ph_link_request(s, i + 1);
    }
    s->count--;
}

static bool write_request(struct ph_link *link, struct ph_slots *slots,
        const struct ph_link_request *r)
{
    return link->version == 1 ? write_v1_frame(link, slots, r)
                              : write_ext_frame(link, slots, r);
}

bool ph_link_next_message(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    for (;;) {
        pthread_mutex_lock(&s->lock);
        if (s->surface_changed) {
            bool written = announce_locked(link);
            uint32_t generation = link->announced_generation;
            pthread_mutex_unlock(&s->lock);
            if (!link->awaiting_slots) {
                ph_link_install_slots(link,
                        ph_slots_create(
                                &link->announced, (uint8_t)(s->window + 1)),
                        generation);
            }
            if (written) {
                return true;
            }
            continue;
        }
        if (s->bitrate_changed && link->version != 1) {
            bool ok = write_bitrate_locked(link);
            pthread_mutex_unlock(&s->lock);
            return ok;
        }
        struct ph_link_request *r = next_request_locked(s);
        if (!r) {
            pthread_mutex_unlock(&s->lock);
            return false;
        }
        if (r->generation != s->generation || !s->slots) {
            uint32_t sequence = r->sequence;
            drop_unwritten_locked(s);
            pthread_mutex_unlock(&s->lock);
            link->events.failed(link->data, sequence, 0, "superseded");
            continue;
        }
        s->written++;
        struct ph_slots *slots = ph_slots_ref(s->slots);
        pthread_mutex_unlock(&s->lock);
        /* A written request stays where it is until it is answered, which
         * only this thread does. */
        bool ok = write_request(link, slots, r);
        ph_slots_unref(slots);
        return ok;
    }
}
