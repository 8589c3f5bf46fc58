/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter_read.h"

#include <gio/gunixfdlist.h>
#include <gio/gunixinputstream.h>
#include <glib-unix.h>
#include <string.h>

#include "common/cleanup.h"

enum {
    PIECE = 64 << 10,
    CALL_MS = 10000,
    PATIENCE_S = 10, /* for an application that does not give what it has */
};

/* One that somebody waits for. */
struct job {
    char *type;
    size_t most;
    ph_clipboard_read_done *done;
    void *user;
};

struct ph_mutter_read {
    struct ph_mutter_session *session;
    GQueue jobs; /* struct job; the head is being read */
    struct transfer *transfer; /* of the head; NULL: none runs */
};

/* Outlives its reader when that is destroyed: reader is NULL then. */
struct transfer {
    struct ph_mutter_read *reader;
    GCancellable *cancel;
    GInputStream *in;
    GByteArray *bytes;
    guint timer;
};

static void start(struct ph_mutter_read *r);

int ph_mutter_read_take_fd(GObject *bus, GAsyncResult *result, GError **error)
{
    g_autoptr(GUnixFDList) fds = NULL;
    gint32 index = -1;
    g_autoptr(GVariant) reply = g_dbus_connection_call_with_unix_fd_list_finish(
            G_DBUS_CONNECTION(bus), &fds, result, error);
    if (!reply) {
        return -1;
    }
    if (!fds || !g_variant_is_of_type(reply, G_VARIANT_TYPE("(h)"))) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                "Mutter gave no descriptor");
        return -1;
    }
    g_variant_get(reply, "(h)", &index);
    int fd = g_unix_fd_list_get(fds, index, error);
    /* A pipe that is full, or empty, must not keep us. */
    if (fd >= 0 && !g_unix_set_fd_nonblocking(fd, TRUE, error)) {
        ph_close(&fd);
    }
    return fd;
}

static void free_transfer(struct transfer *t)
{
    if (t->timer) {
        g_source_remove(t->timer);
    }
    g_clear_object(&t->in);
    g_object_unref(t->cancel);
    g_byte_array_unref(t->bytes);
    g_free(t);
}

/* Tells whoever waits for the head; reason NULL: all is read. */
static void finish_head(
        struct ph_mutter_read *r, const GByteArray *bytes, const char *reason)
{
    struct job *job = g_queue_pop_head(&r->jobs);
    static const uint8_t nothing;
    const uint8_t *data = bytes && bytes->data ? bytes->data : &nothing;
    job->done(job->user, job->type, reason ? NULL : data,
            reason || !bytes ? 0 : bytes->len, reason);
    g_free(job->type);
    g_free(job);
}

static void end_transfer(struct transfer *t, const char *reason)
{
    struct ph_mutter_read *r = t->reader;
    if (r) {
        r->transfer = NULL;
        finish_head(r, t->bytes, reason);
        start(r);
    }
    free_transfer(t);
}

static void on_piece(GObject *object, GAsyncResult *result, gpointer data)
{
    struct transfer *t = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GBytes) piece = g_input_stream_read_bytes_finish(
            G_INPUT_STREAM(object), result, &error);
    if (!piece || !t->reader) {
        end_transfer(t, error ? error->message : "");
        return;
    }
    gsize size = 0;
    const struct job *job = g_queue_peek_head(&t->reader->jobs);
    const void *bytes = g_bytes_get_data(piece, &size);
    if (size == 0) {
        end_transfer(t, NULL);
    } else if (t->bytes->len + size > job->most) {
        end_transfer(t, "it is too large for the clipboard's limit");
    } else {
        g_byte_array_append(t->bytes, bytes, (guint)size);
        g_input_stream_read_bytes_async(
                t->in, PIECE, G_PRIORITY_DEFAULT, t->cancel, on_piece, t);
    }
}

static void on_may_read(GObject *object, GAsyncResult *result, gpointer data)
{
    struct transfer *t = data;
    g_autoptr(GError) error = NULL;
    int fd = ph_mutter_read_take_fd(object, result, &error);
    if (fd < 0) {
        end_transfer(t, "the desktop does not give it in this format");
        return;
    }
    t->in = g_unix_input_stream_new(fd, TRUE);
    g_input_stream_read_bytes_async(
            t->in, PIECE, G_PRIORITY_DEFAULT, t->cancel, on_piece, t);
}

static gboolean on_late(gpointer data)
{
    struct transfer *t = data;
    t->timer = 0;
    g_cancellable_cancel(t->cancel);
    return G_SOURCE_REMOVE;
}

static void start(struct ph_mutter_read *r)
{
    struct job *job = g_queue_peek_head(&r->jobs);
    while (job && !r->session) {
        finish_head(r, NULL, "the desktop is away");
        job = g_queue_peek_head(&r->jobs);
    }
    if (!job || r->transfer) {
        return;
    }
    struct transfer *t = g_new0(struct transfer, 1);
    t->reader = r;
    t->cancel = g_cancellable_new();
    t->bytes = g_byte_array_new();
    t->timer = g_timeout_add_seconds(PATIENCE_S, on_late, t);
    r->transfer = t;
    g_dbus_connection_call_with_unix_fd_list(ph_mutter_session_bus(r->session),
            PH_MUTTER_REMOTE, ph_mutter_session_path(r->session),
            PH_MUTTER_REMOTE_SESSION, "SelectionRead",
            g_variant_new("(s)", job->type), NULL,
            G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_MS, NULL, t->cancel,
            on_may_read, t);
}

void ph_mutter_read_end_all(struct ph_mutter_read *r, const char *reason)
{
    if (r->transfer) {
        r->transfer->reader = NULL;
        g_cancellable_cancel(r->transfer->cancel);
        r->transfer = NULL;
    }
    while (!g_queue_is_empty(&r->jobs)) {
        finish_head(r, NULL, reason);
    }
}

void ph_mutter_read_add(struct ph_mutter_read *r, const char *type, size_t most,
        ph_clipboard_read_done *done, void *user)
{
    struct job *job = g_new0(struct job, 1);
    *job = (struct job){g_strdup(type), most, done, user};
    g_queue_push_tail(&r->jobs, job);
    start(r);
}

void ph_mutter_read_follow(
        struct ph_mutter_read *r, struct ph_mutter_session *session)
{
    ph_mutter_read_end_all(r, "the desktop went away");
    g_clear_pointer(&r->session, ph_mutter_session_unref);
    r->session = session ? ph_mutter_session_ref(session) : NULL;
}

struct ph_mutter_read *ph_mutter_read_create(void)
{
    struct ph_mutter_read *r = g_new0(struct ph_mutter_read, 1);
    g_queue_init(&r->jobs);
    return r;
}

void ph_mutter_read_destroy(struct ph_mutter_read *r)
{
    ph_mutter_read_end_all(r, "the clipboard is closed");
    g_clear_pointer(&r->session, ph_mutter_session_unref);
    g_free(r);
}
