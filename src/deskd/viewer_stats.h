/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What one viewer saw of the last frames: how long after it was sent a frame
 * was presented, from the ACKs. Main thread only; all by value.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/stream.h"

#define PH_VIEWER_STATS_SAMPLES 128
#define PH_VIEWER_STATS_SENT 64

enum ph_viewer_time {
    PH_VIEWER_RTT, /* there and back: sent to ACK less the viewer's own time */
    PH_VIEWER_DECODE,
    PH_VIEWER_PRESENT, /* arrival to on screen, decoding included */
    PH_VIEWER_TIMES,
};

struct ph_viewer_stats {
    struct {
        uint32_t sequence;
        int64_t sent_ns; /* 0: empty */
        uint64_t bytes; /* of all frames up to this one */
    } sent[PH_VIEWER_STATS_SENT];
    uint32_t us[PH_VIEWER_TIMES][PH_VIEWER_STATS_SAMPLES];
    uint64_t acks;
    uint32_t acked; /* the newest frame of those */
    uint64_t acked_bytes;
    uint64_t frame_bytes; /* sent */
    uint64_t frames; /* sent */
    uint64_t bytes;
    uint64_t dropped; /* from the queue, by overflow */
};

void ph_viewer_stats_sent(struct ph_viewer_stats *s, uint32_t sequence,
        size_t size, int64_t now_ns);
/* An ACK for a frame that was not sent lately counts for nothing. */
void ph_viewer_stats_ack(struct ph_viewer_stats *s,
        const struct ph_stream_ack *ack, int64_t now_ns);
/* What the oldest frame that is on its way is late by, ns: its age less what
 * the quickest of late took. 0 for a viewer that acknowledges nothing. */
int64_t ph_viewer_stats_lag(const struct ph_viewer_stats *s, int64_t now_ns);
/* Percentile 0..100 of the newest samples, µs. False without any. */
bool ph_viewer_stats_percentile(const struct ph_viewer_stats *s,
        enum ph_viewer_time which, unsigned percent, uint32_t *us);
