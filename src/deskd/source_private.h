/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of a source. Three threads meet here:
 *   main      the calls of source.h; delivers units and statuses   source.c
 *   source    capture, convert, submit, policy     source_thread.c, _frame.c
 *   link I/O  events of the link                            source_units.c
 * What they share is in `shared`, under its lock, which is never held across
 * a call to the link or the capture.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "common/clock.h"
#include "deskd/source.h"
#include "link/refine.h"

enum {
    PH_SOURCE_WAY = 16, /* frames on their way; more than a window */
    PH_SOURCE_MAX_QUEUED = 4, /* units that main has not taken */
};

/* When a frame on its way passed where, by its pts. */
struct ph_source_times {
    int64_t pts;
    int64_t captured_ns;
    int64_t ready_ns;
    int64_t converted_ns;
};

/* A unit, or a status when unit is NULL. */
struct ph_source_item {
    struct ph_unit *unit;
    enum ph_stream_status status;
    char text[PH_STREAM_MAX_TEXT + 1];
};

struct ph_source_shared {
    pthread_mutex_t lock;
    bool stop;
    bool active;
    unsigned switches; /* of active */
    int64_t oldest_pts; /* units before it belong to an earlier time */
    uint32_t steady_fps;
    bool keyframe_wanted;
    bool keyframe_coming; /* asked for at the host */
    bool failed; /* a frame got no unit */
    bool link_ready;
    uint32_t link_epoch; /* counts every ready and down */
    char link_reason[PH_STREAM_MAX_TEXT + 1]; /* why down; empty: not told */
    unsigned in_flight; /* at the host */
    uint32_t encode_us; /* what an access unit takes there, lately */
    int64_t received_ns; /* the newest one */
    int64_t settle_due; /* when to repeat a quick one; PH_NEVER: none came */
    bool waits_for_unit; /* the source thread wants to know of the next one */
    struct ph_source_times times[PH_SOURCE_WAY];
    unsigned next_times;
    GQueue items; /* struct ph_source_item, for main */
    unsigned queued; /* units among them */
    bool blocked; /* the source thread waits for main to take them */
    struct ph_source_cursor cursor; /* the newest; its shape is ours */
    bool cursor_news; /* that main has not taken */
    uint32_t wish[3]; /* width, height, scale; 0: none */
};

/* The source thread's own. */
struct ph_source_flow {
    struct ph_capture *capture; /* NULL: lost */
    char lost_reason[PH_STREAM_MAX_TEXT + 1];
    bool lost; /* to be destroyed after dispatch */
    int64_t retry_ns;
    int64_t retry_wait;

    bool active;
    unsigned switches;
    bool link_ready;
    uint32_t link_epoch;
    char link_reason[PH_STREAM_MAX_TEXT + 1];

    bool requested; /* a frame, at the capture */
    bool requested_whole;
    bool need_whole; /* the next frame is submitted as a whole */
    int64_t whole_since; /* since when; for the watchdog */
    int64_t next_request_ns; /* max_fps */

    uint32_t width; /* of the surface, even; 0: none yet */
    uint32_t height;
    bool has_slot;
    struct ph_link_picture slot;
    uint32_t generation;
    bool submitted; /* something, in this generation */
    int64_t submitted_ns; /* the newest frame */
    struct ph_region pending[PH_HXFR_MAX_SLOTS]; /* to convert into each */
    struct ph_region unsent; /* since the frame submitted before */
    int64_t last_pts;

    bool keyframe; /* with the next thing submitted */
    int64_t keyframe_after; /* not before, after a failure */
    int64_t failure_wait;
    uint32_t steady_fps;
    int64_t repeat_due;
    int64_t settle_due; /* of the last unit, which was quick */
    struct ph_refine refine;
    enum ph_stream_status status;
};

/* The link's I/O thread's own. */
struct ph_source_stream {
    uint32_t sequence;
    uint32_t width;
    uint32_t height;
    char codec[PH_H264_CODEC_TEXT];
};

struct ph_source {
    struct ph_source_options options;
    const struct ph_source_events *events;
    void *data;
    struct ph_link *link;
    int wake; /* eventfd of the source thread */
    pthread_t thread;
    bool started;
    bool can_resize;
    GSource *delivery;
    struct ph_source_shared shared;
    struct ph_source_flow flow;
    struct ph_source_stream stream;
    atomic_ullong frames;
    atomic_ullong units;
    atomic_ullong pixels_converted;
    atomic_ullong repeats;
};

/* source.c */
void ph_source_wake(struct ph_source *source);
/* Queues an item for main; takes it. Any thread. */
void ph_source_post(struct ph_source *source, struct ph_source_item *item);

/* source_units.c */
extern const struct ph_link_events ph_source_link_events;
/* A frame with these times is about to be submitted; it was not, after all. */
void ph_source_note_times(
        struct ph_source *source, const struct ph_source_times *times);
void ph_source_drop_times(struct ph_source *source);
/* Where the time from captured to received went, in µs; the sum is exact. */
void ph_source_stages(const struct ph_source_times *times,
        const struct ph_link_unit *unit, uint32_t out[PH_STREAM_STAGES]);

/* source_frame.c */
extern const struct ph_capture_events ph_source_capture_events;
/* What viewers have is new, and as coarse as that makes it. */
void ph_source_note_change(struct ph_source *source, int64_t now);
/* Something has to go to the host that no damage will bring. */
void ph_source_need_whole(struct ph_source *source);
void ph_source_release_slot(struct ph_source *source);
/* Gets a slot to draw into. False: none now, the link wakes us. */
bool ph_source_acquire_slot(struct ph_source *source);
/* A pts later than any before, now or at the time given. */
int64_t ph_source_next_pts(struct ph_source *source, int64_t time_ns);

/* source_thread.c */
bool ph_source_open_capture(struct ph_source *source, char *error, size_t size);
void *ph_source_thread(void *source);
