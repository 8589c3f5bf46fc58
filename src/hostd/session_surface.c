/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The screen of a session, as its encoder thread holds it. */
#include <unistd.h>

#include "hostd/colour.h"
#include "hostd/session_private.h"
#include "video/pack.h"

static bool check_size(uint32_t width, uint32_t height, struct ph_reason *why)
{
    uint32_t blocks = ((width + 15) / 16) * ((height + 15) / 16);
    return blocks <= PH_ENCODER_MAX_MACROBLOCKS ||
            ph_reason_set(why, PH_HXFR_ERR_BUSY,
                    "%ux%u has %u macroblocks; H.264 allows %d", width, height,
                    blocks, PH_ENCODER_MAX_MACROBLOCKS);
}

static bool has_no_memory(struct ph_reason *why)
{
    return ph_reason_set(why, PH_HXFR_ERR_BUSY,
            "the host has no memory left for this screen");
}

/* Takes what was there away. False: a screen of this size cannot be. */
static bool make_room(struct ph_session *s, const struct ph_hxfr_surface *info,
        struct ph_reason *why)
{
    ph_session_close_encoder(s);
    ph_surface_finish(&s->held);
    ph_share_give(&s->stage);
    s->shown = false;
    s->all_changed = true;
    return check_size(info->width, info->height, why);
}

static bool make_own(struct ph_session *s, const struct ph_hxfr_surface *info,
        struct ph_reason *why)
{
    return ph_surface_init(&s->held, s->config->budget, info) ||
            has_no_memory(why);
}

/* A screen for tiles, whose pixels come through a file of the folder that we
 * share, or, without room there, on the stream. */
static bool make_staged(struct ph_session *s,
        const struct ph_hxfr_surface *info, uint8_t count,
        struct ph_reason *why)
{
    struct ph_hxfr_slots *slots = &s->held.slots;
    if (!make_own(s, info, why)) {
        return false;
    }
    bool file = s->capabilities & PH_HXFR_CAP_FILE &&
            ph_share_take(
                    s->share, (size_t)slots->slot_size * count, &s->stage);
    slots->count = count;
    slots->place = file ? PH_HXFR_SLOTS_FILE : PH_HXFR_SLOTS_NONE;
    slots->nonce = s->stage.nonce;
    return true;
}

bool ph_session_has_slots(
        const struct ph_session *s, const struct ph_hxfr_surface *info)
{
    return s->capabilities & PH_HXFR_CAPS_MEMORY &&
            info->format == PH_HXFR_NV12;
}

bool ph_session_make_surface(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why)
{
    struct ph_hxfr_surface info = job->surface;
    /* One slot more than the window: while the others are in flight, or the
     * newest is held for REPEAT, the guest draws into that one. */
    uint8_t count = (uint8_t)PH_MAX(s->window + 1, 3u);
    info.colour = ph_colour_complete(info.format, &info.colour);
    s->held_serial = job->serial;
    if (!make_room(s, &info, why)) {
        return false;
    }
    if (!ph_session_has_slots(s, &info)) {
        return make_own(s, &info, why);
    }
    if (s->capabilities & PH_HXFR_CAP_MEMFD) {
        return ph_surface_init_shared(
                       &s->held, s->config->budget, &info, count) ||
                has_no_memory(why);
    }
    return (s->capabilities & PH_HXFR_CAP_IVSHMEM &&
                   ph_surface_init_range(&s->held, s->share, &info, count)) ||
            make_staged(s, &info, count, why);
}

/* Version 1 announces nothing: a frame of another size or format is a new
 * surface. */
static bool match_picture(struct ph_session *s,
        const struct ph_hxfr_frame_request *q, struct ph_reason *why)
{
    const struct ph_hxfr_surface *have = &s->held.info;
    if (s->held.memory && s->held_serial == 0 && have->width == q->width &&
            have->height == q->height && have->format == q->format) {
        return true;
    }
    struct ph_hxfr_surface info = {
            .width = q->width,
            .height = q->height,
            .format = q->format,
            .colour = ph_colour_v1(q->format, q->height),
    };
    s->held_serial = 0;
    return make_room(s, &info, why) && make_own(s, &info, why);
}

bool ph_session_draw_picture(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why)
{
    if (!match_picture(s, &job->picture, why)) {
        return false;
    }
    ph_surface_draw(&s->held, &job->picture, job->payload.data);
    s->all_changed = true;
    s->shown = true;
    return true;
}

