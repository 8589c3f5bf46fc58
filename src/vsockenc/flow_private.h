/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of a flow: see flow.h for threads and locks. */
#pragma once

#include "vsockenc/feed.h"
#include "vsockenc/flow.h"

enum ph_flow_state {
    PH_FLOW_WAITING, /* to be sent (again) */
    PH_FLOW_SENT,
    PH_FLOW_DONE, /* has its unit */
};

struct ph_flow_entry {
    struct ph_flow_frame frame;
    enum ph_flow_state state;
    enum ph_flow_host host; /* that it was sent to */
    uint32_t sequence; /* there */
    int64_t pushed_ns;
    uint8_t *data;
    size_t size;
    bool keyframe;
};

struct ph_flow_peer {
    struct ph_flow *flow;
    enum ph_flow_host which;
    struct ph_feed feed; /* under `sending`, but for its link */
    unsigned resets_seen; /* the same */
    unsigned resets; /* counts what makes the feed invalid */
    bool started;
    bool ready;
    bool down; /* it was said, since it was ready */
    bool troubled; /* a notice told so; the next unit ends it */
    unsigned failures; /* one after the other */
    int64_t not_before_ns; /* is not asked until then */
    int version;
    char name[PH_HXFR_MAX_NAME + 1];
    char reason[160];
};

struct ph_flow {
    struct ph_flow_options options;
    GMutex sending;
    GMutex lock;
    GCond changed;
    bool stopped;
    bool pump_wanted; /* something may be sent now that could not before */
    bool leaving; /* a unit is in the hands of who pops */
    int64_t created_ns;
    int64_t progress_ns; /* when the newest unit came */
    int current; /* enum ph_flow_host that frames go to, -1 */
    /* A ring: an entry stays in its place. */
    struct ph_flow_entry entries[PH_HXFR_MAX_WINDOW];
    uint32_t head;
    uint32_t count;
    struct ph_flow_peer peers[PH_FLOW_HOSTS];
    enum ph_flow_event notice; /* PH_FLOW_UNIT: none */
    char notice_text[256];
    struct ph_flow_stats stats;
};

/* The i-th from the oldest. */
static inline struct ph_flow_entry *ph_flow_entry(
        struct ph_flow *flow, uint32_t i)
{
    return &flow->entries[(flow->head + i) % PH_HXFR_MAX_WINDOW];
}

/* flow_peer.c */
extern const struct ph_link_events ph_flow_link_events;
/* Whom to send to now; -1: nobody. Starts a host of our own when the other
 * one has been waited for. */
int ph_flow_choose_locked(struct ph_flow *flow, int64_t now);
/* When ph_flow_choose_locked may say something else though nothing happens. */
int64_t ph_flow_next_choice_locked(const struct ph_flow *flow, int64_t now);
/* Why nothing comes, for people. */
void ph_flow_explain_locked(const struct ph_flow *flow, char *out, size_t size);

/* flow_send.c: sends what can be sent, in order. No lock held. */
void ph_flow_pump(struct ph_flow *flow);
