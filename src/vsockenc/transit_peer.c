/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What happens to the hosts, and which of them is asked. */
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "vsockenc/transit_private.h"

enum {
    /* A host that says nothing, not even that it is not there, for so long is
     * not waited for when there is another. */
    PATIENCE_MS = 1000,
    FAILURE_FIRST_MS = 50,
    FAILURE_MOST_MS = 2000,
};

static void notice_locked(struct ph_transit *transit,
        enum ph_transit_event kind, const char *text)
{
    transit->notice = kind;
    snprintf(transit->notice_text, sizeof(transit->notice_text), "%s", text);
}

static void wake_locked(struct ph_transit *transit)
{
    transit->pump_wanted = true;
    g_cond_broadcast(&transit->changed);
}

/* The frames from this one on have to be sent, those that were answered as
 * well: what a decoder would get of them refers to one that it has not. */
static void lose_from_locked(struct ph_transit *transit, uint32_t first)
{
    for (uint32_t i = first; i < transit->count; i++) {
        struct ph_transit_entry *e = ph_transit_entry(transit, i);
        transit->stats.lost += e->state != PH_TRANSIT_WAITING;
        e->state = PH_TRANSIT_WAITING;
        g_clear_pointer(&e->data, g_free);
    }
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        transit->peers[i].resets++;
    }
}

static void tell_trouble_locked(struct ph_transit_peer *peer)
{
    struct ph_transit *transit = peer->transit;
    char text[256];
    bool other = transit->peers[PH_TRANSIT_OWN].feed.link != NULL;
    bool last = peer->which == PH_TRANSIT_OWN || !other;
    /* What never worked and has no stand-in becomes an error in time. */
    if (peer->troubled || (last && !transit->progress_ns)) {
        return;
    }
    peer->troubled = true;
    snprintf(text, sizeof(text), "%s%s", peer->reason,
            last ? "; trying again" : "; a host of our own takes over");
    notice_locked(transit, PH_TRANSIT_TROUBLE, text);
}

static void on_ready(void *data, int version, const char *name)
{
    struct ph_transit_peer *peer = data;
    g_mutex_lock(&peer->transit->lock);
    peer->ready = true;
    peer->no_resources = false;
    peer->down = false;
    peer->resets++;
    peer->version = version;
    snprintf(peer->name, sizeof(peer->name), "%s", name);
    wake_locked(peer->transit);
    g_mutex_unlock(&peer->transit->lock);
}

static void on_down(void *data, const char *reason)
{
    struct ph_transit_peer *peer = data;
    struct ph_transit *transit = peer->transit;
    g_mutex_lock(&transit->lock);
    peer->ready = false;
    peer->down = true;
    peer->resets++;
    snprintf(peer->reason, sizeof(peer->reason), "%s", reason);
    for (uint32_t i = 0; i < transit->count; i++) {
        const struct ph_transit_entry *e = ph_transit_entry(transit, i);
        if (e->state == PH_TRANSIT_SENT && e->host == peer->which) {
            lose_from_locked(transit, i);
            break;
        }
    }
    tell_trouble_locked(peer);
    wake_locked(transit);
    g_mutex_unlock(&transit->lock);
}

static int find_locked(const struct ph_transit_peer *peer, uint32_t sequence)
{
    struct ph_transit *transit = peer->transit;
    for (uint32_t i = 0; i < transit->count; i++) {
        const struct ph_transit_entry *e = ph_transit_entry(transit, i);
        if (e->state == PH_TRANSIT_SENT && e->host == peer->which &&
                e->sequence == sequence) {
            return (int)i;
        }
    }
    return -1; /* flushed, or given up */
}

static void count_unit_locked(struct ph_transit_peer *peer,
        const struct ph_transit_entry *e, const struct ph_link_unit *unit)
{
    struct ph_transit *transit = peer->transit;
    struct ph_transit_stats *s = &transit->stats;
    transit->progress_ns = unit->received_ns;
    peer->failures = 0;
    s->round_us = (uint32_t)((unit->received_ns - e->pushed_ns) / PH_NS_PER_US);
    s->encode_us = unit->encode_us;
    if (peer->troubled) {
        char text[128];
        peer->troubled = false;
        snprintf(text, sizeof(text), "%s encodes again", peer->name);
        notice_locked(transit, PH_TRANSIT_BETTER, text);
    }
}

