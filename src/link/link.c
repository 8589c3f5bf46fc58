/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/link.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"
#include "link/link_private.h"

#define LOG_MODULE "link"
#include "common/log.h"

struct ph_link *ph_link_create(const struct ph_link_options *options,
        const struct ph_link_events *events, void *data)
{
    struct ph_link *link = ph_xcalloc(1, sizeof(*link));
    link->options = *options;
    link->events = *events;
    link->data = data;
    link->fd = -1;
    link->bar = -1;
    link->stage = -1;
    link->wake[0] = -1;
    link->wake[1] = -1;
    link->stop[0] = -1;
    link->stop[1] = -1;
    link->slots_deadline_ns = PH_NEVER;
    snprintf(link->name, sizeof(link->name), "%s",
            options->name ? options->name : "porthole");
    if (!link->options.timeout_ms) {
        link->options.timeout_ms = 5000;
    }
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_init(&s->lock, NULL);
    s->fd = -1;
    s->newest = -1;
    s->next_sequence = 1;
    s->bitrate = options->bitrate;
    s->ring = ph_xcalloc(PH_HXFR_MAX_WINDOW, sizeof(*s->ring));
    return link;
}

bool ph_link_start(struct ph_link *link)
{
    if (!ph_net_wake_pipe(link->wake) || !ph_net_wake_pipe(link->stop)) {
        LOG_ERRNO("pipe");
        return false;
    }
    link->started =
            pthread_create(&link->thread, NULL, ph_link_thread, link) == 0;
    if (!link->started) {
        LOG_ERR("cannot start a thread");
    }
    return link->started;
}

void ph_link_wake(struct ph_link *link)
{
    ph_net_wake(link->wake[1]);
}

void ph_link_stop(struct ph_link *link)
{
    if (!link->started) {
        return;
    }
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    s->stopping = true;
    if (s->fd >= 0) {
        shutdown(s->fd, SHUT_RDWR);
    }
    pthread_mutex_unlock(&s->lock);
    ph_net_wake(link->stop[1]);
    ph_link_wake(link);
    pthread_join(link->thread, NULL);
    link->started = false;
}

void ph_link_destroy(struct ph_link *link)
{
    if (!link) {
        return;
    }
    ph_link_stop(link);
    ph_close(&link->wake[0]);
    ph_close(&link->wake[1]);
    ph_close(&link->stop[0]);
    ph_close(&link->stop[1]);
    ph_link_drop_message(link);
    ph_link_tiles_finish(&link->tiles);
    ph_slots_unref(link->shared.slots);
    ph_slots_unref(link->shared.acquired);
    pthread_mutex_destroy(&link->shared.lock);
    free(link->shared.ring);
    free(link->in);
    free(link);
}

void ph_link_new_generation_locked(struct ph_link_shared *s)
{
    s->generation++;
    s->newest = -1;
    s->whole = true;
    ph_slots_unref(s->slots);
    s->slots = NULL;
    memset(s->states, 0, sizeof(s->states));
}

void ph_link_set_surface(struct ph_link *link, uint32_t width, uint32_t height,
        const struct ph_hxfr_colour *colour)
{
    struct ph_link_shared *s = &link->shared;
    assert(width > 0 && height > 0 && (width | height) % 2 == 0);
    assert(width <= PH_HXFR_MAX_SIDE && height <= PH_HXFR_MAX_SIDE);
    pthread_mutex_lock(&s->lock);
    s->surface = (struct ph_hxfr_surface){
            .width = width, .height = height, .colour = *colour};
    s->has_surface = true;
    s->surface_changed = true;
    s->surface_ended = false;
    ph_link_new_generation_locked(s);
    pthread_mutex_unlock(&s->lock);
    ph_link_wake(link);
}

void ph_link_set_bitrate(struct ph_link *link, uint32_t bitrate)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    s->bitrate = bitrate;
    s->bitrate_changed = true;
    pthread_mutex_unlock(&s->lock);
    ph_link_wake(link);
}

/* A slot that neither we nor the host uses. The newest one is the host's, to
 * repeat from. */
static int free_slot_locked(const struct ph_link_shared *s)
{
    for (int i = 0; i < s->slots->layout.count; i++) {
        if (s->states[i] == PH_LINK_SLOT_FREE && i != s->newest) {
            return i;
        }
    }
    return -1;
}

/* *anew: the surface is to be announced first. */
static enum ph_link_result acquire_locked(
        struct ph_link_shared *s, struct ph_link_picture *out, bool *anew)
{
    if (!s->ready || !s->has_surface) {
        return PH_LINK_DOWN;
    }
    if (s->surface_ended && s->count == 0) {
        s->surface_ended = false;
        s->surface_changed = true;
        ph_link_new_generation_locked(s);
        *anew = true;
    }
    int slot = s->slots && !s->surface_ended && s->count < s->allowed &&
                    !s->acquired
            ? free_slot_locked(s)
            : -1;
    if (slot < 0) {
        s->room_wanted = true;
        return PH_LINK_FULL;
    }
    s->states[slot] = PH_LINK_SLOT_ACQUIRED;
    s->acquired = ph_slots_ref(s->slots);
    *out = (struct ph_link_picture){
            .slot = (uint8_t)slot,
            .generation = s->generation,
            .format = s->slots->format,
            .width = s->slots->width,
            .height = s->slots->height,
            .stride = {s->slots->layout.stride[0], s->slots->layout.stride[1]},
    };
    out->plane[0] = ph_slots_plane(s->slots, out->slot, 0);
    if (out->format == PH_HXFR_NV12) {
        out->plane[1] = ph_slots_plane(s->slots, out->slot, 1);
    }
    return PH_LINK_OK;
}

