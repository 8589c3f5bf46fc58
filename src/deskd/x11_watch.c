/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_watch.h"

#include <stdlib.h>

struct watch {
    GSource source;
    xcb_connection_t *conn;
    const struct ph_x11_watch_events *events;
    void *data;
    gpointer tag;
    xcb_generic_event_t *next; /* taken out to see whether there is one */
};

static gboolean prepare(GSource *source, gint *timeout)
{
    struct watch *w = (struct watch *)source;
    *timeout = -1;
    if (!w->next) {
        w->next = xcb_poll_for_queued_event(w->conn);
    }
    return w->next || xcb_connection_has_error(w->conn);
}

static gboolean check(GSource *source)
{
    struct watch *w = (struct watch *)source;
    return w->next || g_source_query_unix_fd(source, w->tag) ||
            xcb_connection_has_error(w->conn);
}

static gboolean dispatch(GSource *source, GSourceFunc callback, gpointer data)
{
    struct watch *w = (struct watch *)source;
    while (w->next || (w->next = xcb_poll_for_event(w->conn))) {
        xcb_generic_event_t *event = w->next;
        w->next = NULL;
        w->events->event(w->data, event);
        free(event);
        if (g_source_is_destroyed(source)) {
            return G_SOURCE_REMOVE;
        }
    }
    if (w->events->came) {
        w->events->came(w->data);
    }
    if (!xcb_connection_has_error(w->conn)) {
        return G_SOURCE_CONTINUE;
    }
    w->events->lost(w->data);
    return G_SOURCE_REMOVE;
}

static void finalize(GSource *source)
{
    free(((struct watch *)source)->next);
}

guint ph_x11_watch(
        struct ph_x11 *x, const struct ph_x11_watch_events *events, void *data)
{
    static GSourceFuncs functions = {
            .prepare = prepare,
            .check = check,
            .dispatch = dispatch,
            .finalize = finalize,
    };
    GSource *source = g_source_new(&functions, sizeof(struct watch));
    struct watch *w = (struct watch *)source;
    w->conn = x->conn;
    w->events = events;
    w->data = data;
    w->tag = g_source_add_unix_fd(source, xcb_get_file_descriptor(x->conn),
            G_IO_IN | G_IO_HUP | G_IO_ERR);
    guint id = g_source_attach(source, NULL);
    g_source_unref(source);
    return id;
}
