/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What goes to the host. A message is a head (in link->out) and, where pixels
 * do not lie in shared memory, rectangles of a slot, which are written from
 * where they are: the slot is the link's until its answer.
 */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/clock.h"
#include "common/macros.h"
#include "common/net.h"
#include "link/link_private.h"

enum {
    /* Later version 1 hosts read no more pixels than this. */
    MAX_V1_PIXELS = 64 << 20,
    PIECES = 256,
};

static struct ph_writer begin(struct ph_link *link)
{
    struct ph_link_out *out = &link->out;
    out->len = 0;
    out->done = 0;
    out->request = false;
    return ph_writer(out->head, sizeof(out->head));
}

static void finish(struct ph_link *link, const struct ph_writer *w)
{
    link->out.len = w->len;
}

void ph_link_drop_message(struct ph_link *link)
{
    begin(link);
    link->out.pixels = (struct ph_slots_reader){0};
    link->out.body_left = 0;
    ph_slots_unref(link->out.slots);
    link->out.slots = NULL;
}

bool ph_link_is_sending(const struct ph_link *link)
{
    const struct ph_link_out *out = &link->out;
    return out->done < out->len || out->pixels.left > 0 || out->body_left > 0;
}

static bool write_surface(struct ph_link *link)
{
    if (link->version != 1) {
        struct ph_writer w = begin(link);
        ph_hxfr_write_surface(&w, PH_LINK_SESSION, &link->announced);
        finish(link, &w);
        return true;
    }
    const struct ph_hxfr_surface *a = &link->announced;
    struct ph_rect all = {0, 0, (uint16_t)a->width, (uint16_t)a->height};
    if (ph_hxfr_rect_size(&all, a->format) > MAX_V1_PIXELS) {
        return ph_link_fail(link,
                "%ux%u is more than a host of version 1 takes", a->width,
                a->height);
    }
    return true; /* nothing to send: each frame says its size */
}

/* To a version 1 host BGRA unless told otherwise: of that even the earliest
 * copies the right number of bytes a row. */
static uint32_t pick_format(const struct ph_link *link)
{
    uint32_t v1 =
            link->options.v1_format ? link->options.v1_format : PH_HXFR_BGRA;
    return link->version == 1 ? v1 : PH_HXFR_NV12;
}

static bool announce(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    s->surface_changed = false;
    s->surface.format = pick_format(link);
    s->surface.sequence = s->next_sequence++;
    link->announced = s->surface;
    link->announced_generation = s->generation;
    pthread_mutex_unlock(&s->lock);
    if (!write_surface(link)) {
        return false;
    }
    ph_close(&link->stage);
    if (link->capabilities & PH_HXFR_CAPS_MEMORY) {
        link->slots_deadline_ns = ph_deadline_ms(link->options.timeout_ms);
        return true;
    }
    return ph_link_use_tiles(link);
}

bool ph_link_use_tiles(struct ph_link *link)
{
    struct ph_slots *slots = ph_slots_create(
            &link->announced, (uint8_t)(link->shared.window + 1));
    bool tiles = link->capabilities & PH_HXFR_CAP_MOVES;
    ph_link_check_new_surface(link);
    if (!tiles) {
        ph_link_tiles_finish(&link->tiles);
    }
    if (!slots ||
            (tiles &&
                    !ph_link_tiles_init(&link->tiles, link->announced.width,
                            link->announced.height))) {
        ph_slots_unref(slots);
        return ph_link_fail(link, "no memory for pictures of %ux%u",
                link->announced.width, link->announced.height);
    }
    ph_link_install_slots(link, slots, link->announced_generation);
    return true;
}

static void write_bitrate(struct ph_link *link, uint32_t bitrate)
{
    struct ph_hxfr_config config = {
            .bitrate = bitrate, .fps_den = 1, .realtime = true};
    struct ph_writer w = begin(link);
    ph_hxfr_write_config(&w, PH_LINK_SESSION, &config);
    finish(link, &w);
}

