/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A key was pressed on a still screen: a cell or two changed, and the encoder,
 * whose memory has gone cold, would take longer than all the rest of the way.
 * Its picture is made without one (proto/h264_quick.h). What changed stays
 * marked, so that the encoder says it again with its next picture, for which
 * the guest asks (REPEAT) when nothing else comes. And a steady rate of a still
 * screen costs half: every other picture skips all, which takes no encoder.
 */
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "hostd/session_private.h"
#include "video/region.h"

/* The encoder's pictures follow each other so closely that it is warm, and
 * that one more between them is more to decode for nothing. */
#define LONE_NS (35 * PH_NS_PER_MS)

enum {
    MB = 16
};

/* Marks what the rectangle touches; the macroblocks that were not yet. */
static uint32_t mark(struct ph_session *s, struct ph_rect r)
{
    uint32_t wide = s->quick.mbs_wide;
    uint32_t count = 0;
    for (uint32_t y = r.y / MB; y <= (r.y + r.height - 1U) / MB; y++) {
        for (uint32_t x = r.x / MB; x <= (r.x + r.width - 1U) / MB; x++) {
            count += !s->quick_map[y * wide + x];
            s->quick_map[y * wide + x] = 1;
        }
    }
    return count;
}

/* How many bytes may leave at once, so that the way is not filled: a
 * hundredth of a second of the bit rate. */
static size_t most_bytes(const struct ph_session *s)
{
    return PH_MIN(s->encoder_config.bitrate / 8 / 100, sizeof(s->quick_unit));
}

static bool is_small(const struct ph_session *s)
{
    /* Rectangles may share macroblocks, so this is not exact; marking is. */
    return !s->all_changed && s->changed.count > 0 &&
            ph_region_pixels(&s->changed) <= PH_SESSION_QUICK_MBS * MB * MB;
}

static bool mark_changed(struct ph_session *s)
{
    size_t size = (size_t)s->quick.mbs_wide * s->quick.mbs_high;
    uint32_t count = 0;
    if (s->quick_map_size != size) {
        free(s->quick_map);
        s->quick_map = ph_xcalloc(1, size);
        s->quick_map_size = size;
    }
    memset(s->quick_map, 0, size);
    for (uint16_t i = 0; i < s->changed.count; i++) {
        count += mark(s, s->changed.rects[i]);
    }
    return count <= PH_SESSION_QUICK_MBS &&
            ph_h264_quick_bound(count) <= most_bytes(s);
}

/* A repeat of what the encoder has said: every other one needs none. */
static bool is_pause(const struct ph_session *s, const struct ph_job *job)
{
    return job->message == PH_HXFR_REPEAT &&
            !(job->frame.flags & PH_HXFR_FRAME_REFINE) && !s->all_changed &&
            s->changed.count == 0;
}

static bool is_lone(const struct ph_session *s, const struct ph_job *job)
{
    return job->message != PH_HXFR_REPEAT && is_small(s) &&
            ph_clock_ns() - s->encoded_ns >= LONE_NS;
}

bool ph_session_quick(struct ph_session *s, const struct ph_job *job,
        struct ph_encoder_output *out)
{
    const struct ph_nv12 *p = &s->held.picture;
    if (!(s->capabilities & PH_HXFR_CAP_QUICK) || !s->encoder ||
            job->keyframe || !s->quick.ready ||
            !(is_pause(s, job) || is_lone(s, job)) || !mark_changed(s)) {
        return false;
    }
    struct ph_h264_quick_picture picture = {
            .plane = {p->plane[0], p->plane[1]},
            .stride = {p->stride[0], p->stride[1]},
            .width = p->width,
            .height = p->height,
            .macroblocks = s->quick_map,
    };
    size_t size = ph_h264_quick_write(
            &s->quick, &picture, s->quick_unit, sizeof(s->quick_unit));
    *out = (struct ph_encoder_output){.data = s->quick_unit, .size = size};
    return size > 0;
}
