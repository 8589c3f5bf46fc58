/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to the hosts, and which of them is asked. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "vsockenc/flow_private.h"

enum {
    /* A host that says nothing, not even that it is not there, for so long is
     * not waited for when there is another. */
    PATIENCE_MS = 1000,
    FAILURE_FIRST_MS = 50,
    FAILURE_MOST_MS = 2000,
};

static void notice_locked(
        struct ph_flow *flow, enum ph_flow_event kind, const char *text)
{
    flow->notice = kind;
    snprintf(flow->notice_text, sizeof(flow->notice_text), "%s", text);
}

static void wake_locked(struct ph_flow *flow)
{
    flow->pump_wanted = true;
    g_cond_broadcast(&flow->changed);
}

/* The frames from this one on have to be sent, those that were answered as
 * well: what a decoder would get of them refers to one that it has not. */
static void lose_from_locked(struct ph_flow *flow, uint32_t first)
{
    for (uint32_t i = first; i < flow->count; i++) {
        struct ph_flow_entry *e = ph_flow_entry(flow, i);
        flow->stats.lost += e->state != PH_FLOW_WAITING;
        e->state = PH_FLOW_WAITING;
        g_clear_pointer(&e->data, g_free);
    }
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        flow->peers[i].resets++;
    }
}

static void tell_trouble_locked(struct ph_flow_peer *peer)
{
    struct ph_flow *flow = peer->flow;
    char text[256];
    bool other = flow->peers[PH_FLOW_OWN].feed.link != NULL;
    bool last = peer->which == PH_FLOW_OWN || !other;
    /* What never worked and has no stand-in becomes an error in time. */
    if (peer->troubled || (last && !flow->progress_ns)) {
        return;
    }
    peer->troubled = true;
    snprintf(text, sizeof(text), "%s%s", peer->reason,
            last ? "; trying again" : "; a host of our own takes over");
    notice_locked(flow, PH_FLOW_TROUBLE, text);
}

static void on_ready(void *data, int version, const char *name)
{
    struct ph_flow_peer *peer = data;
    g_mutex_lock(&peer->flow->lock);
    peer->ready = true;
    peer->down = false;
    peer->resets++;
    peer->version = version;
    snprintf(peer->name, sizeof(peer->name), "%s", name);
    wake_locked(peer->flow);
    g_mutex_unlock(&peer->flow->lock);
}

static void on_down(void *data, const char *reason)
{
    struct ph_flow_peer *peer = data;
    struct ph_flow *flow = peer->flow;
    g_mutex_lock(&flow->lock);
    peer->ready = false;
    peer->down = true;
    peer->resets++;
    snprintf(peer->reason, sizeof(peer->reason), "%s", reason);
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct ph_flow_entry *e = ph_flow_entry(flow, i);
        if (e->state == PH_FLOW_SENT && e->host == peer->which) {
            lose_from_locked(flow, i);
            break;
        }
    }
    tell_trouble_locked(peer);
    wake_locked(flow);
    g_mutex_unlock(&flow->lock);
}

static int find_locked(const struct ph_flow_peer *peer, uint32_t sequence)
{
    struct ph_flow *flow = peer->flow;
    for (uint32_t i = 0; i < flow->count; i++) {
        const struct ph_flow_entry *e = ph_flow_entry(flow, i);
        if (e->state == PH_FLOW_SENT && e->host == peer->which &&
                e->sequence == sequence) {
            return (int)i;
        }
    }
    return -1; /* flushed, or given up */
}

static void count_unit_locked(struct ph_flow_peer *peer,
        const struct ph_flow_entry *e, const struct ph_link_unit *unit)
{
    struct ph_flow *flow = peer->flow;
    struct ph_flow_stats *s = &flow->stats;
    flow->progress_ns = unit->received_ns;
    peer->failures = 0;
    s->round_us = (uint32_t)((unit->received_ns - e->pushed_ns) / PH_NS_PER_US);
    s->encode_us = unit->encode_us;
    if (peer->troubled) {
        char text[128];
        peer->troubled = false;
        snprintf(text, sizeof(text), "%s encodes again", peer->name);
        notice_locked(flow, PH_FLOW_BETTER, text);
    }
}

