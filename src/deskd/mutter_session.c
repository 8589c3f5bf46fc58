/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The signals that matter while a session is made, and those that end it, are
 * taken by a filter: it runs on the connection's own thread, so that nobody
 * has to serve a main loop for them.
 */
#include "deskd/mutter_session.h"

#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>

#include "common/cleanup.h"
#include "common/clock.h"
#define LOG_MODULE "mutter"
#include "common/log.h"

#define CAST "org.gnome.Mutter.ScreenCast"
#define CAST_SESSION CAST ".Session"
#define CAST_STREAM CAST ".Stream"
#define BUS "org.freedesktop.DBus"

enum {
    CALL_MS = 10000,
    NODE_MS = 10000,
    CURSOR_EMBEDDED = 1,
    CURSOR_METADATA = 2,
};

struct ph_mutter_session {
    gatomicrefcount refs;
    GDBusConnection *bus;
    guint filter;
    char *remote; /* object paths; the filter reads them */
    char *cast;
    char *stream;
    GDBusNodeInfo *info; /* of remote */
    GDBusInterfaceInfo *methods; /* in it */
    int over_fd;
    int node_fd;
    atomic_uint node;
    atomic_bool over;
};

struct ph_mutter_session *ph_mutter_session_ref(struct ph_mutter_session *s)
{
    g_atomic_ref_count_inc(&s->refs);
    return s;
}

void ph_mutter_session_unref(struct ph_mutter_session *s)
{
    if (!s || !g_atomic_ref_count_dec(&s->refs)) {
        return;
    }
    g_clear_object(&s->bus);
    g_clear_pointer(&s->info, g_dbus_node_info_unref);
    g_free(s->remote);
    g_free(s->cast);
    g_free(s->stream);
    ph_close(&s->over_fd);
    ph_close(&s->node_fd);
    g_free(s);
}

static void end(struct ph_mutter_session *s)
{
    atomic_store(&s->over, true);
    eventfd_write(s->over_fd, 1);
}

static void take_signal(struct ph_mutter_session *s, GDBusMessage *m)
{
    const char *member = g_dbus_message_get_member(m);
    const char *path = g_dbus_message_get_path(m);
    GVariant *body = g_dbus_message_get_body(m);
    if (member && !strcmp(member, "Closed")) {
        /* Those of others come here, too. */
        if (!g_strcmp0(path, g_atomic_pointer_get(&s->remote)) ||
                !g_strcmp0(path, g_atomic_pointer_get(&s->cast))) {
            end(s);
        }
    }
    if (!member || !body) {
        return;
    }
    if (!strcmp(member, "PipeWireStreamAdded") &&
            !g_strcmp0(path, g_atomic_pointer_get(&s->stream)) &&
            g_variant_is_of_type(body, G_VARIANT_TYPE("(u)"))) {
        guint32 node = 0;
        g_variant_get(body, "(u)", &node);
        atomic_store(&s->node, node);
        eventfd_write(s->node_fd, 1);
    } else if (!strcmp(member, "NameOwnerChanged") &&
            g_variant_is_of_type(body, G_VARIANT_TYPE("(sss)"))) {
        const char *name = NULL;
        const char *before = NULL;
        g_variant_get(body, "(&s&s&s)", &name, &before, NULL);
        /* One that just came is the one that we shall talk to. */
        if (!strcmp(name, PH_MUTTER_REMOTE) && *before) {
            end(s);
        }
    }
}

static GDBusMessage *on_message(
        GDBusConnection *bus, GDBusMessage *m, gboolean incoming, gpointer data)
{
    if (incoming &&
            g_dbus_message_get_message_type(m) == G_DBUS_MESSAGE_TYPE_SIGNAL) {
        take_signal(data, m);
    }
    return m;
}

static void unref(gpointer data)
{
    ph_mutter_session_unref(data);
}

/* A call that is waited for; NULL: error[size] says why. */
static GVariant *ask(struct ph_mutter_session *s, const char *name,
        const char *path, const char *method, GVariant *params,
        const char *reply, char *error, size_t size)
{
    g_autoptr(GError) e = NULL;
    g_autofree char *interface =
            g_strndup(method, (gsize)(strrchr(method, '.') - method));
    GVariant *result = g_dbus_connection_call_sync(s->bus, name, path,
            interface, strrchr(method, '.') + 1, params,
            reply ? G_VARIANT_TYPE(reply) : NULL,
            G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_MS, NULL, &e);
    if (!result) {
        bool away = g_error_matches(
                            e, G_DBUS_ERROR, G_DBUS_ERROR_NAME_HAS_NO_OWNER) ||
                g_error_matches(e, G_DBUS_ERROR, G_DBUS_ERROR_SERVICE_UNKNOWN);
        g_dbus_error_strip_remote_error(e);
        snprintf(error, size,
                away ? "there is no GNOME Shell or Mutter on the session bus"
                     : "Mutter refused %s: %s",
                strrchr(method, '.') + 1, e->message);
    }
    return result;
}

