/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the way to the host is like, learnt from answers: how long it is, how
 * much goes through it, how long the host takes; and what follows from that.
 * Pure numbers, times in ns; one thread. All zero knows nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ph_flow {
    double rtt; /* of a small message, without the host's work */
    double per_byte; /* 0: not known yet */
    double transfer; /* of a frame, from its first byte to its last */
    double encode;
    double pack_per_byte; /* what LZ4 costs */
    double pack_ratio; /* packed size to size */
};

/* One answered frame. */
struct ph_flow_sample {
    size_t bytes; /* on the wire */
    int64_t total; /* from the beginning of writing to the answer */
    int64_t receive; /* as the host measured them */
    int64_t wait;
    int64_t encode;
};

void ph_flow_answered(
        struct ph_flow *flow, const struct ph_flow_sample *sample);
void ph_flow_packed(
        struct ph_flow *flow, size_t bytes, size_t packed, int64_t ns);

/* A frame was not packed: the next may be of another kind. */
void ph_flow_not_packed(struct ph_flow *flow);

/* Whether LZ4 takes less time than it saves. Not known yet: it may. */
bool ph_flow_wants_packing(const struct ph_flow *flow);

/* Frames in flight, 1 to 3 (and at most `most`): enough that neither the way
 * nor the encoder waits for the other, no more than that. One when the way is
 * so slow that a second frame would only grow old on it. */
uint32_t ph_flow_window(const struct ph_flow *flow, uint32_t most);
