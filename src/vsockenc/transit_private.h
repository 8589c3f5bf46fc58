/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of a transit: see transit.h for threads and locks. */
#pragma once

#include "vsockenc/transit.h"

enum ph_transit_state {
    PH_TRANSIT_WAITING, /* to be sent (again) */
    PH_TRANSIT_SENT,
    PH_TRANSIT_DONE, /* has its unit */
};

struct ph_transit_entry {
    struct ph_transit_frame frame;
    /* Under `sending`. Not NULL: the picture may not be drawn yet. */
    const struct ph_feed_pixels *pixels;
    enum ph_transit_state state;
    enum ph_transit_host host; /* that it was sent to */
    bool as_resource;
    uint32_t sequence; /* there */
    int64_t pushed_ns;
    uint8_t *data;
    size_t size;
    bool keyframe;
};

struct ph_transit_peer {
    struct ph_transit *transit;
    enum ph_transit_host which;
    struct ph_feed feed; /* under `sending`, but for its link */
    unsigned resets_seen; /* the same */
    unsigned resets; /* counts what makes the feed invalid */
    bool started;
    bool ready;
    bool down; /* it was said, since it was ready */
    bool troubled; /* a notice told so; the next unit ends it */
    unsigned failures; /* one after the other */
    bool no_resources; /* it could not find one */
    int64_t not_before_ns; /* is not asked until then */
    int version;
    char name[PH_HXFR_MAX_NAME + 1];
    char reason[160];
};

struct ph_transit {
    struct ph_transit_options options;
    GMutex sending;
    GMutex lock;
    GCond changed;
    bool stopped;
    bool pump_wanted; /* something may be sent now that could not before */
    bool leaving; /* a unit is in the hands of who pops */
    int64_t created_ns;
    int64_t progress_ns; /* when the newest unit came */
    int current; /* enum ph_transit_host that frames go to, -1 */
    /* A ring: an entry stays in its place. */
    struct ph_transit_entry entries[PH_HXFR_MAX_WINDOW];
    uint32_t head;
    uint32_t count;
    struct ph_transit_peer peers[PH_TRANSIT_HOSTS];
    enum ph_transit_event notice; /* PH_TRANSIT_UNIT: none */
    char notice_text[256];
    struct ph_transit_stats stats;
};

/* The i-th from the oldest. */
static inline struct ph_transit_entry *ph_transit_entry(
        struct ph_transit *transit, uint32_t i)
{
    return &transit->entries[(transit->head + i) % PH_HXFR_MAX_WINDOW];
}

/* transit_peer.c */
extern const struct ph_link_events ph_transit_link_events;
/* Whom to send to now; -1: nobody. Starts a host of our own when the other
 * one has been waited for. */
int ph_transit_choose_locked(struct ph_transit *transit, int64_t now);
/* When ph_transit_choose_locked may say something else though nothing happens.
 */
int64_t ph_transit_next_choice_locked(
        const struct ph_transit *transit, int64_t now);
/* Why nothing comes, for people. */
void ph_transit_explain_locked(
        const struct ph_transit *transit, char *out, size_t size);

/* transit_send.c: sends what can be sent, in order. `sending` is held. */
void ph_transit_send(struct ph_transit *transit);
