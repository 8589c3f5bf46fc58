/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/bench_feed.h"

#include <stdlib.h>
#include <time.h>

#include "common/alloc.h"
#include "common/clock.h"
#include "video/damage.h"

static int64_t thread_cpu_ns(void)
{
    struct timespec t = {0};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * PH_NS_PER_S + t.tv_nsec;
}

static struct ph_rgb picture_of(const struct ph_scene *s)
{
    return (struct ph_rgb){
            s->pixels, s->width * 4, s->width, s->height, PH_HXFR_BGRA};
}

static bool paint(struct ph_bench_feed *f, struct ph_rect *damage)
{
    struct ph_scene *s = f->scene;
    int64_t begin = thread_cpu_ns();
    /* A compositor with two buffers brings the older one up to date. */
    struct ph_rgb now = picture_of(s);
    for (uint16_t i = 0; i < f->changed.count; i++) {
        ph_pixels_copy_rgb(&now, f->before, s->width * 4, f->changed.rects[i]);
    }
    bool ok = ph_scene_step(s, ++f->step, damage);
    f->paint_ns += thread_cpu_ns() - begin;
    return ok;
}

static bool capture(struct ph_bench_feed *f)
{
    const struct ph_scene *s = f->scene;
    struct ph_rect damage;
    if (!paint(f, &damage)) {
        return false;
    }
    struct ph_damage_pictures pictures = {f->before, s->pixels, s->width * 4,
            (uint16_t)s->width, (uint16_t)s->height};
    ph_region_clear(&f->changed);
    ph_damage_compare(&pictures, damage, &f->changed);
    ph_region_align(&f->changed, (uint16_t)s->width, (uint16_t)s->height);
    return true;
}

static struct ph_nv12 prepared_frame(const struct ph_bench_feed *f, uint32_t i)
{
    uint32_t w = f->scene->width;
    uint32_t h = f->scene->height;
    uint8_t *luma = f->frames + (size_t)w * h / 2 * 3 * i;
    return (struct ph_nv12){{luma, luma + (size_t)w * h}, {w, w}, w, h};
}

static bool prepare(struct ph_bench_feed *f)
{
    const struct ph_scene *s = f->scene;
    struct ph_region all = {.count = 0};
    f->frames =
            malloc((size_t)s->width * s->height / 2 * 3 * PH_BENCH_PREPARED);
    if (!f->frames) {
        return false;
    }
    ph_region_set(&all, (uint16_t)s->width, (uint16_t)s->height);
    for (uint32_t i = 0; i < PH_BENCH_PREPARED; i++) {
        if (i > 0 && !capture(f)) {
            return false;
        }
        struct ph_nv12 to = prepared_frame(f, i);
        ph_bench_feed_draw(f, &all, &to);
        f->changes[i] = f->changed;
    }
    f->prepared = true;
    f->step = 0;
    return true;
}

bool ph_bench_feed_init(struct ph_bench_feed *f, const char *content,
        uint32_t width, uint32_t height, bool prepared, char *error,
        size_t size)
{
    *f = (struct ph_bench_feed){0};
    f->scene = ph_scene_create(content, width, height, error, size);
    if (!f->scene) {
        return false;
    }
    f->before = ph_xmalloc((size_t)width * height * 4);
    ph_region_set(&f->changed, (uint16_t)width, (uint16_t)height);
    struct ph_rgb now = picture_of(f->scene);
    ph_pixels_copy_rgb(&now, f->before, width * 4, f->changed.rects[0]);
    ph_region_clear(&f->changed);
    if (prepared && !prepare(f)) {
        snprintf(error, size, "no memory to prepare %d frames of %ux%u",
                PH_BENCH_PREPARED, width, height);
        ph_bench_feed_finish(f);
        return false;
    }
    return true;
}

void ph_bench_feed_finish(struct ph_bench_feed *f)
{
    ph_scene_destroy(f->scene);
    free(f->before);
    free(f->frames);
    *f = (struct ph_bench_feed){0};
}

/* Forward and back: 0, 1, ... last, last - 1, ... 1, 0, 1 ... */
static void show_prepared(struct ph_bench_feed *f)
{
    enum {
        LAST = PH_BENCH_PREPARED - 1
    };
    uint32_t was = f->at;
    uint32_t n = ++f->step % (2 * LAST);
    f->at = n <= LAST ? n : 2 * LAST - n;
    f->changed = f->changes[f->at > was ? f->at : was];
}

bool ph_bench_feed_next(struct ph_bench_feed *f)
{
    if (f->prepared) {
        show_prepared(f);
        return true;
    }
    return capture(f);
}

void ph_bench_feed_draw(const struct ph_bench_feed *f,
        const struct ph_region *region, const struct ph_nv12 *to)
{
    struct ph_rgb now = picture_of(f->scene);
    for (uint16_t i = 0; i < region->count; i++) {
        if (f->prepared) {
            struct ph_nv12 from = prepared_frame(f, f->at);
            ph_pixels_copy_nv12(&from, to, region->rects[i]);
        } else {
            ph_pixels_to_nv12(&now, to, region->rects[i]);
        }
    }
}
