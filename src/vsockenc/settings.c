/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/settings.h"

#include <stdio.h>

#include "common/macros.h"
#include "proto/hxfr_ext.h"

enum {
    LEAST_BITRATE = 10000,
    MOST_BITRATE = 1000000000,
};

static const struct ph_settings defaults = {
        .tcp_port = PH_DEFAULT_PORT,
        .port = PH_DEFAULT_PORT,
        .bitrate = 4000000,
        .keyframe_interval = 60,
        .max_in_flight = 2,
        .timeout = 5000,
        .shared_memory = TRUE,
};

void ph_settings_init(struct ph_settings *s)
{
    *s = defaults;
}

void ph_settings_finish(struct ph_settings *s)
{
    g_free(s->tcp_host);
    g_free(s->socket_path);
    g_free(s->endpoint);
}

static GType v1_format_type(void)
{
    static const GEnumValue values[] = {
            {PH_V1_BGRA, "BGRA with rows of width * 4 bytes", "bgra"},
            {PH_V1_NV12, "NV12, which some of them cannot take", "nv12"},
            {0, NULL, NULL},
    };
    static gsize type;
    if (g_once_init_enter(&type)) {
        g_once_init_leave(
                &type, g_enum_register_static("PhVsockencV1Format", values));
    }
    return type;
}

static void add(GObjectClass *klass, guint id, GParamSpec *spec, bool live)
{
    spec->flags |= G_PARAM_STATIC_STRINGS;
    if (spec->flags & G_PARAM_WRITABLE) {
        spec->flags |=
                live ? GST_PARAM_MUTABLE_PLAYING : GST_PARAM_MUTABLE_READY;
    }
    g_object_class_install_property(klass, id, spec);
}

