/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/source.h"

#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/macros.h"
#define LOG_MODULE "source"
#include "common/log.h"
#include "deskd/source_private.h"

#define DEFAULT_WINDOW 3 /* of which the link uses what the way needs */

struct ph_unit *ph_unit_ref(struct ph_unit *unit)
{
    g_atomic_ref_count_inc(&unit->refs);
    return unit;
}

void ph_unit_unref(struct ph_unit *unit)
{
    if (unit && g_atomic_ref_count_dec(&unit->refs)) {
        g_free(unit);
    }
}

struct ph_unit *ph_unit_create(size_t size)
{
    struct ph_unit *unit = g_malloc(sizeof(*unit) + size);
    memset(unit, 0, sizeof(*unit));
    g_atomic_ref_count_init(&unit->refs);
    unit->size = size;
    return unit;
}

void ph_source_wake(struct ph_source *source)
{
    eventfd_write(source->wake, 1);
}

static void free_item(struct ph_source_item *item)
{
    ph_unit_unref(item->unit);
    g_free(item);
}

/* --- to the main thread: one wake for each item --- */

struct delivery {
    GSource base;
    struct ph_source *source;
};

void ph_source_post(struct ph_source *source, struct ph_source_item *item)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    g_queue_push_tail(&sh->items, item);
    sh->queued += item->unit != NULL;
    pthread_mutex_unlock(&sh->lock);
    g_source_set_ready_time(source->delivery, 0);
}

static struct ph_source_item *take_item(struct ph_source *source)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    struct ph_source_item *item = g_queue_pop_head(&sh->items);
    sh->queued -= item && item->unit;
    bool wake = sh->blocked && sh->queued < PH_SOURCE_MAX_QUEUED;
    sh->blocked = sh->blocked && !wake;
    pthread_mutex_unlock(&sh->lock);
    if (wake) {
        ph_source_wake(source);
    }
    return item;
}

/* False: there is nothing new. The shape is the caller's to unref. */
static bool take_cursor(
        struct ph_source *source, struct ph_source_cursor *cursor)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    bool news = sh->cursor_news && sh->cursor.shape;
    sh->cursor_news = false;
    if (news) {
        *cursor = sh->cursor;
        ph_unit_ref(cursor->shape);
    }
    pthread_mutex_unlock(&sh->lock);
    return news;
}

static gboolean deliver(GSource *base, GSourceFunc callback, gpointer data)
{
    struct ph_source *source = ((struct delivery *)base)->source;
    struct ph_source_item *item = NULL;
    g_source_set_ready_time(base, -1);
    while ((item = take_item(source))) {
        if (item->unit) {
            source->events->unit(source->data, item->unit);
        } else {
            source->events->status(source->data, item->status, item->text);
        }
        free_item(item);
    }
    struct ph_source_cursor cursor;
    if (take_cursor(source, &cursor)) {
        source->events->cursor(source->data, &cursor);
        ph_unit_unref(cursor.shape);
    }
    return G_SOURCE_CONTINUE;
}

static void attach_delivery(struct ph_source *source)
{
    static GSourceFuncs funcs = {.dispatch = deliver};
    source->delivery = g_source_new(&funcs, sizeof(struct delivery));
    ((struct delivery *)source->delivery)->source = source;
    g_source_set_static_name(source->delivery, "access units");
    g_source_set_priority(source->delivery, G_PRIORITY_HIGH);
    g_source_attach(source->delivery, NULL);
}

/* --- life --- */

static void copy_options(
        struct ph_source *source, const struct ph_source_options *options)
{
    struct ph_source_options *o = &source->options;
    *o = *options;
    o->link.name = g_strdup(options->link.name);
    o->link.quick = true;
    if (o->link.window == 0) {
        o->link.window = DEFAULT_WINDOW;
    }
}

static void free_options(struct ph_source_options *o)
{
    g_free((char *)o->link.name);
}

