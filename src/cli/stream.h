/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `porthole stream`: its parts. Main thread, GLib main loop. */
#pragma once

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "cli/stats.h"
#include "proto/stream.h"

/* Where to connect. */
struct ph_stream_target {
    char *url; /* "http://127.0.0.1:8080/", for people */
    char *socket_url; /* "ws://127.0.0.1:8080/ws" */
    char token[PH_STREAM_MAX_TOKEN + 1];
};

/* where: a URL (its fragment is the token), the id or name of a session, or
 * NULL for the only session that runs here. token_file: NULL, or what is
 * taken instead. False: error says what to do. */
bool ph_stream_target_find(struct ph_stream_target *out, const char *where,
        const char *token_file, GError **error);
void ph_stream_target_finish(struct ph_stream_target *target);

/* One connection, from the first message to the last. */
struct ph_stream_client;

struct ph_stream_client_events {
    /* A frame came: the client has counted it. */
    void (*frame)(void *data, const struct ph_stream_frame *frame);
    /* Once, after the first frame. */
    void (*started)(void *data);
    /* It is over: error is NULL when we closed it. No event follows. */
    void (*ended)(void *data, const GError *error);
};

/* What was measured so far. */
struct ph_stream_view {
    struct ph_stats *stats;
    uint16_t width; /* 0: unknown yet */
    uint16_t height;
    const char *codec;
    bool clock_known;
    int64_t offset_us; /* the server's clock less ours */
    int64_t clock_error_us; /* it is right within so much */
};

/* fps: 0, or the steady rate to ask for. */
struct ph_stream_client *ph_stream_client_create(
        const struct ph_stream_target *target, uint16_t fps,
        const struct ph_stream_client_events *events, void *data);
void ph_stream_client_destroy(struct ph_stream_client *c);
struct ph_stream_view ph_stream_client_view(struct ph_stream_client *c);

/* The whole result, for people or as JSON. False: writing failed. */
bool ph_stream_report_text(FILE *out, const struct ph_stream_view *view,
        const struct ph_stats_result *result);
bool ph_stream_report_json(FILE *out, const struct ph_stream_view *view,
        const struct ph_stats_result *result);
