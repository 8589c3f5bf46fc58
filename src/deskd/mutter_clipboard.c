/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter_clipboard.h"

#include <gio/gunixfdlist.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <string.h>

#define LOG_MODULE "clipboard"
#include "common/log.h"
#include "deskd/mutter_read.h"

#define TEXT "text/plain;charset=utf-8"

enum {
    MAX_TYPES = 64,
    CALL_MS = 10000,
};

/* Content that we own there. */
struct content {
    char *type;
    GBytes *bytes;
};

struct ph_mutter_clipboard {
    struct ph_mutter_clipboard_events events;
    struct ph_mutter_session *session;
    guint signals[2];
    struct content offered; /* bytes NULL: nothing */
    struct content lent;
    void (*asked)(void *user);
    void *user;
    struct ph_mutter_read *reads;
    char **types; /* what another owner offers; NULL: not known */
};

/* All names that text goes by. */
static const char *const text_types[] = {
        TEXT, "text/plain", "UTF8_STRING", "STRING", "TEXT", NULL};

static void clear(struct content *content)
{
    g_clear_pointer(&content->type, g_free);
    g_clear_pointer(&content->bytes, g_bytes_unref);
}

/* --- what others may read --- */

static void set_selection(struct ph_mutter_clipboard *c)
{
    const struct content *content = c->lent.bytes ? &c->lent : &c->offered;
    if (!c->session || !content->bytes) {
        return;
    }
    const char *const one[] = {content->type, NULL};
    bool text = !strcmp(content->type, TEXT);
    GVariantBuilder b;
    g_variant_builder_init(&b, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(&b, "{sv}", "mime-types",
            g_variant_new_strv(text ? text_types : one, -1));
    ph_mutter_session_call(c->session, "SetSelection",
            g_variant_new("(a{sv})", &b), NULL, NULL);
}

struct writing {
    struct ph_mutter_session *session;
    GBytes *bytes;
    guint32 serial;
};

static void end_writing(struct writing *w, bool success)
{
    ph_mutter_session_call(w->session, "SelectionWriteDone",
            g_variant_new("(ub)", w->serial, success), NULL, NULL);
    ph_mutter_session_unref(w->session);
    g_bytes_unref(w->bytes);
    g_free(w);
}

static void on_written(GObject *object, GAsyncResult *result, gpointer data)
{
    bool success = g_output_stream_write_all_finish(
            G_OUTPUT_STREAM(object), result, NULL, NULL);
    g_output_stream_close(G_OUTPUT_STREAM(object), NULL, NULL);
    end_writing(data, success);
}

static void on_may_write(GObject *object, GAsyncResult *result, gpointer data)
{
    struct writing *w = data;
    g_autoptr(GError) error = NULL;
    g_autoptr(GOutputStream) out = NULL;
    int fd = ph_mutter_read_take_fd(object, result, &error);
    if (fd < 0) {
        LOG_DBG("give the clipboard: %s", error->message);
        end_writing(w, false);
        return;
    }
    out = g_unix_output_stream_new(fd, TRUE);
    g_output_stream_write_all_async(out, g_bytes_get_data(w->bytes, NULL),
            g_bytes_get_size(w->bytes), G_PRIORITY_DEFAULT, NULL, on_written,
            w);
}

static bool offers(const struct content *content, const char *type)
{
    return !strcmp(content->type, TEXT) ? g_strv_contains(text_types, type)
                                        : !strcmp(content->type, type);
}

static void on_transfer(GDBusConnection *bus, const char *sender,
        const char *path, const char *interface, const char *signal,
        GVariant *params, gpointer data)
{
    struct ph_mutter_clipboard *c = data;
    const char *type = NULL;
    guint32 serial = 0;
    const struct content *content = c->lent.bytes ? &c->lent : &c->offered;
    if (!g_variant_is_of_type(params, G_VARIANT_TYPE("(su)")) || !c->session) {
        return;
    }
    g_variant_get(params, "(&su)", &type, &serial);
    if (!content->bytes || !offers(content, type)) {
        ph_mutter_session_call(c->session, "SelectionWriteDone",
                g_variant_new("(ub)", serial, FALSE), NULL, NULL);
        return;
    }
    struct writing *w = g_new0(struct writing, 1);
    w->session = ph_mutter_session_ref(c->session);
    w->bytes = g_bytes_ref(content->bytes);
    w->serial = serial;
    g_dbus_connection_call_with_unix_fd_list(bus, PH_MUTTER_REMOTE, path,
            PH_MUTTER_REMOTE_SESSION, "SelectionWrite",
            g_variant_new("(u)", serial), NULL, G_DBUS_CALL_FLAGS_NO_AUTO_START,
            CALL_MS, NULL, NULL, on_may_write, w);
    if (c->lent.bytes && c->asked) {
        c->asked(c->user);
    }
}

void ph_mutter_clipboard_offer(
        struct ph_mutter_clipboard *c, const char *type, GBytes *bytes)
{
    clear(&c->offered);
    c->offered.type = g_strdup(type);
    c->offered.bytes = g_bytes_ref(bytes);
    if (!c->lent.bytes) {
        set_selection(c);
    }
}

void ph_mutter_clipboard_lend(struct ph_mutter_clipboard *c, GBytes *text,
        void (*asked)(void *user), void *user)
{
    clear(&c->lent);
    c->lent.type = g_strdup(TEXT);
    c->lent.bytes = g_bytes_ref(text);
    c->asked = asked;
    c->user = user;
    set_selection(c);
}

void ph_mutter_clipboard_give_back(struct ph_mutter_clipboard *c)
{
    if (c->offered.bytes) {
        clear(&c->lent);
        set_selection(c);
    } else { /* nothing else is there to be offered: it stays */
        c->offered = c->lent;
        c->lent = (struct content){0};
    }
    c->asked = NULL;
}

/* --- what others offer --- */

/* "as" or, in Mutter 43, "(as)". */
static GVariant *find_types(GVariant *options)
{
    g_autoptr(GVariant) found =
            g_variant_lookup_value(options, "mime-types", NULL);
    if (found && g_variant_is_of_type(found, G_VARIANT_TYPE("(as)"))) {
        return g_variant_get_child_value(found, 0);
    }
    return found && g_variant_is_of_type(found, G_VARIANT_TYPE("as"))
            ? g_variant_ref(found)
            : NULL;
}

static void on_owner(GDBusConnection *bus, const char *sender, const char *path,
        const char *interface, const char *signal, GVariant *params,
        gpointer data)
{
    struct ph_mutter_clipboard *c = data;
    gboolean ours = FALSE;
    if (!g_variant_is_of_type(params, G_VARIANT_TYPE("(a{sv})"))) {
        return;
    }
    g_autoptr(GVariant) options = g_variant_get_child_value(params, 0);
    g_variant_lookup(options, "session-is-owner", "b", &ours);
    if (ours) {
        return;
    }
    clear(&c->offered); /* somebody copied something newer */
    g_autoptr(GVariant) types = find_types(options);
    g_strfreev(c->types);
    c->types = types ? g_variant_dup_strv(types, NULL) : g_new0(char *, 1);
    gsize count = 0;
    g_autofree const char **names =
            types ? g_variant_get_strv(types, &count) : NULL;
    if (c->events.changed) {
        c->events.changed(c->events.data, names, MIN(count, (gsize)MAX_TYPES));
    }
}

void ph_mutter_clipboard_read(struct ph_mutter_clipboard *c, const char *type,
        size_t most, ph_clipboard_read_done *done, void *user)
{
    if (c->types && !g_strv_contains((const char *const *)c->types, type)) {
        done(user, type, NULL, 0, "the desktop has it not in this format");
        return;
    }
    ph_mutter_read_add(c->reads, type, most, done, user);
}

void ph_mutter_clipboard_end_reads(struct ph_mutter_clipboard *c)
{
    ph_mutter_read_end_all(c->reads, "the clipboard is closed");
}

/* --- life --- */

static void unsubscribe(struct ph_mutter_clipboard *c)
{
    for (size_t i = 0; c->session && i < G_N_ELEMENTS(c->signals); i++) {
        g_dbus_connection_signal_unsubscribe(
                ph_mutter_session_bus(c->session), c->signals[i]);
    }
    g_clear_pointer(&c->session, ph_mutter_session_unref);
}

void ph_mutter_clipboard_follow(
        struct ph_mutter_clipboard *c, struct ph_mutter_session *session)
{
    if (session == c->session) {
        return;
    }
    unsubscribe(c);
    g_clear_pointer(&c->types, g_strfreev);
    ph_mutter_read_follow(c->reads, session);
    if (!session || !ph_mutter_session_has(session, "EnableClipboard")) {
        return;
    }
    c->session = ph_mutter_session_ref(session);
    GDBusConnection *bus = ph_mutter_session_bus(session);
    const char *path = ph_mutter_session_path(session);
    c->signals[0] = g_dbus_connection_signal_subscribe(bus, PH_MUTTER_REMOTE,
            PH_MUTTER_REMOTE_SESSION, "SelectionOwnerChanged", path, NULL,
            G_DBUS_SIGNAL_FLAGS_NONE, on_owner, c, NULL);
    c->signals[1] = g_dbus_connection_signal_subscribe(bus, PH_MUTTER_REMOTE,
            PH_MUTTER_REMOTE_SESSION, "SelectionTransfer", path, NULL,
            G_DBUS_SIGNAL_FLAGS_NONE, on_transfer, c, NULL);
    ph_mutter_session_call(session, "EnableClipboard",
            g_variant_new("(a{sv})", NULL), NULL, NULL);
    set_selection(c);
}

void ph_mutter_clipboard_watch(struct ph_mutter_clipboard *c,
        const struct ph_mutter_clipboard_events *events)
{
    c->events = *events;
}

struct ph_mutter_clipboard *ph_mutter_clipboard_create(void)
{
    struct ph_mutter_clipboard *c = g_new0(struct ph_mutter_clipboard, 1);
    c->reads = ph_mutter_read_create();
    return c;
}

void ph_mutter_clipboard_destroy(struct ph_mutter_clipboard *c)
{
    unsubscribe(c);
    ph_mutter_read_destroy(c->reads);
    clear(&c->offered);
    clear(&c->lent);
    g_strfreev(c->types);
    g_free(c);
}
