/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of a session. session.c reads messages, session_v1.c and
 * session_ext.c handle them (reader thread); session_encode.c works the jobs
 * off and answers them (encoder thread), session_surface.c draws for it. Both
 * threads touch only jobs and, under write_lock, the socket.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "common/macros.h"
#include "hostd/jobs.h"
#include "hostd/session.h"
#include "hostd/surface.h"
#include "proto/h264_quick.h"

enum {
    PH_SESSION_WINDOW = 4, /* requests in flight */
    /* A SURFACE in front of each, and answers that wait for their turn. */
    PH_SESSION_JOBS = 3 * PH_SESSION_WINDOW,
    /* Macroblocks of a picture that is made without the encoder, 10 kB at
     * most: a line of text that moves is none, two cells and a cursor are. */
    PH_SESSION_QUICK_MBS = 16,
    PH_SESSION_QUICK_BYTES = 12 << 10,
};

/* Why a request got no access unit. */
struct ph_reason {
    int32_t code; /* enum ph_hxfr_error */
    char text[PH_HXFR_ERROR_TEXT];
};

struct ph_session {
    const struct ph_session_config *config;
    unsigned number;
    int fd;
    struct ph_serial *line; /* a stream without hang-up, or NULL */
    _Atomic int64_t last_seen;
    struct ph_jobs jobs;
    pthread_mutex_t write_lock; /* one message at a time */
    _Atomic uint64_t bytes_in;
    _Atomic uint64_t bytes_out;
    pthread_mutex_t stats_lock;
    struct ph_session_stats stats;

    /* Reader thread. */
    struct ph_hxfr_header header; /* of the message being handled */
    uint32_t left; /* of its payload, not read yet */
    int64_t message_ns; /* when it began */
    bool lost; /* broken off: nobody waits for answers */
    bool extended;
    char name[PH_HXFR_MAX_NAME + 1];
    uint32_t capabilities; /* negotiated */
    struct ph_share *share; /* ivshmem or a folder, negotiated, or NULL */
    uint32_t window; /* granted */
    uint32_t serial; /* of the surface, counted from 1; 0: none yet */
    struct ph_hxfr_surface surface; /* announced last: what frames must fit */
    struct ph_rate rate; /* wanted */
    bool keyframe_wanted;
    bool encoding; /* the encoder thread runs */
    pthread_t encoder_thread;

    /* Encoder thread. */
    struct ph_surface held;
    uint32_t held_serial; /* 0: a version 1 guest's picture */
    struct ph_share_range stage; /* where TILES leave their pixels */
    bool shown; /* held has a picture */
    struct ph_buffer unpacked; /* the pixels of a frame that came packed */
    bool all_changed; /* since the last access unit; else `changed` did */
    struct ph_region changed;
    int refine_step; /* the last one that this picture had */
    size_t refine_bytes; /* of its steps together */
    struct ph_encoder *encoder;
    struct ph_encoder_config encoder_config;
    int64_t opened_ns;
    int64_t encoded_ns; /* when its last picture was done */
    struct ph_h264_quick quick; /* what its stream says */
    uint8_t *quick_map; /* a byte a macroblock */
    size_t quick_map_size;
    uint8_t quick_unit[PH_SESSION_QUICK_BYTES];
    size_t encoder_memory; /* taken from the budget */
};

/* --- any thread --- */

/* Writes iov[0..count) as one message; pass_fd may be -1. False: the
 * connection is over. */
bool ph_session_write(
        struct ph_session *s, struct iovec *iov, int count, int pass_fd);
/* A message without anything behind it. */
bool ph_session_send(struct ph_session *s, const struct ph_writer *w);

/* --- reader: what a handler does not read of its payload is skipped; a
 * handler that returns false ends the connection --- */

/* The next len bytes of the payload. */
bool ph_session_read(struct ph_session *s, void *buf, size_t len);
/* The rest of the payload, behind what the buffer holds. *over: the budget
 * does not allow it, it was skipped. */
bool ph_session_read_rest(
        struct ph_session *s, struct ph_buffer *buffer, bool *over);
bool ph_session_skip(struct ph_session *s);
/* Says why in the log and to the guest; returns false. */
bool ph_session_refuse(struct ph_session *s, const char *fmt, ...)
        PH_PRINTF(2, 3);
/* An answer, behind those of all earlier requests. */
bool ph_session_reply(struct ph_session *s, const struct ph_writer *w);
/* The same, using a job that was acquired. */
bool ph_session_reply_job(
        struct ph_session *s, struct ph_job *job, const struct ph_writer *w);
/* Fills in what all jobs have and hands it to the encoder thread. */
bool ph_session_queue(struct ph_session *s, struct ph_job *job);

/* session_v1.c and session_ext.c: one message whose header was read. */
bool ph_session_handle_v1(struct ph_session *s);
bool ph_session_handle_ext(struct ph_session *s);

/* --- encoder thread --- */

/* session_encode.c */
void *ph_session_encoder_thread(void *session);
void ph_session_close_encoder(struct ph_session *s);
/* session_quick.c: the access unit of a small change, made without the
 * encoder. False: it is not one for that. */
bool ph_session_quick(struct ph_session *s, const struct ph_job *job,
        struct ph_encoder_output *out);
/* Sets the reason; returns false. */
bool ph_reason_set(struct ph_reason *reason, int32_t code, const char *fmt, ...)
        PH_PRINTF(3, 4);

/* session_surface.c: each makes held what the job says. */
bool ph_session_make_surface(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why);
/* Whether SLOTS answers a SURFACE like this. */
bool ph_session_has_slots(
        const struct ph_session *s, const struct ph_hxfr_surface *info);
bool ph_session_draw_picture(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why);
bool ph_session_draw_frame(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why);
