/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The clipboard of a wlroots compositor by wlr-data-control. Contents travel
 * through pipes that never block us: what is read is read as it comes, and
 * what is pasted is written as it is taken, each for a bounded time. When the
 * compositor went away it is looked for again every second.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#define LOG_MODULE "clipboard"
#include "common/log.h"
#include "deskd/clip.h"
#include "deskd/clipboard.h"
#include "deskd/wayland.h"

enum {
    MAX_TYPES = 64,
    READ_SECONDS = 10, /* for a program to hand over what it copied */
    CHUNK = 65536,
    /* For the compositor to know what can be pasted before a key says paste,
     * which goes another way. */
    OFFER_MS = 200,
    RECONNECT_SECONDS = 1,
    RETRY_MS = 200, /* to find it again; the main loop stands meanwhile */
};

struct wlr {
    struct ph_clipboard base;
    char *display;
    struct ph_wayland wayland;
    struct zwlr_data_control_device_v1 *device;
    guint watch;
    guint retry;

    struct zwlr_data_control_offer_v1 *incoming; /* types are being told */
    GPtrArray *types; /* of it */
    struct zwlr_data_control_offer_v1 *offer; /* what can be pasted */

    struct zwlr_data_control_source_v1 *source; /* ours, NULL: none */
    bool ours; /* the next selection is our own source */
    GBytes *content;
    GList *transfers; /* struct transfer */
};

/* A pipe: contents on their way in (done is set) or out. */
struct transfer {
    struct wlr *clipboard;
    int fd;
    guint watch;
    guint timer;
    GByteArray *in;
    char *type;
    size_t most;
    ph_clipboard_read_done *done;
    void *user;
    GBytes *out;
    size_t pos;
};

static void end_transfer(struct transfer *t, const char *reason)
{
    t->clipboard->transfers = g_list_remove(t->clipboard->transfers, t);
    if (t->done) {
        bool ok = !reason;
        t->done(t->user, t->type, ok ? t->in->data : NULL, ok ? t->in->len : 0,
                reason);
        g_byte_array_unref(t->in);
    }
    if (t->watch) {
        g_source_remove(t->watch);
    }
    if (t->timer) {
        g_source_remove(t->timer);
    }
    g_clear_pointer(&t->out, g_bytes_unref);
    close(t->fd);
    g_free(t->type);
    g_free(t);
}

static gboolean on_late(gpointer data)
{
    struct transfer *t = data;
    t->timer = 0;
    end_transfer(t, "the program that copied it does not hand it over");
    return G_SOURCE_REMOVE;
}

static struct transfer *add_transfer(struct wlr *w, int fd)
{
    struct transfer *t = g_new0(struct transfer, 1);
    t->clipboard = w;
    t->fd = fd;
    t->timer = g_timeout_add_seconds(READ_SECONDS, on_late, t);
    w->transfers = g_list_prepend(w->transfers, t);
    return t;
}

/* --- what was copied on the desktop --- */

static gboolean on_readable_pipe(gint fd, GIOCondition condition, gpointer data)
{
    struct transfer *t = data;
    uint8_t chunk[CHUNK];
    ssize_t n = read(fd, chunk, sizeof(chunk));
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    if (n > 0 && (size_t)n <= t->most - t->in->len) {
        g_byte_array_append(t->in, chunk, (guint)n);
        return G_SOURCE_CONTINUE;
    }
    t->watch = 0;
    end_transfer(t,
            n > 0           ? "it is too large"
                    : n < 0 ? "it cannot be read"
                            : NULL);
    return G_SOURCE_REMOVE;
}

static void read_clipboard(struct ph_clipboard *clipboard, const char *type,
        size_t most, ph_clipboard_read_done *done, void *user)
{
    struct wlr *w = (struct wlr *)clipboard;
    int fds[2];
    if (!w->offer || !g_unix_open_pipe(fds, FD_CLOEXEC, NULL)) {
        done(user, type, NULL, 0, "there is nothing to paste");
        return;
    }
    g_unix_set_fd_nonblocking(fds[0], TRUE, NULL);
    zwlr_data_control_offer_v1_receive(w->offer, type, fds[1]);
    wl_display_flush(w->wayland.display);
    close(fds[1]);
    struct transfer *t = add_transfer(w, fds[0]);
    t->in = g_byte_array_new();
    t->type = g_strdup(type);
    t->most = most;
    t->done = done;
    t->user = user;
    t->watch = g_unix_fd_add(
            fds[0], G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable_pipe, t);
}