static void add_changed(struct ph_session *s, const struct ph_hxfr_frame *frame)
{
    for (uint8_t i = 0; i < frame->move_count && !s->all_changed; i++) {
        struct ph_move m = ph_hxfr_move(frame, i);
        ph_region_add(&s->changed, ph_hxfr_move_target(&m));
    }
    for (uint16_t i = 0; i < frame->rect_count && !s->all_changed; i++) {
        ph_region_add(&s->changed, ph_hxfr_rect(frame, i));
    }
}

/* Whether the frame was made for the surface that is held: the reader checked
 * its rectangles against that and no other. */
static bool check_surface(const struct ph_session *s, const struct ph_job *job,
        struct ph_reason *why)
{
    return (s->held.memory && s->held_serial == job->serial) ||
            ph_reason_set(why, PH_HXFR_ERR_NOT_CONFIGURED,
                    "its surface was refused, or replaced by a version 1 "
                    "frame");
}

/* Room for a frame's pixels. NULL: why. */
static uint8_t *reserve_pixels(
        struct ph_session *s, size_t bytes, struct ph_reason *why)
{
    s->unpacked.len = 0;
    if (!ph_buffer_reserve(&s->unpacked, bytes)) {
        ph_reason_set(why, PH_HXFR_ERR_BUSY,
                "the host has no memory left to unpack this frame");
        return NULL;
    }
    return s->unpacked.data;
}

static const uint8_t *read_stage(struct ph_session *s,
        const struct ph_hxfr_frame *frame, struct ph_reason *why)
{
    const struct ph_hxfr_slots *slots = &s->held.slots;
    off_t at = (off_t)((uint64_t)frame->slot * slots->slot_size);
    if (!s->stage.share || frame->slot >= slots->count) {
        ph_reason_set(why, PH_HXFR_ERR_INVALID, "there is no such slot");
        return NULL;
    }
    uint8_t *data = reserve_pixels(s, frame->bytes, why);
    if (data &&
            pread(s->stage.fd, data, frame->bytes, at) !=
                    (ssize_t)frame->bytes) {
        ph_reason_set(why, PH_HXFR_ERR_INVALID,
                "the shared file does not hold this frame's pixels");
        return NULL;
    }
    return data;
}

/* The pixels of a TILES frame, unpacked where they came packed. NULL: why. */
static const uint8_t *find_pixels(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why)
{
    const uint8_t *data = job->payload.data;
    size_t control = PH_HXFR_FRAME_HEAD_SIZE + ph_hxfr_frame_control(data);
    if (job->frame.flags & PH_HXFR_FRAME_FILE) {
        return read_stage(s, &job->frame, why);
    }
    if (!(job->frame.flags & PH_HXFR_FRAME_LZ4)) {
        return data + control;
    }
    uint8_t *unpacked = reserve_pixels(s, job->frame.bytes, why);
    if (unpacked &&
            !ph_unpack(data + control, job->payload.len - control, unpacked,
                    job->frame.bytes)) {
        ph_reason_set(why, PH_HXFR_ERR_INVALID,
                "an LZ4 block that is not what its rectangles say");
        return NULL;
    }
    return unpacked;
}

static bool draw_tiles(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why)
{
    if (s->held.shared) {
        return ph_reason_set(
                why, PH_HXFR_ERR_INVALID, "tiles, where slots were agreed on");
    }
    const uint8_t *pixels = find_pixels(s, job, why);
    if (pixels) {
        ph_surface_patch(&s->held, &job->frame, pixels);
    }
    return pixels;
}

bool ph_session_draw_frame(
        struct ph_session *s, const struct ph_job *job, struct ph_reason *why)
{
    const struct ph_hxfr_frame *frame = &job->frame;
    if (!check_surface(s, job, why)) {
        return false;
    }
    switch (job->message) {
    case PH_HXFR_SLOT_FRAME:
        if (!s->held.shared || frame->slot >= s->held.slots.count) {
            return ph_reason_set(
                    why, PH_HXFR_ERR_INVALID, "there is no such slot");
        }
        ph_surface_use_slot(&s->held, frame->slot);
        break;
    case PH_HXFR_TILES:
        if (!draw_tiles(s, job, why)) {
            return false;
        }
        break;
    default:
        if (!s->shown) {
            return ph_reason_set(why, PH_HXFR_ERR_NOT_CONFIGURED,
                    "REPEAT before the first frame");
        }
    }
    add_changed(s, frame);
    s->shown = true;
    return true;
}