static bool tell(struct ph_mutter_session *s, const char *name,
        const char *path, const char *method, GVariant *params, char *error,
        size_t size)
{
    GVariant *result = ask(s, name, path, method, params, NULL, error, size);
    if (result) {
        g_variant_unref(result);
    }
    return result;
}

static bool connect_bus(struct ph_mutter_session *s, char *error, size_t size)
{
    g_autoptr(GError) e = NULL;
    g_autofree char *address =
            g_dbus_address_get_for_bus_sync(G_BUS_TYPE_SESSION, NULL, &e);
    if (address) {
        s->bus = g_dbus_connection_new_for_address_sync(address,
                G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT |
                        G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION,
                NULL, NULL, &e);
    }
    if (!s->bus) {
        snprintf(error, size,
                "no session bus (%s): set DBUS_SESSION_BUS_ADDRESS to the "
                "desktop's",
                e->message);
        return false;
    }
    s->filter = g_dbus_connection_add_filter(
            s->bus, on_message, ph_mutter_session_ref(s), unref);
    static const char *const rules[] = {
            "type='signal',sender='" PH_MUTTER_REMOTE "',member='Closed'",
            "type='signal',sender='" CAST "',interface='" CAST_STREAM "'",
            "type='signal',sender='" BUS
            "',member='NameOwnerChanged',arg0='" PH_MUTTER_REMOTE "'",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rules); i++) {
        if (!tell(s, BUS, "/org/freedesktop/DBus", BUS ".AddMatch",
                    g_variant_new("(s)", rules[i]), error, size)) {
            return false;
        }
    }
    return true;
}

static bool make_remote(struct ph_mutter_session *s, char *error, size_t size)
{
    g_autoptr(GVariant) made = ask(s, PH_MUTTER_REMOTE,
            "/org/gnome/Mutter/RemoteDesktop",
            PH_MUTTER_REMOTE ".CreateSession", NULL, "(o)", error, size);
    if (!made) {
        return false;
    }
    char *path = NULL;
    g_variant_get(made, "(o)", &path);
    g_atomic_pointer_set(&s->remote, path);
    g_autoptr(GVariant) xml = ask(s, PH_MUTTER_REMOTE, s->remote,
            BUS ".Introspectable.Introspect", NULL, "(s)", error, size);
    if (!xml) {
        return false;
    }
    const char *text = NULL;
    g_variant_get(xml, "(&s)", &text);
    s->info = g_dbus_node_info_new_for_xml(text, NULL);
    s->methods = s->info ? g_dbus_node_info_lookup_interface(
                                   s->info, PH_MUTTER_REMOTE_SESSION)
                         : NULL;
    if (!s->methods) {
        snprintf(error, size, "Mutter does not say what its sessions can do");
    }
    return s->methods;
}

