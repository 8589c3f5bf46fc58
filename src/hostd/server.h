/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Accepts guests and gives each a session with a thread of its own. The list
 * of sessions is the one thing that threads share, under one mutex.
 */
#pragma once

#include <stdbool.h>

#include "common/endpoint.h"
#include "hostd/session.h"

struct ph_server;

struct ph_server_config {
    struct ph_session_config session;
    unsigned max_guests; /* the one that was silent longest goes first */
    unsigned stats_s; /* between two reports; 0: only when asked */
    bool json; /* reports go to stdout as JSON, instead of into the log */
};

struct ph_server *ph_server_create(const struct ph_server_config *config);
/* Listens there too; *ep gets the port that was chosen. False: logged. */
bool ph_server_listen(struct ph_server *server, struct ph_endpoint *ep);
/* Serves a guest that is connected already; the server takes the fd. */
bool ph_server_adopt(struct ph_server *server, int fd);
/* Until ph_server_stop, or, with nothing to listen on, until the last guest
 * has gone. */
void ph_server_run(struct ph_server *server);
/* Any thread, and signal handlers: ends run, or makes it report at once what
 * all guests did since the last report. */
void ph_server_stop(struct ph_server *server);
void ph_server_report(struct ph_server *server);
/* Ends every session and removes the files of unix sockets. */
void ph_server_destroy(struct ph_server *server);
