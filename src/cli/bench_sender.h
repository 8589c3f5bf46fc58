/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames of a feed on their way through a link, as porthole-deskd sends them:
 * first there is a slot, then a picture. The functions are for the main
 * thread; the link's thread answers.
 */
#pragma once

#include <pthread.h>

#include "cli/bench.h"
#include "link/link.h"

enum {
    PH_BENCH_TIMES = 64 /* more than can be in flight */
};

struct ph_bench_sender {
    /* Set before init, or zero. */
    bool survive; /* connections may end */
    int (*connect)(void *data, int64_t deadline_ns); /* as of ph_link */
    void *connect_data;

    struct ph_size size;
    struct ph_bench_feed *feed; /* may be replaced between two frames */
    struct ph_bench_result *result;
    struct ph_link *link;
    uint32_t generation;
    struct ph_region pending[PH_HXFR_MAX_SLOTS];
    struct ph_region unsent;
    bool has_frame; /* the feed's first was sent */

    pthread_mutex_t lock;
    pthread_cond_t news;
    bool ready;
    bool down;
    uint32_t turns; /* of whatever may end a wait */
    uint64_t submitted;
    uint64_t answered;
    uint32_t lost; /* connections */
    int64_t captured[PH_BENCH_TIMES]; /* by sequence */
};

/* Connects. False: the result says why; finish it all the same. */
bool ph_bench_sender_init(struct ph_bench_sender *sender,
        const struct ph_bench_options *options, struct ph_bench_feed *feed,
        struct ph_bench_result *result);
void ph_bench_sender_finish(struct ph_bench_sender *sender);

/* Sends the next frame, when there is room. False: it is over. */
bool ph_bench_sender_next(struct ph_bench_sender *sender);
/* Waits until all that was sent is answered, or lost. */
bool ph_bench_sender_drain(struct ph_bench_sender *sender);
/* Everything is new: another feed. */
void ph_bench_sender_mark_all(struct ph_bench_sender *sender);
