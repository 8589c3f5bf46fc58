/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/flow_private.h"

#include "common/clock.h"

static struct ph_flow_entry *first_waiting_locked(struct ph_flow *flow)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        struct ph_flow_entry *e = ph_flow_entry(flow, i);
        if (e->state == PH_FLOW_WAITING) {
            return e;
        }
    }
    return NULL;
}

static void mark_sent_locked(
        struct ph_flow_peer *peer, struct ph_flow_entry *e, uint32_t sequence)
{
    e->state = PH_FLOW_SENT;
    e->host = peer->which;
    e->sequence = sequence;
}

/* Whether something came in between that spoils what was prepared. */
static bool is_spoilt_locked(
        const struct ph_flow_peer *peer, const struct ph_flow_entry *e)
{
    return peer->resets != peer->resets_seen ||
            e != first_waiting_locked(peer->flow);
}

static enum ph_link_result try_repeat(
        struct ph_flow_peer *peer, struct ph_flow_entry *e)
{
    struct ph_flow *flow = peer->flow;
    uint32_t sequence = 0;
    enum ph_link_result r = PH_LINK_DOWN;
    g_mutex_lock(&flow->lock);
    if (!is_spoilt_locked(peer, e)) {
        r = ph_feed_repeat(
                &peer->feed, e->frame.pts, e->frame.keyframe, &sequence);
    }
    if (r == PH_LINK_OK) {
        mark_sent_locked(peer, e, sequence);
        flow->stats.repeats++;
    }
    g_mutex_unlock(&flow->lock);
    return r;
}

static bool draw_and_submit(struct ph_flow_peer *peer, struct ph_flow_entry *e)
{
    struct ph_flow *flow = peer->flow;
    struct ph_link_picture slot;
    uint32_t sequence = 0;
    if (ph_feed_draw(&peer->feed, e->frame.picture, &e->frame.changed, &slot) !=
            PH_LINK_OK) {
        return false; /* the link will tell */
    }
    g_mutex_lock(&flow->lock);
    bool spoilt = is_spoilt_locked(peer, e);
    bool sent = !spoilt &&
            ph_feed_submit(&peer->feed, &slot, e->frame.pts, e->frame.keyframe,
                    &sequence) == PH_LINK_OK;
    if (sent) {
        mark_sent_locked(peer, e, sequence);
    }
    g_mutex_unlock(&flow->lock);
    if (spoilt) {
        ph_link_release(peer->feed.link, &slot);
    }
    return sent || spoilt;
}

/* The oldest frame that waits, to whoever encodes now. False: none, or not
 * now. An entry that waits is there as long as `sending` is held. */
static bool send_next(struct ph_flow *flow)
{
    g_mutex_lock(&flow->lock);
    struct ph_flow_entry *e = first_waiting_locked(flow);
    int host = e && !flow->stopped ? ph_flow_choose_locked(flow, ph_clock_ns())
                                   : -1;
    struct ph_flow_peer *peer = host < 0 ? NULL : &flow->peers[host];
    bool reset = false;
    if (peer) {
        reset = peer->resets_seen != peer->resets || flow->current != host;
        peer->resets_seen = peer->resets;
        flow->stats.switches += flow->current >= 0 && flow->current != host;
        flow->current = host;
    }
    g_mutex_unlock(&flow->lock);
    if (!peer) {
        return false;
    }
    if (reset) {
        ph_feed_reset(&peer->feed);
    }
    if (ph_region_is_empty(&e->frame.changed)) {
        enum ph_link_result r = try_repeat(peer, e);
        if (r != PH_LINK_DOWN) {
            return r == PH_LINK_OK;
        }
    }
    return draw_and_submit(peer, e);
}

void ph_flow_pump(struct ph_flow *flow)
{
    g_mutex_lock(&flow->sending);
    while (send_next(flow)) {
    }
    g_mutex_unlock(&flow->sending);
}
