/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Takes TCP connections for the web server. libsoup's own listener has a
 * backlog of 10 and no deadline; here a connection that has not become a
 * WebSocket is cut off after a while (slow-loris), and there is a bound on
 * how many there are. Main thread only.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "common/endpoint.h"

/* From accept to the end of the answer. */
#define PH_LISTENER_DEADLINE_SECONDS 10
/* Connections that are not WebSockets; the oldest makes room. */
#define PH_LISTENER_MAX_OPEN 128
#define PH_LISTENER_BACKLOG 512

struct ph_listener;

/* A new connection; `remote` is to be kept with it, for ph_listener_take. */
typedef void ph_listener_accept(void *data, GIOStream *stream,
        GSocketAddress *local, GSocketAddress *remote);

/* *ep is updated with the port. NULL: errno. */
struct ph_listener *ph_listener_create(
        struct ph_endpoint *ep, ph_listener_accept *accept, void *data);
void ph_listener_stop(struct ph_listener *listener);
void ph_listener_destroy(struct ph_listener *listener);

/* The connection became something else: returns a descriptor of its own for
 * the socket, or -1, and forgets the connection. */
int ph_listener_take(struct ph_listener *listener, GSocketAddress *remote);
