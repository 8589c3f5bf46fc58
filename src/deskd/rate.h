/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How many bits a second the stream may have, from how one viewer keeps up:
 * down at once when frames get old on their way to it, up again little by
 * little. The other viewers skip to keyframes where they cannot follow. Pure,
 * by value; times in ns.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define PH_RATE_LEAST 300000 /* bit/s: text still gets through */

struct ph_rate {
    uint32_t most; /* bit/s */
    uint32_t bitrate; /* now */
    int64_t changed_ns;
    int64_t clear_ns; /* since when nothing was late */
    int64_t window_ns; /* when this window began, and the sums then */
    uint64_t window_acked;
    uint64_t window_sent;
};

/* What is known of the viewer that counts, at one time. */
struct ph_rate_sample {
    int64_t now_ns;
    int64_t lag_ns; /* what its oldest frame is late by */
    uint64_t acked; /* bytes that it has shown, of all that it was sent */
    uint64_t sent;
};

void ph_rate_init(struct ph_rate *rate, uint32_t most);
/* Another viewer counts from now on. */
void ph_rate_restart(struct ph_rate *rate, const struct ph_rate_sample *sample);
/* True: bitrate is another. */
bool ph_rate_update(struct ph_rate *rate, const struct ph_rate_sample *sample);