static void on_unit(void *data, const struct ph_link_unit *unit)
{
    struct ph_flow_peer *peer = data;
    struct ph_flow *flow = peer->flow;
    g_mutex_lock(&flow->lock);
    int i = find_locked(peer, unit->sequence);
    if (i >= 0) {
        struct ph_flow_entry *e = ph_flow_entry(flow, (uint32_t)i);
        e->state = PH_FLOW_DONE;
        e->data = g_memdup2(unit->data, unit->size);
        e->size = unit->size;
        e->keyframe = unit->keyframe;
        count_unit_locked(peer, e, unit);
        g_cond_broadcast(&flow->changed);
    }
    g_mutex_unlock(&flow->lock);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    struct ph_flow_peer *peer = data;
    struct ph_flow *flow = peer->flow;
    g_mutex_lock(&flow->lock);
    int i = find_locked(peer, sequence);
    if (i >= 0) {
        lose_from_locked(flow, (uint32_t)i);
    }
    if (i >= 0 && code != 0) {
        int64_t wait = FAILURE_FIRST_MS << PH_MIN(peer->failures, 6u);
        wait = PH_MIN(wait, (int64_t)FAILURE_MOST_MS);
        peer->failures++;
        peer->not_before_ns = ph_deadline_ms(wait);
        snprintf(peer->reason, sizeof(peer->reason), "the host says: %.140s",
                text);
        tell_trouble_locked(peer);
    }
    wake_locked(flow);
    g_mutex_unlock(&flow->lock);
}

static void on_room(void *data)
{
    struct ph_flow_peer *peer = data;
    g_mutex_lock(&peer->flow->lock);
    wake_locked(peer->flow);
    g_mutex_unlock(&peer->flow->lock);
}

const struct ph_link_events ph_flow_link_events = {
        on_ready, on_down, on_unit, on_failed, on_room};

static int64_t patience_end(const struct ph_flow *flow)
{
    return flow->created_ns + PATIENCE_MS * PH_NS_PER_MS;
}

int ph_flow_choose_locked(struct ph_flow *flow, int64_t now)
{
    struct ph_flow_peer *host = &flow->peers[PH_FLOW_HOST];
    struct ph_flow_peer *own = &flow->peers[PH_FLOW_OWN];
    if (host->feed.link && host->ready && now >= host->not_before_ns) {
        return PH_FLOW_HOST;
    }
    if (!own->feed.link) {
        return -1;
    }
    if (!own->started) {
        bool waited = host->down || host->failures || now >= patience_end(flow);
        if (!waited || !ph_link_start(own->feed.link)) {
            return -1;
        }
        own->started = true;
    }
    return own->ready && now >= own->not_before_ns ? PH_FLOW_OWN : -1;
}

int64_t ph_flow_next_choice_locked(const struct ph_flow *flow, int64_t now)
{
    int64_t next = PH_NEVER;
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        const struct ph_flow_peer *peer = &flow->peers[i];
        if (peer->feed.link && peer->not_before_ns > now) {
            next = PH_MIN(next, peer->not_before_ns);
        }
    }
    const struct ph_flow_peer *own = &flow->peers[PH_FLOW_OWN];
    if (own->feed.link && !own->started && patience_end(flow) > now) {
        next = PH_MIN(next, patience_end(flow));
    }
    return next;
}

void ph_flow_explain_locked(const struct ph_flow *flow, char *out, size_t size)
{
    const char *reason = "the host does not answer";
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        if (flow->peers[i].reason[0]) {
            reason = flow->peers[i].reason;
        }
    }
    snprintf(out, size, "%s", reason);
}
