/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The clipboard of a Mutter session: what a viewer copied is offered there,
 * and text that no key types is lent to it for a moment, to be pasted. Main
 * thread; one per desktop, shared by its clipboard and its input.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>

#include "deskd/clipboard.h"
#include "deskd/mutter_session.h"

struct ph_mutter_clipboard;

struct ph_mutter_clipboard_events {
    /* As clipboard.h's; NULL: nobody wants to know. */
    void (*changed)(void *data, const char *const *types, size_t count);
    void *data;
};

struct ph_mutter_clipboard *ph_mutter_clipboard_create(void);
/* Ends all reads. */
void ph_mutter_clipboard_destroy(struct ph_mutter_clipboard *c);
/* Another session, or none: what was offered is offered there. */
void ph_mutter_clipboard_follow(
        struct ph_mutter_clipboard *c, struct ph_mutter_session *session);
void ph_mutter_clipboard_watch(struct ph_mutter_clipboard *c,
        const struct ph_mutter_clipboard_events *events);

void ph_mutter_clipboard_read(struct ph_mutter_clipboard *c, const char *type,
        size_t most, ph_clipboard_read_done *done, void *user);
/* Ends all reads, each with its done. */
void ph_mutter_clipboard_end_reads(struct ph_mutter_clipboard *c);
void ph_mutter_clipboard_offer(
        struct ph_mutter_clipboard *c, const char *type, GBytes *bytes);

/* Offers text until it is given back; asked is called when somebody reads
 * it. Giving back offers again what was offered before. */
void ph_mutter_clipboard_lend(struct ph_mutter_clipboard *c, GBytes *text,
        void (*asked)(void *user), void *user);
void ph_mutter_clipboard_give_back(struct ph_mutter_clipboard *c);