static void on_unit(void *data, const struct ph_link_unit *unit)
{
    struct ph_transit_peer *peer = data;
    struct ph_transit *transit = peer->transit;
    g_mutex_lock(&transit->lock);
    int i = find_locked(peer, unit->sequence);
    if (i >= 0) {
        struct ph_transit_entry *e = ph_transit_entry(transit, (uint32_t)i);
        e->state = PH_TRANSIT_DONE;
        e->data = g_memdup2(unit->data, unit->size);
        e->size = unit->size;
        e->keyframe = unit->keyframe;
        count_unit_locked(peer, e, unit);
        g_cond_broadcast(&transit->changed);
    }
    g_mutex_unlock(&transit->lock);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    struct ph_transit_peer *peer = data;
    struct ph_transit *transit = peer->transit;
    g_mutex_lock(&transit->lock);
    int i = find_locked(peer, sequence);
    bool as_resource =
            i >= 0 && ph_transit_entry(transit, (uint32_t)i)->as_resource;
    if (i >= 0) {
        lose_from_locked(transit, (uint32_t)i);
    }
    if (i >= 0 && as_resource) {
        peer->no_resources = true; /* pixels, then */
    } else if (i >= 0 && code != 0) {
        int64_t wait = FAILURE_FIRST_MS << PH_MIN(peer->failures, 6u);
        wait = PH_MIN(wait, (int64_t)FAILURE_MOST_MS);
        peer->failures++;
        peer->not_before_ns = ph_deadline_ms(wait);
        snprintf(peer->reason, sizeof(peer->reason), "the host says: %.140s",
                text);
        tell_trouble_locked(peer);
    }
    wake_locked(transit);
    g_mutex_unlock(&transit->lock);
}

static void on_room(void *data)
{
    struct ph_transit_peer *peer = data;
    g_mutex_lock(&peer->transit->lock);
    wake_locked(peer->transit);
    g_mutex_unlock(&peer->transit->lock);
}

const struct ph_link_events ph_transit_link_events = {
        on_ready, on_down, on_unit, on_failed, on_room};

static int64_t patience_end(const struct ph_transit *transit)
{
    return transit->created_ns + PATIENCE_MS * PH_NS_PER_MS;
}

int ph_transit_choose_locked(struct ph_transit *transit, int64_t now)
{
    struct ph_transit_peer *host = &transit->peers[PH_TRANSIT_HOST];
    struct ph_transit_peer *own = &transit->peers[PH_TRANSIT_OWN];
    if (host->ready && now >= host->not_before_ns) {
        return PH_TRANSIT_HOST;
    }
    if (!own->feed.link) {
        return -1;
    }
    if (!own->started) {
        bool waited =
                host->down || host->failures || now >= patience_end(transit);
        if (!waited || !ph_link_start(own->feed.link)) {
            return -1;
        }
        own->started = true;
    }
    return own->ready && now >= own->not_before_ns ? PH_TRANSIT_OWN : -1;
}

int64_t ph_transit_next_choice_locked(
        const struct ph_transit *transit, int64_t now)
{
    int64_t next = PH_NEVER;
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        const struct ph_transit_peer *peer = &transit->peers[i];
        if (peer->feed.link && peer->not_before_ns > now) {
            next = PH_MIN(next, peer->not_before_ns);
        }
    }
    const struct ph_transit_peer *own = &transit->peers[PH_TRANSIT_OWN];
    if (own->feed.link && !own->started && patience_end(transit) > now) {
        next = PH_MIN(next, patience_end(transit));
    }
    return next;
}

void ph_transit_explain_locked(
        const struct ph_transit *transit, char *out, size_t size)
{
    const char *reason = "the host does not answer";
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        if (transit->peers[i].reason[0]) {
            reason = transit->peers[i].reason;
        }
    }
    snprintf(out, size, "%s", reason);
}
