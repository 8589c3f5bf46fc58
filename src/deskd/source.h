/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * One desktop's picture as access units: capture → damage → slot → link →
 * access unit, on a thread of its own. The hub switches it on when somebody
 * watches and gets every unit on the main thread. Newest frame wins: a frame
 * is only asked for when a slot is free, so damage waits in the compositor
 * and latency never grows.
 */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "deskd/desktop.h"
#include "link/link.h"
#include "proto/h264.h"
#include "proto/stream.h"

struct ph_source;

/* An access unit and what a viewer must know of it. Reference counted, never
 * changed after it was made. */
struct ph_unit {
    gatomicrefcount refs;
    uint32_t sequence;
    bool keyframe;
    bool repeat;
    uint32_t width; /* of the picture */
    uint32_t height;
    char codec[PH_H264_CODEC_TEXT]; /* "avc1.42E02A", of the newest SPS */
    int64_t captured_ns;
    int64_t received_ns; /* from the link: what follows is QUEUE */
    uint32_t stage_us[PH_STREAM_STAGES]; /* QUEUE is 0 here */
    size_t size;
    uint8_t data[]; /* Annex B */
};

struct ph_unit *ph_unit_ref(struct ph_unit *unit);
void ph_unit_unref(struct ph_unit *unit);
/* One with nothing in it but room for size bytes; its maker fills it. */
struct ph_unit *ph_unit_create(size_t size);

/* The pointer, where it is not in the picture. */
struct ph_source_cursor {
    bool visible;
    int32_t x; /* of the hotspot, in pixels of the picture */
    int32_t y;
    uint32_t serial; /* of the shape, from 1 on */
    uint16_t width;
    uint16_t height;
    uint16_t hot_x;
    uint16_t hot_y;
    struct ph_unit *shape; /* RGBA, premultiplied */
};

struct ph_source_events { /* all on the main thread */
    void (*unit)(void *data, struct ph_unit *unit);
    void (*status)(void *data, enum ph_stream_status status, const char *text);
    /* The newest one: what was before it may be left out. */
    void (*cursor)(void *data, const struct ph_source_cursor *cursor);
};

struct ph_source_options {
    struct ph_desktop *desktop; /* outlives the source */
    uint32_t max_fps; /* 0: as the desktop gives */
    struct ph_link_options link; /* window 0: 2 */
};

/* Connects to the desktop; NULL when it is not there: error[size] says why
 * and what to do. Later on it connects again by itself. What options point to
 * is copied, but for link.connect_data, which must outlive the source. */
struct ph_source *ph_source_create(const struct ph_source_options *options,
        const struct ph_source_events *events, void *data, char *error,
        size_t size);
/* Not inside an event. No event comes afterwards. */
void ph_source_destroy(struct ph_source *source);

/* Off: no capture, no encode, no byte to the host. On: the next unit is a
 * keyframe of the whole screen. */
void ph_source_set_active(struct ph_source *source, bool active);
/* One for all who wait; asking again before it came changes nothing. */
void ph_source_request_keyframe(struct ph_source *source);
/* A steady rate (REPEAT) while nothing changes; 0: units on change only. */
void ph_source_set_steady_fps(struct ph_source *source, uint32_t fps);

/* Whether the desktop can be asked to be of another size; asks it (pixels,
 * and 1/120). The newest wish counts. */
bool ph_source_can_resize(const struct ph_source *source);
void ph_source_resize(struct ph_source *source, uint32_t width, uint32_t height,
        uint32_t scale);

/* bit/s, at most, from the next frame on. */
void ph_source_set_bitrate(struct ph_source *source, uint32_t bitrate);

struct ph_source_stats {
    uint64_t frames; /* captured */
    uint64_t units; /* received */
    uint64_t pixels_converted; /* of all frames */
    uint64_t repeats;
};
void ph_source_get_stats(struct ph_source *source, struct ph_source_stats *out);