static void handle_type(
        void *data, struct zwlr_data_control_offer_v1 *offer, const char *type)
{
    struct wlr *w = data;
    if (offer == w->incoming && w->types->len < MAX_TYPES) {
        g_ptr_array_add(w->types, g_strdup(type));
    }
}

static const struct zwlr_data_control_offer_v1_listener offer_listener = {
        .offer = handle_type,
};

static void drop_offer(struct zwlr_data_control_offer_v1 **offer)
{
    if (*offer) {
        zwlr_data_control_offer_v1_destroy(*offer);
        *offer = NULL;
    }
}

static void handle_data_offer(void *data,
        struct zwlr_data_control_device_v1 *device,
        struct zwlr_data_control_offer_v1 *offer)
{
    struct wlr *w = data;
    drop_offer(&w->incoming);
    g_ptr_array_set_size(w->types, 0);
    w->incoming = offer;
    zwlr_data_control_offer_v1_add_listener(offer, &offer_listener, w);
}

static void handle_selection(void *data,
        struct zwlr_data_control_device_v1 *device,
        struct zwlr_data_control_offer_v1 *offer)
{
    struct wlr *w = data;
    drop_offer(&w->offer);
    if (offer && offer == w->incoming) {
        w->offer = offer;
        w->incoming = NULL;
    }
    if (w->ours && w->source) { /* what we have just set ourselves */
        w->ours = false;
        return;
    }
    w->base.events->changed(w->base.data, (const char *const *)w->types->pdata,
            w->offer ? w->types->len : 0);
}

static void handle_finished(
        void *data, struct zwlr_data_control_device_v1 *device)
{
    struct wlr *w = data;
    zwlr_data_control_device_v1_destroy(device);
    w->device = NULL;
}

/* Of version 2, which is not bound. */
static void handle_primary(void *data,
        struct zwlr_data_control_device_v1 *device,
        struct zwlr_data_control_offer_v1 *offer)
{
}

static const struct zwlr_data_control_device_v1_listener device_listener = {
        .data_offer = handle_data_offer,
        .selection = handle_selection,
        .finished = handle_finished,
        .primary_selection = handle_primary,
};

/* --- what a viewer copied --- */

static gboolean on_writable_pipe(gint fd, GIOCondition condition, gpointer data)
{
    struct transfer *t = data;
    size_t size = 0;
    const uint8_t *content = g_bytes_get_data(t->out, &size);
    ssize_t n = write(fd, content + t->pos, size - t->pos);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
        return G_SOURCE_CONTINUE;
    }
    t->pos += n > 0 ? (size_t)n : 0;
    if (n > 0 && t->pos < size) {
        return G_SOURCE_CONTINUE;
    }
    t->watch = 0;
    end_transfer(t, NULL);
    return G_SOURCE_REMOVE;
}

static void handle_send(void *data, struct zwlr_data_control_source_v1 *source,
        const char *type, int fd)
{
    struct wlr *w = data;
    if (source != w->source) {
        close(fd);
        return;
    }
    g_unix_set_fd_nonblocking(fd, TRUE, NULL);
    struct transfer *t = add_transfer(w, fd);
    t->out = g_bytes_ref(w->content);
    t->watch = g_unix_fd_add(
            fd, G_IO_OUT | G_IO_HUP | G_IO_ERR, on_writable_pipe, t);
}

static void handle_cancelled(
        void *data, struct zwlr_data_control_source_v1 *source)
{
    struct wlr *w = data;
    if (source == w->source) {
        w->source = NULL;
        w->ours = false;
    }
    zwlr_data_control_source_v1_destroy(source);
}

static const struct zwlr_data_control_source_v1_listener source_listener = {
        .send = handle_send,
        .cancelled = handle_cancelled,
};

