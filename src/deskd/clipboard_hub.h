/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What can be pasted now, on the desktop and at its viewers: reads what the
 * desktop copied and gives it to the viewer who drives, offers the desktop what
 * a viewer copied. One for all outputs of a desktop, so that nothing goes round
 * between them. Main thread only.
 */
#pragma once

#include "deskd/clip.h"
#include "deskd/clipboard.h"

struct ph_viewer;
struct ph_clipboard_hub;

struct ph_clipboard_hub *ph_clipboard_hub_create(void);
/* After all viewers. */
void ph_clipboard_hub_destroy(struct ph_clipboard_hub *hub);

/* For the desktop's clipboard, with the ph_clipboard_hub as data. */
extern const struct ph_clipboard_events ph_clipboard_hub_events;
/* Its clipboard, which is ours from here on; NULL: it has none. */
void ph_clipboard_hub_attach(
        struct ph_clipboard_hub *hub, struct ph_clipboard *clipboard);

/* Whether there is a clipboard. Here and below: hub NULL, there is none. */
bool ph_clipboard_hub_works(const struct ph_clipboard_hub *hub);
/* It sent input: gets what can be pasted, and whatever is copied until another
 * one drives. */
void ph_clipboard_hub_drove(
        struct ph_clipboard_hub *hub, struct ph_viewer *viewer);
/* A viewer copied that; it drives. */
void ph_clipboard_hub_offer(struct ph_clipboard_hub *hub,
        struct ph_viewer *viewer, struct ph_clip *clip);
/* It is about to be destroyed. */
void ph_clipboard_hub_leave(
        struct ph_clipboard_hub *hub, const struct ph_viewer *viewer);
