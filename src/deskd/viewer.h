/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One browser: says who it is, gets access units through a bounded queue,
 * drives the seat. A viewer that cannot follow loses its queue and goes on
 * from a later keyframe; it never slows the others. Main thread only.
 *
 * Everything small that a viewer is owed (PONG, STATUS, CURSOR, CONFIG …) is
 * written when the transport is free, never queued: a peer that does not read
 * cannot make it grow.
 */
#pragma once

#include <glib.h>

#include "deskd/auth.h"
#include "deskd/clip.h"
#include "deskd/transport.h"
#include "deskd/viewer_input.h"
#include "deskd/viewer_stats.h"
#include "deskd/viewer_upload.h"

#define PH_VIEWER_QUEUE_BYTES (2U << 20)
#define PH_VIEWER_QUEUE_MS 500
#define PH_VIEWER_AUTH_SECONDS 5
#define PH_VIEWER_PONGS 8 /* PINGs that may wait for their answer */
#define PH_VIEWER_HELD_MS 2000 /* without a word: what it held is released */
/* A piece of the clipboard: little enough not to delay a frame. */
#define PH_VIEWER_PIECE 16384U

struct ph_viewer;

/* What the hub tells all its viewers. */
struct ph_viewer_shared {
    const struct ph_auth *auth;
    const char *name; /* of the desktop */
    const char *downloads; /* where files go, NULL: nowhere */
    uint16_t may; /* enum ph_stream_role, of those who drive */
    int64_t (*clock)(void); /* ph_clock_ns, or a test's */
    struct ph_seat seat;
    struct ph_stream_config config; /* width 0: no unit came yet */
    struct ph_stream_notice status;
    struct ph_stream_cursor cursor; /* serial 0: it is in the picture */
    struct ph_unit *shape; /* of its serial; the hub's */
};

struct ph_viewer_events {
    /* It has a right to be here; false: it is one too many. */
    bool (*join)(void *data, struct ph_viewer *viewer);
    /* It waits for a keyframe now, or paused, or wants another rate. */
    void (*changed)(void *data);
    /* It sent input; it holds on to a size (wish); it copied something. Only
     * from those who may drive. */
    void (*drove)(void *data, struct ph_viewer *viewer);
    void (*resize)(void *data, struct ph_viewer *viewer);
    void (*copied)(void *data, struct ph_viewer *viewer, struct ph_clip *clip);
    /* Gone for good: to be destroyed, at once if need be. */
    void (*gone)(void *data, struct ph_viewer *viewer);
};

struct ph_viewer {
    struct ph_transport *transport; /* NULL: gone */
    struct ph_viewer_shared *shared;
    const struct ph_viewer_events *events;
    void *data;
    guint auth_timer;

    enum ph_auth_role role; /* NONE until it said who it is */
    bool paused;
    uint16_t fps; /* that it asked for on a static screen */

    GQueue queue; /* struct ph_unit */
    size_t queued; /* bytes */
    bool waiting; /* for a keyframe */
    unsigned behind; /* times in a row that it fell behind */
    int64_t ask_after_ns; /* do not force a keyframe for it before */
    int64_t live_ns; /* since when it has not fallen behind */
    int64_t sent_ns; /* when the last frame or heartbeat was */

    bool welcome_due;
    bool status_due;
    struct ph_stream_config config; /* as it was told */
    uint64_t pongs[PH_VIEWER_PONGS];
    unsigned pong_count;

    bool cursor_due;
    uint32_t cursor_serial; /* of the shape that it was sent last */
    struct ph_clip *clipboard; /* that it is being sent */
    size_t clipboard_pos;

    struct ph_viewer_input input;
    int64_t input_ns; /* when it last drove; 0: never */
    int64_t alive_ns; /* when it last drove or said HELD */
    guint held_timer; /* while it holds anything */
    struct ph_stream_resize wish; /* width 0: none */
    struct ph_viewer_upload upload;
    struct ph_viewer_stats stats;
};

/* Takes the transport. */
struct ph_viewer *ph_viewer_create(struct ph_transport *transport,
        struct ph_viewer_shared *shared, const struct ph_viewer_events *events,
        void *data);
void ph_viewer_destroy(struct ph_viewer *viewer);

bool ph_viewer_joined(const struct ph_viewer *viewer);
/* What its oldest frame is late by (ns), in its queue or on the way. */
int64_t ph_viewer_lag(const struct ph_viewer *viewer);
/* It can make use of a keyframe now, but for its back-off. */
bool ph_viewer_wants_keyframe(const struct ph_viewer *viewer);

void ph_viewer_unit(struct ph_viewer *viewer, struct ph_unit *unit);
/* shared->status changed. */
void ph_viewer_status(struct ph_viewer *viewer);
/* shared->cursor changed. */
void ph_viewer_cursor(struct ph_viewer *viewer);
/* Sends it, instead of one that is on its way. */
void ph_viewer_clipboard(struct ph_viewer *viewer, struct ph_clip *clip);
/* Releases what it holds when it was silent for too long; false: it holds
 * nothing. What a timer calls. */
bool ph_viewer_check_held(struct ph_viewer *viewer);
/* Once a second: nothing changed for so long. */
void ph_viewer_beat(struct ph_viewer *viewer);
/* Says GOODBYE and closes; `gone` does not come. */
void ph_viewer_dismiss(struct ph_viewer *viewer, enum ph_stream_goodbye code,
        const char *text);
