/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/transit_private.h"

#include "common/clock.h"

static struct ph_transit_entry *first_waiting_locked(struct ph_transit *transit)
{
    for (uint32_t i = 0; i < transit->count; i++) {
        struct ph_transit_entry *e = ph_transit_entry(transit, i);
        if (e->state == PH_TRANSIT_WAITING) {
            return e;
        }
    }
    return NULL;
}

static void mark_sent_locked(struct ph_transit_peer *peer,
        struct ph_transit_entry *e, uint32_t sequence)
{
    e->state = PH_TRANSIT_SENT;
    e->host = peer->which;
    e->sequence = sequence;
    e->as_resource = false;
}

/* Whether something came in between that spoils what was prepared. */
static bool is_spoilt_locked(
        const struct ph_transit_peer *peer, const struct ph_transit_entry *e)
{
    return peer->resets != peer->resets_seen ||
            e != first_waiting_locked(peer->transit);
}

static enum ph_link_result try_repeat(
        struct ph_transit_peer *peer, struct ph_transit_entry *e)
{
    struct ph_transit *transit = peer->transit;
    uint32_t sequence = 0;
    enum ph_link_result r = PH_LINK_DOWN;
    g_mutex_lock(&transit->lock);
    if (!is_spoilt_locked(peer, e)) {
        r = ph_feed_repeat(
                &peer->feed, e->frame.pts, e->frame.keyframe, &sequence);
    }
    if (r == PH_LINK_OK) {
        mark_sent_locked(peer, e, sequence);
        transit->stats.repeats++;
    }
    g_mutex_unlock(&transit->lock);
    return r;
}

/* DOWN: send its picture. */
static enum ph_link_result try_resource(
        struct ph_transit_peer *peer, struct ph_transit_entry *e)
{
    struct ph_transit *transit = peer->transit;
    uint32_t sequence = 0;
    enum ph_link_result r = PH_LINK_DOWN;
    g_mutex_lock(&transit->lock);
    if (e->frame.resource.id && !peer->no_resources &&
            !is_spoilt_locked(peer, e)) {
        r = ph_feed_submit_resource(&peer->feed, &e->frame.resource,
                e->frame.pts, e->frame.keyframe, &sequence);
    }
    if (r == PH_LINK_OK) {
        mark_sent_locked(peer, e, sequence);
        e->as_resource = true;
        transit->stats.resources++;
    }
    g_mutex_unlock(&transit->lock);
    return r;
}

static bool draw_and_submit(
        struct ph_transit_peer *peer, struct ph_transit_entry *e)
{
    struct ph_transit *transit = peer->transit;
    struct ph_link_picture slot;
    uint32_t sequence = 0;
    if (ph_feed_draw(&peer->feed, e->frame.picture, e->pixels,
                &e->frame.changed, &slot) != PH_LINK_OK) {
        return false; /* the link will tell */
    }
    g_mutex_lock(&transit->lock);
    bool spoilt = is_spoilt_locked(peer, e);
    bool sent = !spoilt &&
            ph_feed_submit(&peer->feed, &slot, e->frame.pts, e->frame.keyframe,
                    &sequence) == PH_LINK_OK;
    if (sent) {
        mark_sent_locked(peer, e, sequence);
    }
    g_mutex_unlock(&transit->lock);
    if (spoilt) {
        ph_link_release(peer->feed.link, &slot);
    }
    return sent || spoilt;
}

/* The oldest frame that waits, to whoever encodes now. False: none, or not
 * now. An entry that waits is there as long as `sending` is held. */
static bool send_next(struct ph_transit *transit)
{
    g_mutex_lock(&transit->lock);
    struct ph_transit_entry *e = first_waiting_locked(transit);
    int host = e && !transit->stopped
            ? ph_transit_choose_locked(transit, ph_clock_ns())
            : -1;
    struct ph_transit_peer *peer = host < 0 ? NULL : &transit->peers[host];
    bool reset = false;
    if (peer) {
        reset = peer->resets_seen != peer->resets || transit->current != host;
        peer->resets_seen = peer->resets;
        transit->stats.switches +=
                transit->current >= 0 && transit->current != host;
        transit->current = host;
    }
    g_mutex_unlock(&transit->lock);
    if (!peer) {
        return false;
    }
    if (reset) {
        ph_feed_reset(&peer->feed);
    }
    enum ph_link_result as_resource = try_resource(peer, e);
    if (as_resource != PH_LINK_DOWN) {
        return as_resource == PH_LINK_OK;
    }
    if (ph_region_is_empty(&e->frame.changed)) {
        enum ph_link_result r = try_repeat(peer, e);
        if (r != PH_LINK_DOWN) {
            return r == PH_LINK_OK;
        }
    }
    return draw_and_submit(peer, e);
}

void ph_transit_send(struct ph_transit *transit)
{
    while (send_next(transit)) {
    }
}
