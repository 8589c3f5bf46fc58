/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A remote desktop of Mutter's, over D-Bus: a RemoteDesktop session and a
 * ScreenCast session that belong together, with one stream. Which methods
 * there are, and what they take, is what the bus says: Mutter's versions
 * differ.
 *
 * Counted references; any thread. A session that Mutter closed stays closed:
 * another one takes its place.
 */
#pragma once

#include <gio/gio.h>
#include <stdbool.h>
#include <stdint.h>

struct ph_mutter_session;

struct ph_mutter_wish {
    /* A monitor that exists for us only, of the size that we ask for; else
     * the one that the desktop has. */
    bool is_virtual;
    const char *monitor; /* its connector; NULL: the first */
    bool embed_cursor; /* into the pictures */
};

/* Returns when the stream has its node, which takes some 20 ms; gives up
 * after 10 s. NULL: error[size] says why and what to do. */
struct ph_mutter_session *ph_mutter_session_open(
        const struct ph_mutter_wish *wish, char *error, size_t size);
struct ph_mutter_session *ph_mutter_session_ref(struct ph_mutter_session *s);
void ph_mutter_session_unref(struct ph_mutter_session *s);
/* Ends it at Mutter, whoever holds references still. */
void ph_mutter_session_close(struct ph_mutter_session *s);

/* Readable once the session is over. Not to be read from. */
int ph_mutter_session_fd(const struct ph_mutter_session *s);
bool ph_mutter_session_is_over(const struct ph_mutter_session *s);

/* The stream: PipeWire's node, and its name for pointers and fingers. */
uint32_t ph_mutter_session_node(const struct ph_mutter_session *s);
const char *ph_mutter_session_stream(const struct ph_mutter_session *s);

/* Whether the remote desktop has a method, and of what type an argument is. */
bool ph_mutter_session_has(
        const struct ph_mutter_session *s, const char *method);
bool ph_mutter_session_takes(const struct ph_mutter_session *s,
        const char *method, unsigned argument, const char *type);
/* Calls a method of the remote desktop; takes a floating params. Without done
 * nothing comes back; else it is called in the thread's main context. */
void ph_mutter_session_call(struct ph_mutter_session *s, const char *method,
        GVariant *params, GAsyncReadyCallback done, void *data);
GDBusConnection *ph_mutter_session_bus(const struct ph_mutter_session *s);
const char *ph_mutter_session_path(const struct ph_mutter_session *s);

#define PH_MUTTER_REMOTE "org.gnome.Mutter.RemoteDesktop"
#define PH_MUTTER_REMOTE_SESSION PH_MUTTER_REMOTE ".Session"
