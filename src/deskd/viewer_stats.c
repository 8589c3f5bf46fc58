/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/viewer_stats.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"

void ph_viewer_stats_sent(
        struct ph_viewer_stats *s, uint32_t sequence, int64_t now_ns)
{
    size_t i = sequence % PH_VIEWER_STATS_SENT;
    s->sent[i].sequence = sequence;
    s->sent[i].sent_ns = now_ns;
    s->frames++;
}

void ph_viewer_stats_ack(struct ph_viewer_stats *s,
        const struct ph_stream_ack *ack, int64_t now_ns)
{
    size_t i = ack->sequence % PH_VIEWER_STATS_SENT;
    if (!s->sent[i].sent_ns || s->sent[i].sequence != ack->sequence) {
        return;
    }
    int64_t rtt = (now_ns - s->sent[i].sent_ns) / PH_NS_PER_US;
    s->sent[i].sent_ns = 0; /* once */
    rtt = PH_MAX(rtt - ack->present_us, 0);
    size_t at = s->acks++ % PH_VIEWER_STATS_SAMPLES;
    s->us[PH_VIEWER_RTT][at] = (uint32_t)PH_MIN(rtt, UINT32_MAX);
    s->us[PH_VIEWER_DECODE][at] = ack->decode_us;
    s->us[PH_VIEWER_PRESENT][at] = ack->present_us;
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

bool ph_viewer_stats_percentile(const struct ph_viewer_stats *s,
        enum ph_viewer_time which, unsigned percent, uint32_t *us)
{
    size_t n = PH_MIN(s->acks, PH_VIEWER_STATS_SAMPLES);
    if (!n) {
        return false;
    }
    uint32_t sorted[PH_VIEWER_STATS_SAMPLES];
    memcpy(sorted, s->us[which], n * sizeof(sorted[0]));
    qsort(sorted, n, sizeof(sorted[0]), compare);
    *us = sorted[(n - 1) * percent / 100];
    return true;
}
