/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads from the clipboard of a Mutter session, one after another: Mutter
 * refuses two at a time. Main thread.
 */
#pragma once

#include <gio/gio.h>

#include "deskd/clipboard.h"
#include "deskd/mutter_session.h"

struct ph_mutter_read;

struct ph_mutter_read *ph_mutter_read_create(void);
/* Ends all, each with its done. */
void ph_mutter_read_destroy(struct ph_mutter_read *r);
/* Ends what runs and what waits, each with its done. */
void ph_mutter_read_end_all(struct ph_mutter_read *r, const char *reason);
/* Ends all that another session was asked for. */
void ph_mutter_read_follow(
        struct ph_mutter_read *r, struct ph_mutter_session *session);
void ph_mutter_read_add(struct ph_mutter_read *r, const char *type, size_t most,
        ph_clipboard_read_done *done, void *user);

/* The descriptor that a method answered with; -1 and *error. */
int ph_mutter_read_take_fd(GObject *bus, GAsyncResult *result, GError **error);