enum ph_link_result ph_link_acquire(
        struct ph_link *link, struct ph_link_picture *out)
{
    struct ph_link_shared *s = &link->shared;
    bool anew = false;
    pthread_mutex_lock(&s->lock);
    enum ph_link_result result = acquire_locked(s, out, &anew);
    pthread_mutex_unlock(&s->lock);
    if (anew) {
        ph_link_wake(link);
    }
    return result;
}

/* Ends the drawing. False when the slot is of an older generation. */
static bool end_acquired_locked(struct ph_link_shared *s,
        const struct ph_link_picture *p, enum ph_link_slot_state state)
{
    ph_slots_unref(s->acquired);
    s->acquired = NULL;
    if (p->generation != s->generation || !s->slots || !s->ready) {
        return false;
    }
    s->states[p->slot] = state;
    return true;
}

void ph_link_release(struct ph_link *link, const struct ph_link_picture *p)
{
    pthread_mutex_lock(&link->shared.lock);
    end_acquired_locked(&link->shared, p, PH_LINK_SLOT_FREE);
    pthread_mutex_unlock(&link->shared.lock);
}

/* Appends a request to the ring, which has room for `window` of them. */
static struct ph_link_request *append_locked(struct ph_link_shared *s,
        uint8_t type, int64_t pts, uint32_t flags, uint32_t *sequence)
{
    struct ph_link_request *r = ph_link_request(s, s->count++);
    r->type = type;
    r->generation = s->generation;
    r->sequence = s->next_sequence++;
    r->pts = pts;
    r->flags = flags;
    r->slot = (uint8_t)PH_MAX(s->newest, 0);
    r->whole = false;
    r->rect_count = 0;
    r->submitted_ns = ph_clock_ns();
    *sequence = r->sequence;
    return r;
}

enum ph_link_result ph_link_submit(struct ph_link *link,
        const struct ph_link_picture *picture, int64_t pts, uint32_t flags,
        const struct ph_rect *rects, size_t rect_count, uint32_t *sequence)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    bool ok = end_acquired_locked(s, picture, PH_LINK_SLOT_SENT);
    if (ok) {
        struct ph_link_request *r =
                append_locked(s, PH_HXFR_SLOT_FRAME, pts, flags, sequence);
        r->slot = picture->slot;
        r->whole = s->whole;
        if (s->whole || rect_count > PH_HXFR_MAX_RECTS) {
            r->rects[0] = (struct ph_rect){
                    0, 0, (uint16_t)picture->width, (uint16_t)picture->height};
            r->rect_count = 1;
        } else if (rect_count) {
            memcpy(r->rects, rects, rect_count * sizeof(*rects));
            r->rect_count = (uint16_t)rect_count;
        }
        s->newest = picture->slot;
        s->whole = false;
    }
    pthread_mutex_unlock(&s->lock);
    if (!ok) {
        return PH_LINK_DOWN;
    }
    ph_link_wake(link);
    return PH_LINK_OK;
}

enum ph_link_result ph_link_repeat(
        struct ph_link *link, int64_t pts, uint32_t flags, uint32_t *sequence)
{
    struct ph_link_shared *s = &link->shared;
    enum ph_link_result result = PH_LINK_OK;
    pthread_mutex_lock(&s->lock);
    if (!s->ready || !s->can_repeat || s->newest < 0) {
        result = PH_LINK_DOWN;
    } else if (s->count + (s->acquired != NULL) >= s->allowed) {
        s->room_wanted = true; /* the acquired slot has its place already */
        result = PH_LINK_FULL;
    } else {
        append_locked(s, PH_HXFR_REPEAT, pts, flags, sequence);
    }
    pthread_mutex_unlock(&s->lock);
    if (result == PH_LINK_OK) {
        ph_link_wake(link);
    }
    return result;
}

bool ph_link_can_refine(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    bool can = s->ready && s->can_refine;
    pthread_mutex_unlock(&s->lock);
    return can;
}

bool ph_link_takes_resources(struct ph_link *link)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    bool takes = s->ready && s->takes_resources;
    pthread_mutex_unlock(&s->lock);
    return takes;
}

enum ph_link_result ph_link_submit_resource(struct ph_link *link,
        const struct ph_link_resource *resource, int64_t pts, uint32_t flags,
        uint32_t *sequence)
{
    struct ph_link_shared *s = &link->shared;
    enum ph_link_result result = PH_LINK_OK;
    pthread_mutex_lock(&s->lock);
    if (!s->ready || !s->takes_resources) {
        result = PH_LINK_DOWN;
    } else if (s->count + (s->acquired != NULL) >= s->allowed) {
        s->room_wanted = true;
        result = PH_LINK_FULL;
    } else {
        append_locked(s, PH_HXFR_FRAME_REQUEST, pts, flags, sequence)
                ->resource = *resource;
        s->surface_ended = true;
        s->newest = -1; /* there is nothing to repeat */
    }
    pthread_mutex_unlock(&s->lock);
    if (result == PH_LINK_OK) {
        ph_link_wake(link);
    }
    return result;
}

void ph_link_get_stats(struct ph_link *link, struct ph_link_stats *out)
{
    struct ph_link_shared *s = &link->shared;
    pthread_mutex_lock(&s->lock);
    *out = s->stats;
    out->shared = s->slots && s->slots->shared;
    out->window = s->allowed;
    pthread_mutex_unlock(&s->lock);
}