static void install_host(GObjectClass *klass)
{
    add(klass, PH_PROP_TCP_HOST,
            g_param_spec_string("tcp-host", "TCP host",
                    "Host to encode at: a name, IPv4 or IPv6 address", NULL,
                    G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_TCP_PORT,
            g_param_spec_uint("tcp-port", "TCP port", "Port of tcp-host", 1,
                    65535, defaults.tcp_port, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_SOCKET_PATH,
            g_param_spec_string("socket-path", "Socket path",
                    "Unix socket of a host to encode at", NULL,
                    G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_CID,
            g_param_spec_uint("cid", "CID",
                    "vsock context id of the host to encode at (2: that of "
                    "this virtual machine; 0: none)",
                    0, G_MAXUINT, 0, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_PORT,
            g_param_spec_uint("port", "vsock port", "Port of cid", 0, G_MAXUINT,
                    defaults.port, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_ENDPOINT,
            g_param_spec_string("endpoint", "Endpoint",
                    "Host to encode at, in one: tcp:HOST:PORT, unix:PATH, "
                    "vsock:CID:PORT; goes before the others. Where none is "
                    "set: auto, which looks for the virtual machine's host",
                    NULL, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_FALLBACK,
            g_param_spec_boolean("fallback", "Fallback",
                    "While the host cannot be reached, encode by a "
                    "porthole-hostd of our own",
                    FALSE, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_SHARED_MEMORY,
            g_param_spec_boolean("shared-memory", "Shared memory",
                    "Hand pixels over in memory that host and element share, "
                    "where they can",
                    defaults.shared_memory, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_V1_FORMAT,
            g_param_spec_enum("v1-format", "Version 1 format",
                    "What hosts without Porthole's extensions get",
                    v1_format_type(), PH_V1_BGRA, G_PARAM_READWRITE),
            false);
}

void ph_settings_install(GObjectClass *klass)
{
    install_host(klass);
    add(klass, PH_PROP_BITRATE,
            g_param_spec_int("bitrate", "Bit rate",
                    "The most over a second, bit/s", LEAST_BITRATE,
                    MOST_BITRATE, defaults.bitrate, G_PARAM_READWRITE),
            true);
    add(klass, PH_PROP_KEYFRAME_INTERVAL,
            g_param_spec_uint("keyframe-interval", "Keyframe interval",
                    "Frames from one keyframe to the next (0: only where one "
                    "is needed or asked for)",
                    0, G_MAXUINT, defaults.keyframe_interval,
                    G_PARAM_READWRITE),
            true);
    add(klass, PH_PROP_MAX_IN_FLIGHT,
            g_param_spec_uint("max-in-flight", "In flight",
                    "Frames at the host at one time", 1, PH_HXFR_MAX_WINDOW,
                    defaults.max_in_flight, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_TIMEOUT,
            g_param_spec_uint("timeout", "Timeout",
                    "Milliseconds after which a frame that no host has encoded "
                    "is an error (0: never)",
                    0, 3600000, defaults.timeout, G_PARAM_READWRITE),
            false);
    add(klass, PH_PROP_STATS,
            g_param_spec_boxed("stats", "Statistics",
                    "What has happened since the element was started",
                    GST_TYPE_STRUCTURE, G_PARAM_READABLE),
            false);
}

/* Where each property is kept. */
static const struct row {
    guint id;
    enum {
        STRING,
        UINT,
        INT,
        ENUM,
        BOOLEAN
    } kind;
    gsize offset;
} rows[] = {
        {PH_PROP_TCP_HOST, STRING, offsetof(struct ph_settings, tcp_host)},
        {PH_PROP_TCP_PORT, UINT, offsetof(struct ph_settings, tcp_port)},
        {PH_PROP_SOCKET_PATH, STRING,
                offsetof(struct ph_settings, socket_path)},
        {PH_PROP_CID, UINT, offsetof(struct ph_settings, cid)},
        {PH_PROP_PORT, UINT, offsetof(struct ph_settings, port)},
        {PH_PROP_ENDPOINT, STRING, offsetof(struct ph_settings, endpoint)},
        {PH_PROP_BITRATE, INT, offsetof(struct ph_settings, bitrate)},
        {PH_PROP_KEYFRAME_INTERVAL, UINT,
                offsetof(struct ph_settings, keyframe_interval)},
        {PH_PROP_MAX_IN_FLIGHT, UINT,
                offsetof(struct ph_settings, max_in_flight)},
        {PH_PROP_TIMEOUT, UINT, offsetof(struct ph_settings, timeout)},
        {PH_PROP_V1_FORMAT, ENUM, offsetof(struct ph_settings, v1_format)},
        {PH_PROP_FALLBACK, BOOLEAN, offsetof(struct ph_settings, fallback)},
        {PH_PROP_SHARED_MEMORY, BOOLEAN,
                offsetof(struct ph_settings, shared_memory)},
};

static const struct row *find_row(guint id)
{
    for (size_t i = 0; i < PH_LEN(rows); i++) {
        if (rows[i].id == id) {
            return &rows[i];
        }
    }
    return NULL;
}

gboolean ph_settings_set(struct ph_settings *s, guint id, const GValue *value)
{
    const struct row *row = find_row(id);
    void *at = (char *)s + (row ? row->offset : 0);
    if (!row) {
        return FALSE;
    }
    switch (row->kind) {
    case STRING:
        g_free(*(char **)at);
        *(char **)at = g_value_dup_string(value);
        break;
    case UINT:
        *(guint *)at = g_value_get_uint(value);
        break;
    case INT:
        *(gint *)at = g_value_get_int(value);
        break;
    case ENUM:
        *(gint *)at = g_value_get_enum(value);
        break;
    case BOOLEAN:
        *(gboolean *)at = g_value_get_boolean(value);
        break;
    }
    return TRUE;
}

gboolean ph_settings_get(const struct ph_settings *s, guint id, GValue *value)
{
    const struct row *row = find_row(id);
    const void *at = (const char *)s + (row ? row->offset : 0);
    if (!row) {
        return FALSE;
    }
    switch (row->kind) {
    case STRING:
        g_value_set_string(value, *(char *const *)at);
        break;
    case UINT:
        g_value_set_uint(value, *(const guint *)at);
        break;
    case INT:
        g_value_set_int(value, *(const gint *)at);
        break;
    case ENUM:
        g_value_set_enum(value, *(const gint *)at);
        break;
    case BOOLEAN:
        g_value_set_boolean(value, *(const gboolean *)at);
        break;
    }
    return TRUE;
}

enum ph_settings_host ph_settings_endpoint(const struct ph_settings *s,
        struct ph_endpoint *out, char *error, size_t size)
{
    char text[PH_ENDPOINT_TEXT_MAX];
    if (s->endpoint && *s->endpoint) {
        snprintf(text, sizeof(text), "%s", s->endpoint);
    } else if (s->socket_path && *s->socket_path) {
        snprintf(text, sizeof(text), "unix:%s", s->socket_path);
    } else if (s->cid) {
        snprintf(text, sizeof(text), "vsock:%u:%u", s->cid, s->port);
    } else if (s->tcp_host && *s->tcp_host) {
        bool v6 = strchr(s->tcp_host, ':') && s->tcp_host[0] != '[';
        snprintf(text, sizeof(text), v6 ? "tcp:[%s]:%u" : "tcp:%s:%u",
                s->tcp_host, s->tcp_port);
    } else {
        return PH_SETTINGS_NONE;
    }
    return ph_endpoint_parse(text, out, error, size) ? PH_SETTINGS_NAMED
                                                     : PH_SETTINGS_WRONG;
}
