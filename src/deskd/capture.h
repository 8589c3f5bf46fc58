/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where pictures of a desktop come from. A capture is pulled: the pipeline
 * asks for one frame, the capture answers with the first change after the
 * frame before (wake on damage), or at once when nothing was given yet. With
 * no request outstanding it costs nothing.
 *
 * A capture runs on the pipeline's thread: it has a descriptor to poll and a
 * dispatch function, nothing else (one that needs a thread hides it behind
 * an eventfd).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "video/region.h"

struct ph_capture;

/* One picture. The pixels are valid during the event only: they belong to the
 * capture. */
struct ph_capture_frame {
    const uint8_t *data;
    uint32_t stride; /* bytes */
    uint32_t width;
    uint32_t height;
    uint32_t format; /* PH_HXFR_BGRA or PH_HXFR_RGBA (4th byte ignored) */
    int64_t time_ns; /* CLOCK_MONOTONIC, when the compositor showed it */
    int64_t ready_ns; /* when its pixels were here */
    const struct ph_region *damage; /* since the frame before; may be empty */
};

/* The pointer, where it is not in the picture. */
struct ph_capture_cursor {
    bool visible;
    int32_t x; /* of the hotspot, in pixels of the picture */
    int32_t y;
    uint32_t serial; /* of the shape; the same: as before, data is NULL */
    const uint8_t *data; /* RGBA, premultiplied, width * 4 bytes a row */
    uint16_t width; /* up to PH_CAPTURE_MAX_CURSOR */
    uint16_t height;
    uint16_t hot_x;
    uint16_t hot_y;
};

#define PH_CAPTURE_MAX_CURSOR 256

struct ph_capture_events {
    void (*frame)(void *data, const struct ph_capture_frame *frame);
    /* The pointer moved or looks otherwise; also without a request. Never
     * comes from a capture that has the pointer in its pictures. */
    void (*cursor)(void *data, const struct ph_capture_cursor *cursor);
    /* The source ended (compositor gone, output removed). Once; nothing but
     * destroy makes sense then, and that not inside the event. */
    void (*lost)(void *data, const char *reason);
};

struct ph_capture_ops {
    const char *name;
    int (*fd)(struct ph_capture *capture);
    /* Asks for the next changed frame; one request at a time. whole: give a
     * frame even when nothing changed, with everything damaged. */
    void (*request)(struct ph_capture *capture, bool whole);
    /* Forgets the outstanding request (no viewer any more). The next frame
     * is whole. */
    void (*cancel)(struct ph_capture *capture);
    /* When fd is readable; may call the events. */
    void (*dispatch)(struct ph_capture *capture);
    /* Asks the desktop to be of another size (pixels) and scale (1/120: 120
     * is 1, 240 is 2). What it makes of it shows in the frames to come. NULL:
     * it cannot. */
    void (*resize)(struct ph_capture *capture, uint32_t width, uint32_t height,
            uint32_t scale);
    void (*destroy)(struct ph_capture *capture);
};

/* First member of every implementation. */
struct ph_capture {
    const struct ph_capture_ops *ops;
    const struct ph_capture_events *events;
    void *data;
};

/* output: name as the compositor says ("HEADLESS-1"), NULL for the first.
 * protocol: "ext" or "screencopy", NULL for the better one that there is.
 * NULL on failure: error[size] says why and what to do. */
struct ph_capture *ph_capture_wlr_create(const char *display,
        const char *output, const char *protocol,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size);

/* A picture without a desktop: for tests and `--capture test`. Eight colour
 * bars with a white square that moves fps times a second (0: never). */
struct ph_capture *ph_capture_test_create(uint32_t width, uint32_t height,
        uint32_t fps, const struct ph_capture_events *events, void *data);