/* A whole picture for a version 1 host. */
static void write_v1_frame(struct ph_link *link, const struct ph_slots *slots,
        const struct ph_link_request *r)
{
    link->whole = (struct ph_rect){
            0, 0, (uint16_t)slots->width, (uint16_t)slots->height};
    link->out.pixels = ph_slots_read(slots, r->slot, &link->whole, 1);
    struct ph_hxfr_frame_request q = {
            .width = slots->width,
            .height = slots->height,
            .format = slots->format,
            .stride = slots->layout.stride[0],
            .pts = r->pts,
            .duration = -1,
            .force_keyframe = r->flags & PH_HXFR_FRAME_KEYFRAME,
            .has_pixels = true,
            .layout = {.size = link->out.pixels.left},
    };
    struct ph_writer w = begin(link);
    ph_hxfr_write_frame_request(&w, PH_LINK_SESSION, &q);
    finish(link, &w);
}

static void write_resource(
        struct ph_link *link, const struct ph_link_request *r)
{
    struct ph_hxfr_frame_request q = {
            .resource_id = r->resource.id,
            .width = r->resource.width,
            .height = r->resource.height,
            .format = r->resource.format,
            .stride = r->resource.stride,
            .pts = r->pts,
            .duration = -1,
            .force_keyframe = r->flags & PH_HXFR_FRAME_KEYFRAME,
    };
    struct ph_writer w = begin(link);
    ph_hxfr_write_frame_request(&w, PH_LINK_SESSION, &q);
    finish(link, &w);
}

/* What differs from the host's picture. A repeated frame is sent whole when
 * the host's is not ours. */
static void write_tiles(struct ph_link *link, const struct ph_slots *slots,
        const struct ph_link_request *r)
{
    const struct ph_hxfr_slots *l = &slots->layout;
    struct ph_link_tiles_frame f = {
            .head = {.sequence = r->sequence, .pts = r->pts, .flags = r->flags},
            .picture = {{ph_slots_plane(slots, r->slot, 0),
                                ph_slots_plane(slots, r->slot, 1)},
                    {l->stride[0], l->stride[1]}, slots->width, slots->height},
            .rects = r->rects,
            .rect_count = r->rect_count,
            .whole = r->whole || link->check.wrong,
            .pack = link->capabilities & PH_HXFR_CAP_LZ4 &&
                    (link->options.packing == PH_LINK_PACK_ALWAYS ||
                            ph_flow_wants_packing(&link->flow)),
            /* A repeated frame has no slot of its own. */
            .stage = r->type == PH_HXFR_SLOT_FRAME ? link->stage : -1,
            .stage_at = (off_t)((uint64_t)r->slot * link->stage_slot_size),
    };
    f.head.slot = f.stage >= 0 ? r->slot : 0;
    struct ph_writer w = begin(link);
    struct ph_link_tiles *t = &link->tiles;
    ph_link_tiles_write(t, &link->flow, &w, PH_LINK_SESSION, &f);
    finish(link, &w);
    link->out.body = t->body;
    link->out.body_left = t->body_size;
    link->check.wrong = false;
    ph_link_check_note(link, r->sequence, &f.picture);
    pthread_mutex_lock(&link->shared.lock);
    link->shared.stats.moved += t->moved;
    link->shared.stats.packed += t->body == t->packed;
    pthread_mutex_unlock(&link->shared.lock);
}

static void write_ext_frame(struct ph_link *link, const struct ph_slots *slots,
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
    if (type == PH_HXFR_SLOT_FRAME && !slots->shared) {
        type = PH_HXFR_TILES;
        f.slot = 0;
        link->out.pixels =
                ph_slots_read(slots, r->slot, r->rects, r->rect_count);
    }
    struct ph_writer w = begin(link);
    ph_hxfr_write_frame(
            &w, type, PH_LINK_SESSION, &f, r->rects, link->out.pixels.left);
    finish(link, &w);
}

/* A request stays in the ring, and its slot the link's, until it is answered:
 * which this thread does, and not before the last byte is written. Takes the
 * reference; a resource needs none. */
static void write_request(
        struct ph_link *link, struct ph_slots *slots, struct ph_link_request *r)
{
    bool resource = r->type == PH_HXFR_FRAME_REQUEST;
    bool tiles = !resource && link->tiles.delta && !slots->shared &&
            (r->type != PH_HXFR_REPEAT || link->check.wrong);
    ph_link_drop_message(link);
    if (resource) {
        write_resource(link, r);
    } else if (link->version == 1) {
        write_v1_frame(link, slots, r);
    } else if (tiles) {
        write_tiles(link, slots, r);
    } else {
        write_ext_frame(link, slots, r);
    }
    r->begun_ns = ph_clock_ns();
    r->bytes = link->out.len + link->out.pixels.left + link->out.body_left;
    link->out.request = true;
    link->out.slots = slots;
}

