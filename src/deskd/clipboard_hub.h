/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be pasted now, on the desktop and at its viewers: reads what the
 * desktop copied, offers it what a viewer did. Main thread only.
 */
#pragma once

#include "deskd/clip.h"
#include "deskd/clipboard.h"

struct ph_clipboard_hub;

/* changed: the desktop copied something else (see _get). */
struct ph_clipboard_hub *ph_clipboard_hub_create(
        void (*changed)(void *data), void *data);
void ph_clipboard_hub_destroy(struct ph_clipboard_hub *hub);

/* For the desktop's clipboard, with the ph_clipboard_hub as data. */
extern const struct ph_clipboard_events ph_clipboard_hub_events;
/* Its clipboard, which is ours from here on; NULL: it has none. */
void ph_clipboard_hub_attach(
        struct ph_clipboard_hub *hub, struct ph_clipboard *clipboard);

/* What can be pasted, NULL: nothing, or nothing that viewers take. */
struct ph_clip *ph_clipboard_hub_get(const struct ph_clipboard_hub *hub);
/* A viewer copied that. */
void ph_clipboard_hub_offer(struct ph_clipboard_hub *hub, struct ph_clip *clip);
