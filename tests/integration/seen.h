/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a test sees of a capture: the newest frame and pointer. While it waits
 * the default main context is served.
 */
#pragma once

#include "deskd/capture.h"

struct seen {
    struct ph_capture *capture;
    unsigned frames;
    unsigned lost;
    unsigned cursors;
    unsigned empty; /* frames without damage */
    unsigned bad; /* frames or cursors that break capture.h's promises */
    char reason[256]; /* of lost */
    uint32_t width;
    uint32_t height;
    struct ph_region damage;
    int64_t time_ns;
    uint32_t probe[2]; /* set by the test: a pixel to look at */
    uint32_t probed; /* RGB there */
    struct ph_capture_cursor cursor; /* without its data */
    uint32_t first_pixel; /* of the newest shape, RGBA */
};

extern const struct ph_capture_events seen_events;

/* Asks for a frame (unless it was asked for) and waits for an event. */
bool seen_frame(struct seen *s, bool whole, int ms);
/* Takes frames until nothing changes. */
void seen_settle(struct seen *s);
/* Takes frames until the probed pixel is this. */
bool seen_pixel(struct seen *s, uint32_t rgb, int ms);
/* Serves the capture and the main context once. False: the deadline is over. */
bool seen_serve(struct seen *s, int64_t deadline_ns);
/* The same until condition(s) holds. */
bool seen_until(
        struct seen *s, bool (*condition)(const struct seen *s), int ms);
