/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "deskd/mutter_clipboard.h"

#define PATIENCE_FIRST_NS (4 * PH_NS_PER_S)
#define PATIENCE_MOST_NS (60 * PH_NS_PER_S)

struct ph_mutter {
    struct ph_desktop base;
    const struct ph_desktop_options *options;
    struct ph_mutter_wish wish;
    int64_t patience_ns; /* the capture's thread */
    struct ph_mutter_size size; /* likewise */
    atomic_bool watched;
    pthread_mutex_t lock;
    struct ph_mutter_session *session; /* under lock */
    GSource *telling; /* under lock; NULL: nothing to tell */
    struct ph_mutter_clipboard *clipboard; /* main thread */
    GSList *watches; /* struct ph_mutter_watch; main thread */
};

static struct ph_mutter *from_base(struct ph_desktop *desktop)
{
    return PH_CONTAINER(desktop, struct ph_mutter, base);
}

struct ph_mutter_session *ph_mutter_take(struct ph_mutter *m)
{
    pthread_mutex_lock(&m->lock);
    struct ph_mutter_session *s =
            m->session ? ph_mutter_session_ref(m->session) : NULL;
    pthread_mutex_unlock(&m->lock);
    return s;
}

static gboolean tell(gpointer data)
{
    struct ph_mutter *m = data;
    pthread_mutex_lock(&m->lock);
    g_clear_pointer(&m->telling, g_source_unref);
    pthread_mutex_unlock(&m->lock);
    struct ph_mutter_session *s = ph_mutter_take(m);
    ph_mutter_clipboard_follow(m->clipboard, s);
    for (GSList *l = m->watches; l; l = l->next) {
        struct ph_mutter_watch *watch = l->data;
        watch->changed(watch->data, s);
    }
    ph_mutter_session_unref(s);
    return G_SOURCE_REMOVE;
}

/* Takes the reference. */
static void publish(struct ph_mutter *m, struct ph_mutter_session *s)
{
    pthread_mutex_lock(&m->lock);
    struct ph_mutter_session *before = m->session;
    m->session = s;
    if (!m->telling) {
        m->telling = g_idle_source_new();
        g_source_set_priority(m->telling, G_PRIORITY_DEFAULT);
        g_source_set_callback(m->telling, tell, m, NULL);
        g_source_attach(m->telling, NULL);
    }
    pthread_mutex_unlock(&m->lock);
    ph_mutter_session_unref(before);
}

struct ph_mutter_session *ph_mutter_renew(
        struct ph_mutter *m, char *error, size_t size)
{
    struct ph_mutter_session *s = ph_mutter_session_open(&m->wish, error, size);
    if (s) {
        publish(m, ph_mutter_session_ref(s));
    }
    return s;
}

void ph_mutter_end(struct ph_mutter *m, struct ph_mutter_session *session)
{
    pthread_mutex_lock(&m->lock);
    bool newest = m->session == session;
    pthread_mutex_unlock(&m->lock);
    if (newest) {
        publish(m, NULL);
    }
    ph_mutter_session_close(session);
}

void ph_mutter_watch(struct ph_mutter *m, struct ph_mutter_watch *watch)
{
    m->watches = g_slist_append(m->watches, watch);
}

void ph_mutter_unwatch(struct ph_mutter *m, struct ph_mutter_watch *watch)
{
    m->watches = g_slist_remove(m->watches, watch);
}

int64_t ph_mutter_patience_ns(struct ph_mutter *m)
{
    int64_t patience = m->patience_ns;
    m->patience_ns = PH_MIN(patience * 2, PATIENCE_MOST_NS);
    return patience;
}

void ph_mutter_note_picture(struct ph_mutter *m)
{
    m->patience_ns = PATIENCE_FIRST_NS;
}

void ph_mutter_set_watched(struct ph_mutter *m, bool watched)
{
    atomic_store(&m->watched, watched);
}

bool ph_mutter_is_watched(const struct ph_mutter *m)
{
    return atomic_load(&m->watched);
}

struct ph_mutter_size *ph_mutter_size(struct ph_mutter *m)
{
    return &m->size;
}

const struct ph_desktop_options *ph_mutter_options(const struct ph_mutter *m)
{
    return m->options;
}

bool ph_mutter_is_virtual(const struct ph_mutter *m)
{
    return m->wish.is_virtual;
}

struct ph_mutter_clipboard *ph_mutter_clipboard_of(struct ph_mutter *m)
{
    return m->clipboard;
}

static struct ph_desktop *open_mutter(
        const struct ph_desktop_options *options, char *error, size_t size)
{
    const char *colon = strchr(options->capture, ':');
    const char *source = colon ? colon + 1 : "monitor";
    bool is_virtual = !strcmp(source, "virtual");
    if (!is_virtual && strcmp(source, "monitor") != 0) {
        snprintf(error, size,
                "--capture: mutter:monitor or mutter:virtual, not '%s'",
                options->capture);
        return NULL;
    }
    struct ph_mutter *m = g_new0(struct ph_mutter, 1);
    m->base.ops = &ph_desktop_mutter;
    m->options = options;
    m->size = (struct ph_mutter_size){options->width, options->height};
    m->wish.is_virtual = is_virtual;
    m->wish.monitor = options->output;
    m->wish.embed_cursor = options->cursor == PH_DESKTOP_CURSOR_EMBEDDED;
    m->clipboard = ph_mutter_clipboard_create();
    m->patience_ns = PATIENCE_FIRST_NS;
    pthread_mutex_init(&m->lock, NULL);
    return &m->base;
}

static struct ph_capture *capture(struct ph_desktop *desktop,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    return ph_capture_mutter_create(
            from_base(desktop), events, data, error, size);
}

static struct ph_input *input(
        struct ph_desktop *desktop, char *error, size_t size)
{
    return ph_input_mutter_create(from_base(desktop));
}

static struct ph_clipboard *clipboard(struct ph_desktop *desktop,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size)
{
    return ph_clipboard_mutter_create(from_base(desktop), events, data);
}

static void close_mutter(struct ph_desktop *desktop)
{
    struct ph_mutter *m = from_base(desktop);
    if (m->telling) {
        g_source_destroy(m->telling);
        g_source_unref(m->telling);
    }
    ph_mutter_clipboard_destroy(m->clipboard);
    ph_mutter_session_unref(m->session);
    g_slist_free(m->watches);
    pthread_mutex_destroy(&m->lock);
    g_free(m);
}

const struct ph_desktop_ops ph_desktop_mutter = {
        .name = "mutter",
        .what = "GNOME Shell or another Mutter",
        .steps_pointer = true,
        .open = open_mutter,
        .capture = capture,
        .input = input,
        .clipboard = clipboard,
        .close = close_mutter,
};
