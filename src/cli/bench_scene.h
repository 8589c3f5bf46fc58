/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures that look like a desktop, drawn by the benchmark itself: the same
 * ones on every machine. A scene holds the picture as a compositor would and
 * paints one step after the other into it. Plain memory, one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "proto/hxfr_ext.h"

enum {
    PH_SCENE_LINE = 17, /* pixels: an odd height on purpose */
    PH_SCENE_CELL = 9, /* width of a character */
    PH_SCENE_MIN_WIDTH = 320,
    PH_SCENE_MIN_HEIGHT = 240,
};

struct ph_scene;

struct ph_scene_kind {
    const char *name;
    /* Paints the n-th step (n > 0). *damage: the box that a compositor would
     * name, empty when nothing changed. False: the end, or errno. */
    bool (*step)(struct ph_scene *scene, uint32_t n, struct ph_rect *damage);
};

struct ph_scene {
    const struct ph_scene_kind *kind;
    uint32_t width; /* both even */
    uint32_t height;
    uint8_t *pixels; /* PH_HXFR_BGRA, rows without padding */
    uint8_t *base; /* drag: what is behind the window */
    struct ph_rect window; /* scroll, video: the area; drag: where it is */
    uint32_t random;
    uint32_t line; /* number of the next line of text */
    FILE *file;
};

/* content: static, typing, scroll, drag, video, or a file of raw BGRx
 * pictures of this size. NULL: error[size] says why. */
struct ph_scene *ph_scene_create(const char *content, uint32_t width,
        uint32_t height, char *error, size_t size);
void ph_scene_destroy(struct ph_scene *scene);
static inline bool ph_scene_step(
        struct ph_scene *scene, uint32_t n, struct ph_rect *damage)
{
    return scene->kind->step(scene, n, damage);
}

/* bench_font.c: draws text whose letters are A-Z and 0-9, others are blank,
 * clipped to the box. */
void ph_scene_text(struct ph_scene *scene, const struct ph_rect *box,
        uint32_t x, uint32_t y, const char *text, size_t len, uint32_t ink,
        uint32_t paper);
void ph_scene_fill(
        struct ph_scene *scene, const struct ph_rect *box, uint32_t colour);
