/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * GNOME Shell and Mutter as a desktop. Capture, input and clipboard share one
 * session; the capture makes it, and makes another when it is over, on its
 * own thread. The others ask for the newest each time.
 */
#pragma once

#include "deskd/desktop.h"
#include "deskd/mutter_session.h"

struct ph_mutter;

/* The session that pictures come from, with a reference; NULL: none now. Any
 * thread. */
struct ph_mutter_session *ph_mutter_take(struct ph_mutter *m);

/* Makes a session anew and shows it to the others; the one before is over. */
struct ph_mutter_session *ph_mutter_renew(
        struct ph_mutter *m, char *error, size_t size);
/* Ends the session; nothing when it is not the newest. */
void ph_mutter_end(struct ph_mutter *m, struct ph_mutter_session *session);

/* Tells on the main thread when there is another session, or none (NULL).
 * watch is the caller's until unwatch; main thread. */
struct ph_mutter_watch {
    void (*changed)(void *data, struct ph_mutter_session *session);
    void *data;
};
void ph_mutter_watch(struct ph_mutter *m, struct ph_mutter_watch *watch);
void ph_mutter_unwatch(struct ph_mutter *m, struct ph_mutter_watch *watch);

struct ph_mutter_clipboard;
/* The one of the desktop; main thread. */
struct ph_mutter_clipboard *ph_mutter_clipboard_of(struct ph_mutter *m);

/* How long a session may take to its first picture before it is made anew:
 * longer after each one that gave none. The capture's thread. */
int64_t ph_mutter_patience_ns(struct ph_mutter *m);
void ph_mutter_note_picture(struct ph_mutter *m);

/* Whether somebody looks: set by the capture, read by any thread. */
void ph_mutter_set_watched(struct ph_mutter *m, bool watched);
bool ph_mutter_is_watched(const struct ph_mutter *m);

/* What a monitor of the desktop's own should measure, in pixels: --size, then
 * what a viewer asked for last, in whatever session. The capture's thread. */
struct ph_mutter_size {
    uint32_t width;
    uint32_t height;
};
struct ph_mutter_size *ph_mutter_size(struct ph_mutter *m);

const struct ph_desktop_options *ph_mutter_options(const struct ph_mutter *m);
bool ph_mutter_is_virtual(const struct ph_mutter *m);

struct ph_capture *ph_capture_mutter_create(struct ph_mutter *m,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size);
struct ph_input *ph_input_mutter_create(struct ph_mutter *m);
struct ph_clipboard *ph_clipboard_mutter_create(struct ph_mutter *m,
        const struct ph_clipboard_events *events, void *data);
