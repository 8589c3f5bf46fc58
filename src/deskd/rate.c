/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/rate.h"

#include "common/clock.h"
#include "common/macros.h"

/* A frame that is late by so much has a queue before it; by so little none. */
#define LATE_NS (150 * PH_NS_PER_MS)
#define CLEAR_NS (50 * PH_NS_PER_MS)
/* Down at most so often: a change shows after what is queued has drained. */
#define DOWN_NS (300 * PH_NS_PER_MS)
/* Up so often, by 1/16: a quarter in a second, eightfold in nine. */
#define UP_NS (250 * PH_NS_PER_MS)
#define UP_SHIFT 4
/* Not up before it was clear for so long; unused as it is, for longer. */
#define TRUST_NS (1 * PH_NS_PER_S)
#define TRUST_UNUSED_NS (5 * PH_NS_PER_S)
#define WINDOW_NS (1 * PH_NS_PER_S)

void ph_rate_init(struct ph_rate *r, uint32_t most)
{
    *r = (struct ph_rate){.most = most, .bitrate = most};
}

static void begin_window(struct ph_rate *r, const struct ph_rate_sample *s)
{
    r->window_ns = s->now_ns;
    r->window_acked = s->acked;
    r->window_sent = s->sent;
}

void ph_rate_restart(struct ph_rate *r, const struct ph_rate_sample *s)
{
    r->clear_ns = s->now_ns;
    begin_window(r, s);
}

static uint64_t per_second(uint64_t bytes, int64_t ns)
{
    return bytes * 8 * PH_NS_PER_S / (uint64_t)PH_MAX(ns, PH_NS_PER_MS);
}

/* To what got through lately, and a little below, so that the queue drains. */
static uint32_t lower(const struct ph_rate *r, const struct ph_rate_sample *s)
{
    uint64_t through =
            per_second(s->acked - r->window_acked, s->now_ns - r->window_ns);
    uint64_t rate = PH_MIN(through - through / 8, (uint64_t)r->bitrate * 3 / 4);
    rate = PH_MAX(rate, (uint64_t)r->bitrate / 2); /* one window may mislead */
    return (uint32_t)PH_MAX(rate, PH_MIN(PH_RATE_LEAST, (uint64_t)r->most));
}

static bool is_used(const struct ph_rate *r, const struct ph_rate_sample *s)
{
    return per_second(s->sent - r->window_sent, s->now_ns - r->window_ns) >
            r->bitrate / 2;
}

static uint32_t decide(struct ph_rate *r, const struct ph_rate_sample *s)
{
    int64_t since = s->now_ns - r->changed_ns;
    if (s->lag_ns > CLEAR_NS) {
        r->clear_ns = s->now_ns;
    }
    if (s->lag_ns > LATE_NS && since >= DOWN_NS) {
        return lower(r, s);
    }
    int64_t clear = s->now_ns - r->clear_ns;
    if (since >= UP_NS && clear >= TRUST_NS &&
            (clear >= TRUST_UNUSED_NS || is_used(r, s))) {
        uint64_t up = (uint64_t)r->bitrate + (r->bitrate >> UP_SHIFT);
        return (uint32_t)PH_MIN(up, (uint64_t)r->most);
    }
    return r->bitrate;
}

bool ph_rate_update(struct ph_rate *r, const struct ph_rate_sample *s)
{
    uint32_t rate = decide(r, s);
    bool changed = rate != r->bitrate;
    if (changed) {
        r->bitrate = rate;
        r->changed_ns = s->now_ns;
    }
    if (s->now_ns - r->window_ns >= WINDOW_NS) {
        begin_window(r, s);
    }
    return changed;
}
