/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Frames for the benchmark: paints a scene, finds out what changed as a
 * capture does, converts that to NV12. Prepared frames were painted, compared
 * and converted before the measurement: a few, shown forward and back. One
 * thread.
 */
#pragma once

#include "cli/bench_scene.h"
#include "video/pixels.h"
#include "video/region.h"

enum {
    PH_BENCH_PREPARED = 16 /* frames: 50 MB at 1080p */
};

struct ph_bench_feed {
    struct ph_scene *scene;
    uint8_t *before; /* the picture as it was when it was last compared */
    uint32_t step;
    int64_t paint_ns; /* CPU time that painting took, in all */
    struct ph_region changed; /* since the frame before, even */
    bool prepared;
    uint32_t at; /* the prepared frame that is shown */
    uint8_t *frames; /* PH_BENCH_PREPARED in NV12 */
    struct ph_region changes[PH_BENCH_PREPARED]; /* from the one before */
};

/* The size must be even. False: error[size] says why. */
bool ph_bench_feed_init(struct ph_bench_feed *feed, const char *content,
        uint32_t width, uint32_t height, bool prepared, char *error,
        size_t size);
void ph_bench_feed_finish(struct ph_bench_feed *feed);
/* The next frame: fills in `changed`. False: errno. */
bool ph_bench_feed_next(struct ph_bench_feed *feed);
/* Brings these parts of the frame into a picture of its size. */
void ph_bench_feed_draw(const struct ph_bench_feed *feed,
        const struct ph_region *region, const struct ph_nv12 *to);
