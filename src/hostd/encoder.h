/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An encoder: one frame in, its access unit out, before the next frame is
 * given. An encoder belongs to one thread at a time. Backends are rows of the
 * table in encoder_table.c; a backend that keeps frame N until frame N + 1 is
 * refused by the probe there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/hxfr_ext.h"
#include "video/pixels.h"
#include "video/region.h"

struct ph_encoder;

struct ph_encoder_config {
    uint32_t width; /* both even */
    uint32_t height;
    uint32_t bitrate; /* bit/s, the most over a second */
    uint32_t fps; /* a hint: frames come when they come */
    uint8_t profile; /* not above this: 66, 77, 100; 0: as it likes */
    struct ph_hxfr_colour colour; /* signalled; none of it unspecified */
};

struct ph_encoder_input {
    const struct ph_nv12 *picture; /* as the config says; read only */
    bool keyframe; /* must be an IDR with SPS and PPS */
    /* What changed since the last picture that gave an access unit; NULL:
     * unknown. */
    const struct ph_region *changed;
    /* It stands still: make it finer, step 1 to PH_ENCODER_STEPS. 0: as quick
     * as can be. */
    int refine;
};

enum {
    PH_ENCODER_STEPS = 3
};

/* Annex B; valid until the next call. */
struct ph_encoder_output {
    const uint8_t *data;
    size_t size;
    bool keyframe;
    bool fine; /* a further step of refinement would gain nothing */
};

enum ph_encoder_result {
    PH_ENCODER_OK,
    PH_ENCODER_HELD, /* no access unit for this frame (yet) */
    PH_ENCODER_FAILED,
};

enum ph_encoder_change {
    PH_ENCODER_LIVE, /* counts from the next picture on */
    PH_ENCODER_REOPEN, /* close and open again; that gives a keyframe */
};

/* A row of the table. */
struct ph_encoder_ops {
    const char *name;
    const char *what; /* for people: "H.264 by libx264" */
    const char *codec; /* the backend's own name for it */
    const char *options; /* for the backend: "name=value:name=value" */
    const char *device; /* whose memory pictures must be in; NULL: any */
    bool hardware; /* drivers differ: the probe decodes what it makes */
    bool refines; /* does what ph_encoder_input.refine says */
    uint32_t least; /* pixels of a side that it takes; smaller ones: extended */
    /* NULL: error[size] says why. */
    struct ph_encoder *(*open)(const struct ph_encoder_ops *row,
            const struct ph_encoder_config *config, char *error, size_t size);
    enum ph_encoder_result (*encode)(struct ph_encoder *encoder,
            const struct ph_encoder_input *in, struct ph_encoder_output *out);
    /* Bit rate, fps or profile are others; size and colour are not. */
    enum ph_encoder_change (*reconfigure)(
            struct ph_encoder *encoder, const struct ph_encoder_config *config);
    void (*close)(struct ph_encoder *encoder);
};

/* First member of every implementation. */
struct ph_encoder {
    const struct ph_encoder_ops *ops;
};

/* H.264 level 5.2 has 36864 macroblocks a frame, level 6.2 has 139264: the
 * largest frame that any level allows (ITU-T H.264, table A-1). */
#define PH_ENCODER_MAX_MACROBLOCKS 139264

/* The backends of this build, best first. */
extern const struct ph_encoder_ops *const ph_encoder_table[];
extern const size_t ph_encoder_table_size;

extern const struct ph_encoder_ops ph_encoder_nvenc;
extern const struct ph_encoder_ops ph_encoder_vaapi;
extern const struct ph_encoder_ops ph_encoder_qsv;
extern const struct ph_encoder_ops ph_encoder_libx264;
extern const struct ph_encoder_ops ph_encoder_x264; /* with PH_HAVE_X264 */
extern const struct ph_encoder_ops ph_encoder_openh264; /* PH_HAVE_OPENH264 */

/* Whether a backend works here: one frame must give its access unit before a
 * second is sent; a forced keyframe must be one; and what hardware makes must
 * be the picture that it got. False: why[size]. */
bool ph_encoder_probe(const struct ph_encoder_ops *ops, char *why, size_t size);

/* The backend of this name, or for "auto" the first of the table that passes
 * its probe; refusals are logged. NULL: error[size]. */
const struct ph_encoder_ops *ph_encoder_pick(
        const struct ph_encoder_ops *const *table, size_t count,
        const char *name, char *error, size_t size);
