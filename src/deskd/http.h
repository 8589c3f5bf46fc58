/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The web server of one desktop: the page, /health, /stats, /outputs, and the
 * WebSocket at /ws, whose sockets go to the hub of the output that ?output=
 * names. Main thread only.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "common/endpoint.h"
#include "deskd/auth.h"
#include "deskd/screen.h"

struct ph_http;

struct ph_http_options {
    struct ph_endpoint listen; /* TCP; port 0 picks one */
    const char *web; /* folder to serve the page from; NULL: built in */
};

/* auth->host and auth->port are set to what is listened on. NULL: error[size]
 * says why and what to do. auth and screens stay the caller's. */
struct ph_http *ph_http_create(const struct ph_http_options *options,
        struct ph_auth *auth, struct ph_screens *screens, char *error,
        size_t size);
/* Takes no more connections. */
void ph_http_stop(struct ph_http *http);
/* Every socket was closed, also those that only linger. */
bool ph_http_idle(const struct ph_http *http);
void ph_http_destroy(struct ph_http *http);

/* "http://127.0.0.1:8080/" */
const char *ph_http_url(const struct ph_http *http);