static bool start(struct ph_source *source)
{
    source->link = ph_link_create(
            &source->options.link, &ph_source_link_events, source);
    if (!ph_link_start(source->link)) {
        return false;
    }
    source->started = pthread_create(&source->thread, NULL, ph_source_thread,
                              source) == 0;
    return source->started;
}

struct ph_source *ph_source_create(const struct ph_source_options *options,
        const struct ph_source_events *events, void *data, char *error,
        size_t size)
{
    struct ph_source *source = g_new0(struct ph_source, 1);
    source->events = events;
    source->data = data;
    copy_options(source, options);
    pthread_mutex_init(&source->shared.lock, NULL);
    g_queue_init(&source->shared.items);
    source->flow.repeat_due = PH_NEVER;
    source->flow.settle_due = PH_NEVER;
    source->shared.settle_due = PH_NEVER;
    source->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    attach_delivery(source);
    if (!ph_source_open_capture(source, error, size)) {
        goto fail;
    }
    source->can_resize = source->flow.capture->ops->resize;
    if (source->wake < 0 || !start(source)) {
        snprintf(error, size, "cannot start the threads of the source");
        goto fail;
    }
    return source;
fail:
    ph_source_destroy(source);
    return NULL;
}

void ph_source_destroy(struct ph_source *source)
{
    if (!source) {
        return;
    }
    if (source->started) {
        pthread_mutex_lock(&source->shared.lock);
        source->shared.stop = true;
        pthread_mutex_unlock(&source->shared.lock);
        ph_source_wake(source);
        pthread_join(source->thread, NULL);
    }
    ph_link_destroy(source->link);
    if (source->flow.capture) {
        source->flow.capture->ops->destroy(source->flow.capture);
    }
    g_source_destroy(source->delivery);
    g_source_unref(source->delivery);
    g_queue_clear_full(&source->shared.items, (GDestroyNotify)free_item);
    ph_unit_unref(source->shared.cursor.shape);
    pthread_mutex_destroy(&source->shared.lock);
    ph_close(&source->wake);
    free_options(&source->options);
    g_free(source);
}

/* --- what main may say --- */

void ph_source_set_active(struct ph_source *source, bool active)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    bool changed = sh->active != active;
    if (changed) {
        sh->active = active;
        sh->switches++;
        sh->oldest_pts = PH_NEVER; /* till the source thread knows better */
        sh->keyframe_wanted = false;
        sh->keyframe_coming = active; /* the first one is a keyframe */
    }
    pthread_mutex_unlock(&sh->lock);
    if (changed) {
        ph_source_wake(source);
    }
}

void ph_source_request_keyframe(struct ph_source *source)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    bool news = sh->active && !sh->keyframe_coming && !sh->keyframe_wanted;
    sh->keyframe_wanted |= news;
    pthread_mutex_unlock(&sh->lock);
    if (news) {
        ph_source_wake(source);
    }
}

void ph_source_set_steady_fps(struct ph_source *source, uint32_t fps)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    bool changed = sh->steady_fps != fps;
    sh->steady_fps = PH_MIN(fps, (uint32_t)PH_STREAM_MAX_FPS);
    pthread_mutex_unlock(&sh->lock);
    if (changed) {
        ph_source_wake(source);
    }
}

void ph_source_set_bitrate(struct ph_source *source, uint32_t bitrate)
{
    ph_link_set_bitrate(source->link, bitrate);
}

bool ph_source_can_resize(const struct ph_source *source)
{
    return source->can_resize;
}

void ph_source_resize(struct ph_source *source, uint32_t width, uint32_t height,
        uint32_t scale)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    sh->wish[0] = width;
    sh->wish[1] = height;
    sh->wish[2] = scale;
    pthread_mutex_unlock(&sh->lock);
    ph_source_wake(source);
}

void ph_source_get_stats(struct ph_source *source, struct ph_source_stats *out)
{
    out->frames = atomic_load(&source->frames);
    out->units = atomic_load(&source->units);
    out->pixels_converted = atomic_load(&source->pixels_converted);
    out->repeats = atomic_load(&source->repeats);
}
