/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/viewer_stats.h"

#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"

void ph_viewer_stats_sent(struct ph_viewer_stats *s, uint32_t sequence,
        size_t size, int64_t now_ns)
{
    size_t i = sequence % PH_VIEWER_STATS_SENT;
    s->sent[i].sequence = sequence;
    s->sent[i].sent_ns = now_ns;
    s->frame_bytes += size;
    s->sent[i].bytes = s->frame_bytes;
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
    s->acked = ack->sequence;
    s->acked_bytes = s->sent[i].bytes;
    rtt = PH_MAX(rtt - ack->present_us, 0);
    size_t at = s->acks++ % PH_VIEWER_STATS_SAMPLES;
    s->us[PH_VIEWER_RTT][at] = (uint32_t)PH_MIN(rtt, UINT32_MAX);
    s->us[PH_VIEWER_DECODE][at] = ack->decode_us;
    s->us[PH_VIEWER_PRESENT][at] = ack->present_us;
}

/* From sending to the ACK on a free way: the least of the newest samples. */
static int64_t quickest_ns(const struct ph_viewer_stats *s)
{
    enum {
        MOST_US = 100000
    }; /* more than that is no free way */
    size_t n = PH_MIN(s->acks, PH_VIEWER_STATS_SAMPLES);
    uint32_t least = MOST_US;
    for (size_t i = 0; i < n; i++) {
        uint64_t us =
                (uint64_t)s->us[PH_VIEWER_RTT][i] + s->us[PH_VIEWER_PRESENT][i];
        least = (uint32_t)PH_MIN(us, (uint64_t)least);
    }
    return least * PH_NS_PER_US;
}

int64_t ph_viewer_stats_lag(const struct ph_viewer_stats *s, int64_t now_ns)
{
    int64_t oldest = now_ns;
    if (!s->acks) {
        return 0;
    }
    for (size_t i = 0; i < PH_VIEWER_STATS_SENT; i++) {
        /* Frames before the one that was acknowledged were skipped. */
        if (s->sent[i].sent_ns &&
                (int32_t)(s->sent[i].sequence - s->acked) > 0) {
            oldest = PH_MIN(oldest, s->sent[i].sent_ns);
        }
    }
    return PH_MAX(now_ns - oldest - quickest_ns(s), 0);
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