/* Takes the request at `written`, the oldest not written, out of the ring. */
static void drop_unwritten_locked(struct ph_link_shared *s)
{
    for (uint32_t i = s->written; i + 1 < s->count; i++) {
        *ph_link_request(s, i) = *ph_link_request(s, i + 1);
    }
    s->count--;
}

/* The oldest request that is not written becomes the next message, or, when
 * its surface is gone, fails. False: there is none. */
static bool begin_request(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    if (s->written == s->count) {
        pthread_mutex_unlock(&s->lock);
        return false;
    }
    struct ph_link_request *r = ph_link_request(s, s->written);
    bool resource = r->type == PH_HXFR_FRAME_REQUEST;
    if (resource || (r->generation == s->generation && s->slots)) {
        struct ph_slots *slots = resource ? NULL : ph_slots_ref(s->slots);
        s->written++;
        pthread_mutex_unlock(&s->lock);
        write_request(link, slots, r);
        return true;
    }
    uint32_t sequence = r->sequence;
    drop_unwritten_locked(s);
    bool wanted = s->room_wanted;
    s->room_wanted = false;
    pthread_mutex_unlock(&s->lock);
    link->events.failed(link->data, sequence, 0, "superseded");
    if (wanted) {
        link->events.room(link->data);
    }
    return true;
}

/* One step: a message that is to be sent, or something that needs none. */
enum step {
    STEP_DONE,
    STEP_NOTHING_LEFT,
    STEP_FAILED,
};

static enum step begin_message(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    if (link->check.due) {
        struct ph_writer w = begin(link);
        ph_link_check_write(link, &w);
        finish(link, &w);
        return STEP_DONE;
    }
    pthread_mutex_lock(&s->lock);
    /* One surface at a time: the answer to an older one would not fit. */
    bool surface = s->surface_changed && link->slots_deadline_ns == PH_NEVER;
    bool bitrate = s->bitrate_changed && link->version != 1;
    uint32_t rate = s->bitrate;
    if (!surface && bitrate) {
        s->bitrate_changed = false;
    }
    pthread_mutex_unlock(&s->lock);
    if (surface) {
        return announce(link) ? STEP_DONE : STEP_FAILED;
    }
    if (bitrate) {
        write_bitrate(link, rate);
        return STEP_DONE;
    }
    return begin_request(link) ? STEP_DONE : STEP_NOTHING_LEFT;
}

static bool write_some(struct ph_link *link, bool *full)
{
    struct ph_link_out *out = &link->out;
    struct iovec iov[PIECES];
    size_t head = out->len - out->done;
    int count = 0;
    if (head > 0) {
        iov[count++] = (struct iovec){out->head + out->done, head};
    }
    if (out->body_left > 0) {
        iov[count++] = (struct iovec){(void *)out->body, out->body_left};
    }
    count += ph_slots_peek(&out->pixels, iov + count, PIECES - count);
    ssize_t n = ph_net_write_some(link->fd, iov, count);
    if (n < 0) {
        return ph_link_fail_io(link, "writing");
    }
    *full = n == 0;
    pthread_mutex_lock(&link->shared.lock);
    link->shared.stats.bytes_sent += (uint64_t)n;
    pthread_mutex_unlock(&link->shared.lock);
    size_t of_head = PH_MIN((size_t)n, head);
    out->done += of_head;
    size_t rest = (size_t)n - of_head;
    if (out->body_left > 0) {
        out->body += rest;
        out->body_left -= rest;
    } else {
        ph_slots_advance(&out->pixels, rest);
    }
    return true;
}

bool ph_link_flush(struct ph_link *link, bool *full)
{
    *full = false;
    while (!*full) {
        if (ph_link_is_sending(link)) {
            if (!write_some(link, full)) {
                return false;
            }
            continue;
        }
        ph_link_drop_message(link);
        switch (begin_message(link)) {
        case STEP_DONE:
            break;
        case STEP_NOTHING_LEFT:
            return true;
        case STEP_FAILED:
            return false;
        }
    }
    return true;
}