static void offer_clipboard(struct ph_clipboard *clipboard, const char *type,
        const uint8_t *data, size_t size)
{
    static const char *const texts[] = {
            "text/plain", "UTF8_STRING", "STRING", "TEXT"};
    struct wlr *w = (struct wlr *)clipboard;
    if (!w->device) {
        return;
    }
    g_clear_pointer(&w->content, g_bytes_unref);
    w->content = g_bytes_new(data, size);
    /* The one before is destroyed when the compositor cancels it. */
    w->source = zwlr_data_control_manager_v1_create_data_source(
            w->wayland.data_control);
    zwlr_data_control_source_v1_add_listener(w->source, &source_listener, w);
    zwlr_data_control_source_v1_offer(w->source, type);
    for (size_t i = 0; strcmp(type, PH_CLIP_TEXT) == 0 && i < PH_LEN(texts);
            i++) {
        zwlr_data_control_source_v1_offer(w->source, texts[i]);
    }
    w->ours = true;
    zwlr_data_control_device_v1_set_selection(w->device, w->source);
    ph_wayland_roundtrip(&w->wayland, ph_deadline_ms(OFFER_MS));
}

/* --- the connection --- */

static gboolean on_retry(gpointer data);

static void disconnect(struct wlr *w)
{
    g_autoptr(GList) transfers = g_list_copy(w->transfers);
    for (GList *l = transfers; l; l = l->next) {
        end_transfer(l->data, "the desktop went away");
    }
    if (w->watch) {
        g_source_remove(w->watch);
        w->watch = 0;
    }
    drop_offer(&w->incoming);
    drop_offer(&w->offer);
    if (w->source) {
        zwlr_data_control_source_v1_destroy(w->source);
        w->source = NULL;
    }
    if (w->device) {
        zwlr_data_control_device_v1_destroy(w->device);
        w->device = NULL;
    }
    ph_wayland_finish(&w->wayland);
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    struct wlr *w = data;
    if (ph_wayland_dispatch(&w->wayland)) {
        return G_SOURCE_CONTINUE;
    }
    w->watch = 0;
    disconnect(w);
    w->retry = g_timeout_add_seconds(RECONNECT_SECONDS, on_retry, w);
    return G_SOURCE_REMOVE;
}

static bool connect_wlr(
        struct wlr *w, int64_t deadline_ns, char *error, size_t size)
{
    if (!ph_wayland_connect(
                &w->wayland, w->display, deadline_ns, error, size)) {
        return false;
    }
    if (!w->wayland.data_control || !w->wayland.seat) {
        snprintf(error, size,
                "the Wayland compositor does not offer wlr-data-control");
        ph_wayland_finish(&w->wayland);
        return false;
    }
    w->device = zwlr_data_control_manager_v1_get_data_device(
            w->wayland.data_control, w->wayland.seat);
    zwlr_data_control_device_v1_add_listener(w->device, &device_listener, w);
    wl_display_flush(w->wayland.display);
    w->watch = g_unix_fd_add(wl_display_get_fd(w->wayland.display),
            G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, w);
    return true;
}

static gboolean on_retry(gpointer data)
{
    struct wlr *w = data;
    char error[256];
    if (!connect_wlr(w, ph_deadline_ms(RETRY_MS), error, sizeof(error))) {
        return G_SOURCE_CONTINUE;
    }
    w->retry = 0;
    return G_SOURCE_REMOVE;
}

static void destroy(struct ph_clipboard *clipboard)
{
    struct wlr *w = (struct wlr *)clipboard;
    disconnect(w);
    if (w->retry) {
        g_source_remove(w->retry);
    }
    g_clear_pointer(&w->content, g_bytes_unref);
    g_ptr_array_unref(w->types);
    g_free(w->display);
    g_free(w);
}

struct ph_clipboard *ph_clipboard_wlr_create(const char *display,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size)
{
    static const struct ph_clipboard_ops ops = {
            .name = "wlr",
            .read = read_clipboard,
            .offer = offer_clipboard,
            .destroy = destroy,
    };
    struct wlr *w = g_new0(struct wlr, 1);
    w->base = (struct ph_clipboard){&ops, events, data};
    w->display = g_strdup(display);
    w->types = g_ptr_array_new_with_free_func(g_free);
    if (!connect_wlr(w, ph_deadline_ms(PH_WAYLAND_PATIENCE_MS), error, size)) {
        destroy(&w->base);
        return NULL;
    }
    return &w->base;
}
