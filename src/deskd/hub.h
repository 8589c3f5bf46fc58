/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The source of one output and all who watch it: every access unit goes to
 * every viewer, the source runs only while somebody looks, and keyframes are
 * forced at a bounded rate however many viewers come or fall behind. Main
 * thread only.
 */
#pragma once

#include <glib.h>

#include "deskd/clipboard_hub.h"
#include "deskd/source.h"
#include "deskd/viewer.h"

/* So that 200 who join within 10 s cause 20 keyframes at most, and each of
 * them sees a picture soon. */
#define PH_HUB_KEYFRAME_MS 525
/* A keyframe that did not come is asked for again after this. */
#define PH_HUB_KEYFRAME_LOST_MS 2000
/* bit/s, where nobody said: what porthole-hostd takes for its default. */
#define PH_HUB_DEFAULT_BITRATE 8000000
/* Sockets that have not said who they are; the oldest makes room. */
#define PH_HUB_MAX_STRANGERS 256

struct ph_hub_options {
    const struct ph_auth *auth;
    const char *name; /* of the desktop */
    const char *output; /* of it, for the log; NULL: there is one */
    const char *downloads; /* where viewers' files go; NULL: nowhere */
    struct ph_clipboard_hub *clipboard; /* of the desktop; NULL: none */
    uint32_t max_viewers;
    uint32_t *crowd; /* viewers of all hubs that share it; NULL: of this one */
    uint32_t bitrate; /* bit/s, the most that is asked for; 0: the host's */
    int64_t (*clock)(void); /* NULL: ph_clock_ns */
};

struct ph_hub;

struct ph_hub *ph_hub_create(const struct ph_hub_options *options);
void ph_hub_destroy(struct ph_hub *hub);

/* For ph_source_create, with the hub as data. */
extern const struct ph_source_events ph_hub_source_events;
/* Both stay the caller's and outlive the hub's last viewer. After the desktop's
 * clipboard was attached to its hub. */
void ph_hub_attach(
        struct ph_hub *hub, struct ph_source *source, struct ph_input *input);

/* A browser that has not said anything yet. */
void ph_hub_add(struct ph_hub *hub, struct ph_transport *transport);
/* GOODBYE to everybody. */
void ph_hub_stop(struct ph_hub *hub, const char *text);

/* Decides again what the source has to do; what its timer calls. */
void ph_hub_update(struct ph_hub *hub);
/* The heartbeat; what its timer calls once a second. */
void ph_hub_beat(struct ph_hub *hub);

struct ph_hub_stats {
    uint32_t viewers;
    uint32_t strangers;
    uint32_t width; /* 0: no picture yet */
    uint32_t height;
    bool active; /* the source runs */
    enum ph_stream_status status;
    uint64_t units; /* that came from the source */
    uint64_t keyframes; /* of those */
    uint64_t keyframes_forced;
    uint64_t frames_sent; /* by all viewers, also those that left */
    uint64_t bytes_sent;
    uint64_t dropped;
    uint32_t bitrate; /* that is asked for now */
};

void ph_hub_get_stats(const struct ph_hub *hub, struct ph_hub_stats *out);
/* Calls each(data, viewer) for every viewer that joined. */
void ph_hub_each_viewer(const struct ph_hub *hub,
        void (*each)(void *data, const struct ph_viewer *viewer), void *data);
