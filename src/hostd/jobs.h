/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a session's reader hands to its encoder thread, in the order of the
 * messages: surfaces, frames, and answers that must not overtake those of
 * earlier requests. The jobs are made once. The one used last is used again
 * first, so that a guest with one frame in flight costs one buffer.
 */
#pragma once

#include <pthread.h>

#include "hostd/buffer.h"
#include "proto/hxfr_ext.h"

enum ph_job_type {
    PH_JOB_REPLY, /* a message that is ready */
    PH_JOB_SURFACE,
    PH_JOB_PICTURE, /* a whole picture of a version 1 guest */
    PH_JOB_FRAME, /* TILES, SLOT_FRAME or REPEAT */
    PH_JOB_CHECKSUM,
};

/* As the guest asked for when the frame came. */
struct ph_rate {
    uint32_t bitrate; /* bit/s */
    uint32_t fps;
    uint8_t profile; /* 0: any */
};

#define PH_JOB_REPLY_MAX (PH_HXFR_HEADER_SIZE + PH_HXFR_ERROR_SIZE)

struct ph_job {
    struct ph_job *next;
    enum ph_job_type type;
    uint16_t session; /* to be echoed */
    uint8_t message; /* FRAME: enum ph_hxfr_ext_type */
    uint32_t serial; /* SURFACE, FRAME: which SURFACE it was or refers to */
    struct ph_hxfr_surface surface;
    struct ph_hxfr_frame_request picture;
    struct ph_hxfr_frame frame; /* its rectangles are in the payload */
    struct ph_hxfr_checksum checksum;
    bool keyframe;
    struct ph_rate rate;
    struct ph_buffer payload;
    uint32_t receive_us;
    int64_t received_ns;
    uint8_t reply[PH_JOB_REPLY_MAX];
    size_t reply_len;
};

struct ph_jobs {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct ph_job *all;
    size_t count;
    struct ph_job *unused;
    struct ph_job *head;
    struct ph_job **tail;
    uint32_t in_flight; /* PICTURE and FRAME, not yet answered */
    bool busy; /* one is worked on, or being answered */
    bool closed; /* no more will come */
    bool cancelled; /* and those that are there are not wanted */
};

void ph_jobs_init(struct ph_jobs *jobs, size_t count, struct ph_budget *budget);
void ph_jobs_finish(struct ph_jobs *jobs);

/* Reader: a job to fill. Waits while all are in use and, with
 * most_in_flight > 0, while as many frames are in flight. NULL: cancelled. */
struct ph_job *ph_jobs_acquire(struct ph_jobs *jobs, uint32_t most_in_flight);
/* Reader: hands it on, or gives it back unused. */
void ph_jobs_push(struct ph_jobs *jobs, struct ph_job *job);
void ph_jobs_release(struct ph_jobs *jobs, struct ph_job *job);
uint32_t ph_jobs_in_flight(struct ph_jobs *jobs);
/* Reader: nothing is queued or worked on, so an answer may go out at once. */
bool ph_jobs_are_done(struct ph_jobs *jobs);

/* Encoder thread: the next job. NULL: closed, or, with *timed_out, none came
 * for wait_ms (< 0: waits for ever). */
struct ph_job *ph_jobs_pop(
        struct ph_jobs *jobs, int64_t wait_ms, bool *timed_out);
/* Encoder thread: its answer is about to go out. That the guest may send
 * another must hold before it can know. */
void ph_jobs_answered(struct ph_jobs *jobs, const struct ph_job *job);
/* Encoder thread: done with it. */
void ph_jobs_done(struct ph_jobs *jobs, struct ph_job *job);
/* Encoder thread: gives the memory of unused jobs back. */
void ph_jobs_trim(struct ph_jobs *jobs);

/* Any thread. cancel: drops what is queued. */
void ph_jobs_close(struct ph_jobs *jobs, bool cancel);
