/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A host for tests of the link, made of the protocol headers alone. It
 * encodes nothing: an access unit says in hexadecimal what checksum the whole
 * picture has, as the host holds it, so that a test can tell whether every
 * pixel came over. One thread, one guest at a time; plays one trick.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/endpoint.h"

enum fake_kind {
    FAKE_MEMFD, /* extended, slots in shared memory if the guest can */
    FAKE_TILES, /* extended */
    FAKE_V1_PONG, /* version 1: skips HELLO, answers PING */
    FAKE_V1_ERROR, /* version 1: HELLO gets an ERROR */
    FAKE_V1_SILENT, /* version 1: answers frames only */
};

enum fake_trick {
    TRICK_NONE,
    /* At the frame number trick_at. */
    TRICK_HANG_UP, /* no answer, the connection ends */
    TRICK_HANG_UP_AFTER, /* answers, then the connection ends */
    TRICK_MUTE, /* no answer, nor to what follows */
    TRICK_GARBAGE,
    TRICK_HUGE, /* an access unit of 2 GiB is announced */
    TRICK_WRONG_SEQUENCE,
    TRICK_UNASKED, /* two answers */
    TRICK_EARLY, /* answers before the pixels are read */
    TRICK_FAIL, /* FAILURE or ERROR */
    TRICK_TIMES, /* durations that cannot be */
    TRICK_NO_SPS,
    TRICK_EMPTY,
    TRICK_LATE_ERROR, /* the ERROR for HELLO comes before the answer */
    /* At once. */
    TRICK_LATE_HELLO, /* answers HELLO when the first frame comes */
    TRICK_BUSY, /* ERROR to HELLO: too many guests */
    TRICK_NO_SLOTS,
    TRICK_UNSEALED_SLOTS,
    TRICK_SHORT_SLOTS,
    TRICK_ONE_SLOT,
};

struct fake_host {
    enum fake_kind kind;
    enum fake_trick trick;
    uint32_t trick_at; /* frame, from 0, over all connections */
    struct ph_endpoint endpoint;

    pthread_t thread;
    int listen_fd;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool stopping;
    bool hold; /* answers wait */
    int fd; /* of the guest, -1 */
    /* What was seen. */
    uint32_t connections;
    uint32_t hellos;
    uint32_t frames;
    uint32_t whole; /* frames of which everything was new */
    uint32_t keyframes_asked;
    uint32_t refined; /* frames that were to be */
    uint32_t bitrate;
    uint32_t v1_format; /* of the newest version 1 frame */
    uint32_t resources; /* frames that were one */
    uint32_t resource_id; /* of the newest */

    /* Its thread's. */
    bool slots_agreed;
    bool resources_agreed;
    bool muted;
    struct fake_surface *surface;
};

/* Listens at h->endpoint (updated) and serves until stop. */
bool fake_host_start(struct fake_host *h);
void fake_host_stop(struct fake_host *h);
/* With hold on, frames are read and counted but not answered. */
void fake_host_hold(struct fake_host *h, bool hold);
/* A field above, under the lock. */
uint32_t fake_host_get(struct fake_host *h, const uint32_t *field);

#define FAKE_SUM_START UINT32_C(2166136261)
/* FNV-1a over rows. */
uint32_t fake_sum(uint32_t sum, const uint8_t *data, uint32_t stride,
        uint32_t bytes, uint32_t rows);
