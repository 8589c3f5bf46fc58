/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside of a session. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <sys/uio.h>

#include "hostd/buffer.h"
#include "hostd/session.h"
#include "hostd/surface.h"

enum ph_job_type {
    PH_JOB_SURFACE,
    PH_JOB_PICTURE, /* a whole picture of a version 1 guest */
    PH_JOB_FRAME, /* TILES, SLOT_FRAME or REPEAT */
};

/* What the encoder thread has to do, in the order of the messages. */
struct ph_job {
    enum ph_job_type type;
    uint16_t session; /* to be echoed */
    uint8_t message; /* FRAME: enum ph_hxfr_ext_type */
    struct ph_hxfr_surface surface;
    struct ph_hxfr_frame_request picture;
    struct ph_hxfr_frame frame;
    bool over_budget; /* FRAME: its pixels were not kept */
    struct ph_buffer payload; /* rectangles and pixels point into it */
    uint32_t receive_us;
    int64_t received_ns;
};

/* Requests in flight, and a SURFACE in front of each. */
enum {
    PH_SESSION_WINDOW = 4,
    PH_SESSION_QUEUE = 2 * PH_SESSION_WINDOW
};

struct ph_session {
    const struct ph_session_config *config;
    unsigned number;
    int fd;
    _Atomic int64_t last_seen;

    /* Reader thread. */
    bool extended;
    char name[PH_HXFR_MAX_NAME + 1];
    uint32_t capabilities; /* negotiated */
    uint32_t window; /* granted */
    bool has_surface;
    struct ph_hxfr_surface surface; /* announced last: what frames must fit */
    int64_t message_ns; /* when the message began */
    bool encoding; /* the encoder thread runs */
    pthread_t encoder_thread;

    pthread_mutex_t write_lock; /* one message at a time */

    /* Both threads, under lock. */
    pthread_mutex_t lock;
    pthread_cond_t work;
    bool ending;
    struct ph_job jobs[PH_SESSION_QUEUE];
    uint32_t head;
    uint32_t count;
    struct ph_buffer spare[PH_SESSION_WINDOW]; /* kept for the next frames */
    uint32_t spare_count;
    bool keyframe_wanted;
    uint32_t bitrate; /* wanted, bit/s */
    uint32_t fps;

    /* Encoder thread. */
    struct ph_surface held;
    bool shown; /* held has a picture */
    struct ph_encoder *encoder;
    struct ph_encoder_config encoder_config;
};

/* Writes iov[0..count) as one message; pass_fd may be -1. False: the
 * connection is over. */
bool ph_session_write(
        struct ph_session *s, struct iovec *iov, int count, int pass_fd);
/* A message without anything behind it. */
bool ph_session_send(struct ph_session *s, const struct ph_writer *w);

/* Reads len bytes of the payload. */
bool ph_session_read(struct ph_session *s, void *buf, size_t len);
/* Reads len bytes into the buffer, which grows as they come. False with
 * *over: the budget does not allow it, and nothing of them was read. */
bool ph_session_read_growing(
        struct ph_session *s, struct ph_buffer *buffer, size_t len, bool *over);
bool ph_session_skip(struct ph_session *s, size_t len);

/* Reader: a buffer for a frame; queue gives it on with the job. False: more
 * requests than were granted. */
struct ph_buffer ph_session_take_buffer(struct ph_session *s);
void ph_session_give_buffer(struct ph_session *s, struct ph_buffer *buffer);
bool ph_session_queue(struct ph_session *s, struct ph_job *job);

/* session_v1.c and session_ext.c: handle one message whose header was read.
 * False: end the connection. */
bool ph_session_handle_v1(
        struct ph_session *s, const struct ph_hxfr_header *header);
bool ph_session_handle_ext(
        struct ph_session *s, const struct ph_hxfr_header *header);

/* session_encode.c */
void *ph_session_encoder_thread(void *session);
