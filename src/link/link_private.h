/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Inside of a link. What both threads touch is in `shared`, under its lock;
 * the rest belongs to the I/O thread alone (or is constant after create).
 */
#pragma once

#include <pthread.h>

#include "common/macros.h"
#include "link/link.h"
#include "link/slots.h"
#include "link/tiles.h"

enum {
    PH_LINK_SESSION = 1
};

enum ph_link_slot_state {
    PH_LINK_SLOT_FREE,
    PH_LINK_SLOT_ACQUIRED,
    PH_LINK_SLOT_SENT, /* submitted and not answered */
};

/* A submitted frame: first in `queue`, then, written, in `flight`. */
struct ph_link_request {
    /* PH_HXFR_SLOT_FRAME, also for TILES, PH_HXFR_REPEAT, or, for a resource,
     * PH_HXFR_FRAME_REQUEST */
    uint8_t type;
    uint32_t generation;
    uint32_t sequence;
    int64_t pts;
    uint32_t flags;
    uint8_t slot;
    bool whole;
    uint16_t rect_count;
    int64_t submitted_ns;
    int64_t begun_ns; /* when writing it began */
    size_t bytes; /* of its message */
    struct ph_link_resource resource;
    struct ph_rect rects[PH_HXFR_MAX_RECTS];
};

/* The message being written. */
struct ph_link_out {
    uint8_t head[PH_HXFR_HEADER_SIZE + PH_HXFR_MAX_CONTROL];
    size_t len; /* of head */
    size_t done;
    struct ph_slots_reader pixels; /* follow the head */
    const uint8_t *body; /* or these do */
    size_t body_left;
    struct ph_slots *slots; /* reference, while pixels or a request need it */
    bool request; /* it is the newest written one */
};

/* Comparing the host's picture with ours. */
struct ph_link_check {
    uint32_t frames; /* since the last */
    int64_t last_ns;
    bool due; /* the newest is to be sent behind the message being written */
    /* A ring of those that were not answered yet. */
    struct ph_hxfr_checksum own[PH_HXFR_MAX_WINDOW];
    uint32_t head;
    uint32_t awaited;
    uint32_t stale; /* of them: their surface was replaced */
    bool wrong; /* the next frame has to be whole */
};

struct ph_link_shared {
    pthread_mutex_t lock;
    bool stopping;
    bool ready;
    int fd; /* for shutdown() by stop; -1 */
    bool has_surface;
    bool surface_changed; /* to be announced */
    struct ph_hxfr_surface surface;
    uint32_t generation;
    struct ph_slots *slots; /* of this generation, or NULL */
    enum ph_link_slot_state states[PH_HXFR_MAX_SLOTS];
    int newest; /* slot submitted last, -1 */
    bool whole; /* the next frame must be: the host may lack some of it */
    struct ph_slots *acquired; /* holds the memory that is drawn into */
    bool room_wanted;
    bool can_repeat;
    bool takes_resources;
    bool surface_ended; /* by a resource: to be announced anew */
    bool can_refine;
    uint32_t window; /* granted */
    uint32_t allowed; /* of it, for now */
    uint32_t next_sequence;
    uint32_t bitrate;
    bool bitrate_changed;
    struct ph_link_stats stats;
    /* Ring of requests: written ones first, then those that wait. */
    struct ph_link_request *ring; /* PH_HXFR_MAX_WINDOW */
    uint32_t head;
    uint32_t count;
    uint32_t written;
};

struct ph_link {
    struct ph_link_options options;
    struct ph_link_events events;
    void *data;
    char name[PH_HXFR_MAX_NAME + 1];
    pthread_t thread;
    bool started;
    int wake[2]; /* pipe, non-blocking */
    int stop[2]; /* another, that only ph_link_stop writes to */
    struct ph_link_shared shared;

    /* I/O thread */
    int fd;
    int version; /* of the host: 0 unknown, 1, or 2 with extensions */
    uint32_t capabilities;
    int bar; /* ivshmem, -1: none with the host's magic */
    int stage; /* the shared file that TILES leave their pixels in, or -1 */
    uint32_t stage_slot_size;
    char host_name[PH_HXFR_MAX_NAME + 1];
    struct ph_hxfr_surface announced;
    uint32_t announced_generation;
    int64_t slots_deadline_ns; /* for SLOTS; PH_NEVER: none awaited */
    bool told_down;
    char reason[256];
    char found[PH_ENDPOINT_TEXT_MAX]; /* where it connected last */
    struct ph_link_out out;
    struct ph_link_tiles tiles;
    struct ph_flow flow;
    struct ph_link_check check;
    size_t answered_bytes; /* of the request answered last */
    int64_t answered_begun_ns;
    struct ph_rect whole; /* the picture of a version 1 frame */
    /* Version 1: see thread.c, "parked". */
    bool hung_up; /* the host ended the connection */
    bool resent; /* what is in flight was sent before */
    bool parked;
    /* It is taken for one because it was silent and has not answered a frame
     * yet: its ERROR for our HELLO may still come. */
    bool doubtful;
    uint8_t *in;
    size_t in_cap;
};

/* The i-th request from the oldest. */
static inline struct ph_link_request *ph_link_request(
        struct ph_link_shared *s, uint32_t i)
{
    return &s->ring[(s->head + i) % PH_HXFR_MAX_WINDOW];
}

void ph_link_wake(struct ph_link *link);
/* All slots are gone, the next frame is whole. */
void ph_link_new_generation_locked(struct ph_link_shared *s);
void *ph_link_thread(void *arg);

/* handshake.c: HELLO, or a version 1 host. False: reason is set. */
bool ph_link_handshake(struct ph_link *link);

/* outgoing.c: writes all that there is to send. *full: as far as the socket
 * takes it now. False: reason is set. */
bool ph_link_flush(struct ph_link *link, bool *full);
/* Own memory for the surface that was announced, and tiles of it. */
bool ph_link_use_tiles(struct ph_link *link);
bool ph_link_is_sending(const struct ph_link *link);
void ph_link_drop_message(struct ph_link *link);

/* check.c: after a frame with this picture was begun; when its turn has come;
 * when the host answers (false: reason is set). */
void ph_link_check_note(
        struct ph_link *link, uint32_t sequence, const struct ph_nv12 *picture);
void ph_link_check_write(struct ph_link *link, struct ph_writer *w);
bool ph_link_check_take(struct ph_link *link, const struct ph_hxfr_header *h);
/* For a new surface, and for a new connection. */
void ph_link_check_new_surface(struct ph_link *link);
void ph_link_check_reset(struct ph_link *link);

/* incoming.c: reads and handles one message. False: reason is set. */
bool ph_link_receive(struct ph_link *link);
/* Reads a header and its payload (capped, into link->in). False: reason is
 * set, errno is ETIMEDOUT when no header came until the deadline. */
bool ph_link_read_message(struct ph_link *link, int64_t deadline_ns,
        struct ph_hxfr_header *header, int *passed_fd);

/* Sets the reason why the connection ends; returns false. */
bool ph_link_fail(struct ph_link *link, const char *fmt, ...) PH_PRINTF(2, 3);
/* The same after a call that failed with errno. */
bool ph_link_fail_io(struct ph_link *link, const char *what);
/* incoming.c: makes slots those of the generation when it is still the newest;
 * takes the reference. Tells `room` when somebody waits. */
void ph_link_install_slots(
        struct ph_link *link, struct ph_slots *slots, uint32_t generation);
