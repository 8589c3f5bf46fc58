/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A WebSocket after its handshake, as a transport: messages go from the
 * access unit to the socket without a copy, and the socket is watched for
 * writing only while a message is half written. Main thread only.
 */
#pragma once

#include <glib.h>

#include "deskd/transport.h"

/* All sockets of a server, also those that are only being closed. */
struct ph_wsock_set {
    GList *list;
    uint32_t patience_ms; /* with a peer that acknowledges nothing; 0: 10 s */
};

/* Takes fd, non-blocking. The caller sets events and data before it goes back
 * to the main loop. */
struct ph_transport *ph_wsock_create(struct ph_wsock_set *set, int fd);

/* Drops all of them without a word. */
void ph_wsock_set_finish(struct ph_wsock_set *set);