static GVariant *cast_properties(const char *id)
{
    GVariantBuilder b;
    g_variant_builder_init(&b, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(
            &b, "{sv}", "remote-desktop-session-id", g_variant_new_string(id));
    /* Each step of an animation is a whole frame to draw in software. */
    g_variant_builder_add(
            &b, "{sv}", "disable-animations", g_variant_new_boolean(TRUE));
    return g_variant_new("(a{sv})", &b);
}

static bool make_cast(struct ph_mutter_session *s, char *error, size_t size)
{
    g_autoptr(GVariant) got = ask(s, PH_MUTTER_REMOTE, s->remote,
            BUS ".Properties.Get",
            g_variant_new("(ss)", PH_MUTTER_REMOTE_SESSION, "SessionId"), "(v)",
            error, size);
    if (!got) {
        return false;
    }
    g_autoptr(GVariant) id = NULL;
    g_variant_get(got, "(v)", &id);
    if (!g_variant_is_of_type(id, G_VARIANT_TYPE_STRING)) {
        snprintf(error, size, "Mutter's session has no name");
        return false;
    }
    g_autoptr(GVariant) made =
            ask(s, CAST, "/org/gnome/Mutter/ScreenCast", CAST ".CreateSession",
                    cast_properties(g_variant_get_string(id, NULL)), "(o)",
                    error, size);
    if (made) {
        char *path = NULL;
        g_variant_get(made, "(o)", &path);
        g_atomic_pointer_set(&s->cast, path);
    }
    return made;
}

static bool make_stream(struct ph_mutter_session *s,
        const struct ph_mutter_wish *wish, char *error, size_t size)
{
    GVariantBuilder b;
    g_variant_builder_init(&b, G_VARIANT_TYPE("a{sv}"));
    g_variant_builder_add(&b, "{sv}", "cursor-mode",
            g_variant_new_uint32(
                    wish->embed_cursor ? CURSOR_EMBEDDED : CURSOR_METADATA));
    GVariant *params = wish->is_virtual
            ? g_variant_new("(a{sv})", &b)
            : g_variant_new("(sa{sv})", wish->monitor ? wish->monitor : "", &b);
    g_autoptr(GVariant) made = ask(s, CAST, s->cast,
            wish->is_virtual ? CAST_SESSION ".RecordVirtual"
                             : CAST_SESSION ".RecordMonitor",
            params, "(o)", error, size);
    if (made) {
        char *path = NULL;
        g_variant_get(made, "(o)", &path);
        g_atomic_pointer_set(&s->stream, path);
    }
    return made;
}

static bool start(struct ph_mutter_session *s, char *error, size_t size)
{
    if (!tell(s, PH_MUTTER_REMOTE, s->remote, PH_MUTTER_REMOTE_SESSION ".Start",
                NULL, error, size)) {
        return false;
    }
    int64_t deadline = ph_deadline_ms(NODE_MS);
    struct pollfd fds[2] = {{s->node_fd, POLLIN, 0}, {s->over_fd, POLLIN, 0}};
    while (!atomic_load(&s->node) && !atomic_load(&s->over)) {
        if (poll(fds, 2, ph_deadline_poll_ms(deadline)) == 0) {
            break;
        }
    }
    if (!atomic_load(&s->node)) {
        snprintf(error, size,
                "Mutter made no PipeWire stream: is pipewire running?");
        return false;
    }
    return true;
}

struct ph_mutter_session *ph_mutter_session_open(
        const struct ph_mutter_wish *wish, char *error, size_t size)
{
    struct ph_mutter_session *s = g_new0(struct ph_mutter_session, 1);
    g_atomic_ref_count_init(&s->refs);
    s->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    s->node_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->over_fd < 0 || s->node_fd < 0) {
        snprintf(error, size, "no descriptors for a session");
        goto fail;
    }
    if (!connect_bus(s, error, size) || !make_remote(s, error, size) ||
            !make_cast(s, error, size) || !make_stream(s, wish, error, size) ||
            !start(s, error, size)) {
        goto fail;
    }
    LOG_DBG("session %s, stream %s, node %u", s->remote, s->stream, s->node);
    return s;
fail:
    ph_mutter_session_close(s);
    ph_mutter_session_unref(s);
    return NULL;
}

void ph_mutter_session_close(struct ph_mutter_session *s)
{
    if (!s->bus) {
        return;
    }
    if (s->methods && !atomic_exchange(&s->over, true)) {
        ph_mutter_session_call(s, "Stop", NULL, NULL, NULL);
        g_dbus_connection_flush_sync(s->bus, NULL, NULL);
    }
    if (s->filter) {
        g_dbus_connection_remove_filter(s->bus, s->filter);
        s->filter = 0;
    }
    g_dbus_connection_close(s->bus, NULL, NULL, NULL);
}

int ph_mutter_session_fd(const struct ph_mutter_session *s)
{
    return s->over_fd;
}

bool ph_mutter_session_is_over(const struct ph_mutter_session *s)
{
    return atomic_load(&s->over);
}

uint32_t ph_mutter_session_node(const struct ph_mutter_session *s)
{
    return atomic_load(&s->node);
}

const char *ph_mutter_session_stream(const struct ph_mutter_session *s)
{
    return s->stream;
}

bool ph_mutter_session_has(
        const struct ph_mutter_session *s, const char *method)
{
    return g_dbus_interface_info_lookup_method(s->methods, method);
}

bool ph_mutter_session_takes(const struct ph_mutter_session *s,
        const char *method, unsigned argument, const char *type)
{
    const GDBusMethodInfo *info =
            g_dbus_interface_info_lookup_method(s->methods, method);
    for (unsigned i = 0; info && info->in_args && info->in_args[i]; i++) {
        if (i == argument) {
            return !strcmp(info->in_args[i]->signature, type);
        }
    }
    return false;
}

void ph_mutter_session_call(struct ph_mutter_session *s, const char *method,
        GVariant *params, GAsyncReadyCallback done, void *data)
{
    g_dbus_connection_call(s->bus, PH_MUTTER_REMOTE, s->remote,
            PH_MUTTER_REMOTE_SESSION, method, params, NULL,
            G_DBUS_CALL_FLAGS_NO_AUTO_START, CALL_MS, NULL, done, data);
}

GDBusConnection *ph_mutter_session_bus(const struct ph_mutter_session *s)
{
    return s->bus;
}

const char *ph_mutter_session_path(const struct ph_mutter_session *s)
{
    return s->remote;
}
