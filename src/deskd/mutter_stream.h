/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A video stream of PipeWire's, consumed: buffers go back at once, but for
 * the newest one that nobody has looked at yet. So the compositor never waits
 * for us, whatever we do, with a pool of two.
 *
 * One thread from create to destroy; what comes, comes inside
 * ph_mutter_stream_dispatch.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "deskd/capture.h"

struct ph_mutter_stream;

struct ph_mutter_stream_wish {
    uint32_t node;
    uint32_t width; /* exactly; 0: as the stream has it */
    uint32_t height;
    uint32_t fps; /* at most; 0: as the stream gives */
    uint32_t buffers; /* at most; 0: the usual number */
};

/* The newest picture, in the compositor's memory. */
struct ph_mutter_picture {
    const uint8_t *data;
    uint32_t stride;
    uint32_t width;
    uint32_t height;
    uint32_t format; /* PH_HXFR_BGRA or PH_HXFR_RGBA */
    int64_t time_ns; /* as the compositor says; 0: it does not */
    /* What changed since the picture taken before; NULL: not known. */
    const struct ph_region *damage;
};

/* The pointer as PipeWire tells of it: valid inside the call. */
typedef void ph_mutter_stream_cursor(
        void *data, const struct ph_capture_cursor *cursor);

/* NULL: error[size] says why. */
struct ph_mutter_stream *ph_mutter_stream_create(
        const struct ph_mutter_stream_wish *wish,
        ph_mutter_stream_cursor *cursor, void *data, char *error, size_t size);
void ph_mutter_stream_destroy(struct ph_mutter_stream *s);

int ph_mutter_stream_fd(struct ph_mutter_stream *s);
/* When the descriptor is readable, and after any of the calls below. */
void ph_mutter_stream_dispatch(struct ph_mutter_stream *s);
/* Why it is over; NULL while it is not. */
const char *ph_mutter_stream_failure(const struct ph_mutter_stream *s);

/* What size was agreed on, which is when Mutter makes a monitor of the stream's
 * own. False: none yet. */
bool ph_mutter_stream_size(
        const struct ph_mutter_stream *s, uint32_t *width, uint32_t *height);

/* False: nothing new. The picture is good until the next call of any
 * function here. */
bool ph_mutter_stream_peek(
        struct ph_mutter_stream *s, struct ph_mutter_picture *out);
/* Gives the picture back that was looked at. */
void ph_mutter_stream_release(struct ph_mutter_stream *s);

/* Whether the compositor is to send anything; drops what came before. */
void ph_mutter_stream_set_active(struct ph_mutter_stream *s, bool active);
/* Asks for another size, where the wish was an exact one. */
void ph_mutter_stream_resize(
        struct ph_mutter_stream *s, uint32_t width, uint32_t height);
