/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element's properties: where they are kept, declared, set and read. */
#pragma once

#include <gst/gst.h>

#include "common/endpoint.h"

enum {
    PH_PROP_TCP_HOST = 1,
    PH_PROP_TCP_PORT,
    PH_PROP_SOCKET_PATH,
    PH_PROP_CID,
    PH_PROP_PORT,
    PH_PROP_ENDPOINT,
    PH_PROP_BITRATE,
    PH_PROP_KEYFRAME_INTERVAL,
    PH_PROP_MAX_IN_FLIGHT,
    PH_PROP_TIMEOUT,
    PH_PROP_V1_FORMAT,
    PH_PROP_FALLBACK,
    PH_PROP_SHARED_MEMORY,
    PH_PROP_STATS,
};

enum ph_v1_format {
    PH_V1_BGRA,
    PH_V1_NV12,
};

struct ph_settings {
    char *tcp_host;
    guint tcp_port;
    char *socket_path;
    guint cid; /* 0: none */
    guint port;
    char *endpoint;
    gint bitrate; /* bit/s */
    guint keyframe_interval; /* frames, 0: never */
    guint max_in_flight;
    guint timeout; /* ms, 0: none */
    gint v1_format; /* enum ph_v1_format */
    gboolean fallback;
    gboolean shared_memory; /* where there can be */
};

void ph_settings_init(struct ph_settings *settings);
void ph_settings_finish(struct ph_settings *settings);
/* PH_PROP_STATS is the element's own. */
void ph_settings_install(GObjectClass *klass);
/* False: no such property. */
gboolean ph_settings_set(
        struct ph_settings *settings, guint id, const GValue *value);
gboolean ph_settings_get(
        const struct ph_settings *settings, guint id, GValue *value);

enum ph_settings_host {
    PH_SETTINGS_NONE, /* no host is named */
    PH_SETTINGS_NAMED,
    PH_SETTINGS_WRONG, /* error[size] says why */
};

/* Where the host is: the most specific property that is set. */
enum ph_settings_host ph_settings_endpoint(const struct ph_settings *settings,
        struct ph_endpoint *out, char *error, size_t size);
