/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The selection CLIPBOARD. A server that goes is asked for again now and
 * then: what others copy must be heard of without anybody asking.
 */
#include "deskd/desktop_x11.h"

#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xfixes.h>

#include "common/alloc.h"
#define LOG_MODULE "clipboard"
#include "common/log.h"
#include "deskd/x11_offer.h"
#include "deskd/x11_paste.h"
#include "deskd/x11_watch.h"

#define RECONNECT_MS 1000
#define MAX_TARGETS 4096 /* bytes of a list of them */

struct x11 {
    struct ph_clipboard base;
    char *display;
    struct ph_x11 x;
    xcb_window_t window;
    struct ph_x11_atoms atoms;
    struct ph_x11_paste *paste;
    struct ph_x11_offer *offer;
    guint watch;
    guint retry;
    bool has[PH_X11_ATOM_COUNT]; /* what the owner offers */
};

struct read {
    char *type;
    bool latin1;
    ph_clipboard_read_done *done;
    void *user;
};

static struct x11 *from_base(struct ph_clipboard *clipboard)
{
    return PH_CONTAINER(clipboard, struct x11, base);
}

static void tell(struct x11 *c)
{
    const char *types[PH_X11_ATOM_COUNT];
    size_t count = 0;
    for (uint32_t i = PH_X11_ATOM_FIRST_TARGET; i < PH_X11_ATOM_COUNT; i++) {
        const char *type = ph_x11_atoms_type((enum ph_x11_atom)i);
        /* Names of one type stand side by side. */
        if (c->has[i] && (count == 0 || strcmp(types[count - 1], type) != 0)) {
            types[count++] = type;
        }
    }
    c->base.events->changed(c->base.data, types, count);
}

static void on_targets(void *user, xcb_atom_t type, const uint8_t *data,
        size_t size, const char *reason)
{
    struct x11 *c = user;
    memset(c->has, 0, sizeof(c->has));
    if (!data) {
        LOG_DBG("what can be pasted: %s", reason);
    }
    for (size_t at = 0; data && at + 4 <= size; at += 4) {
        xcb_atom_t atom;
        memcpy(&atom, data + at, 4);
        for (size_t i = 0; i < PH_X11_ATOM_COUNT; i++) {
            c->has[i] = c->has[i] || c->atoms.atom[i] == atom;
        }
    }
    if (c->x.conn) {
        tell(c);
    }
}

static void handle_owner(
        struct x11 *c, const xcb_xfixes_selection_notify_event_t *event)
{
    if (event->owner == c->window) {
        return;
    }
    if (event->owner == XCB_NONE) {
        memset(c->has, 0, sizeof(c->has));
        tell(c);
        return;
    }
    ph_x11_paste_read(c->paste, c->atoms.atom[PH_X11_ATOM_TARGETS], MAX_TARGETS,
            on_targets, c);
}

static void handle_event(void *data, const xcb_generic_event_t *event)
{
    struct x11 *c = data;
    if (ph_x11_is_event(
                &c->x, event, &xcb_xfixes_id, XCB_XFIXES_SELECTION_NOTIFY)) {
        handle_owner(c, (const xcb_xfixes_selection_notify_event_t *)event);
    } else if (!ph_x11_paste_event(c->paste, event)) {
        ph_x11_offer_event(c->offer, event);
    }
}

static void disconnect(struct x11 *c)
{
    if (c->watch) {
        g_source_remove(c->watch);
        c->watch = 0;
    }
    struct ph_x11 x = c->x;
    c->x.conn = NULL; /* no news of what ends now */
    g_clear_pointer(&c->paste, ph_x11_paste_destroy);
    c->x = x;
    g_clear_pointer(&c->offer, ph_x11_offer_destroy);
    ph_x11_finish(&c->x);
}

static gboolean on_retry(gpointer data);

static void on_lost(void *data)
{
    struct x11 *c = data;
    LOG_WARN("the X server closed the connection");
    c->watch = 0;
    disconnect(c);
    c->retry = g_timeout_add(RECONNECT_MS, on_retry, c);
}

static const struct ph_x11_watch_events watch_events = {
        .event = handle_event,
        .lost = on_lost,
};

static bool prepare(struct x11 *c, char *error, size_t size)
{
    const uint32_t mask = XCB_EVENT_MASK_PROPERTY_CHANGE;
    if (!ph_x11_has(&c->x, &xcb_xfixes_id, "XFIXES", error, size)) {
        return false;
    }
    g_autofree xcb_xfixes_query_version_reply_t *version =
            xcb_xfixes_query_version_reply(
                    c->x.conn, xcb_xfixes_query_version(c->x.conn, 2, 0), NULL);
    if (!version || !ph_x11_atoms_get(&c->atoms, &c->x)) {
        snprintf(error, size, "the X server is gone");
        return false;
    }
    c->window = xcb_generate_id(c->x.conn);
    xcb_create_window(c->x.conn, XCB_COPY_FROM_PARENT, c->window, c->x.root, 0,
            0, 1, 1, 0, XCB_WINDOW_CLASS_INPUT_ONLY, XCB_COPY_FROM_PARENT,
            XCB_CW_EVENT_MASK, &mask);
    xcb_xfixes_select_selection_input(c->x.conn, c->window,
            c->atoms.atom[PH_X11_ATOM_CLIPBOARD],
            XCB_XFIXES_SELECTION_EVENT_MASK_SET_SELECTION_OWNER |
                    XCB_XFIXES_SELECTION_EVENT_MASK_SELECTION_WINDOW_DESTROY |
                    XCB_XFIXES_SELECTION_EVENT_MASK_SELECTION_CLIENT_CLOSE);
    c->paste = ph_x11_paste_create(&c->x, c->window, &c->atoms);
    c->offer = ph_x11_offer_create(&c->x, c->window, &c->atoms);
    /* What is there already. */
    ph_x11_paste_read(c->paste, c->atoms.atom[PH_X11_ATOM_TARGETS], MAX_TARGETS,
            on_targets, c);
    return true;
}

static bool connect_x11(struct x11 *c, char *error, size_t size)
{
    if (!ph_x11_connect(&c->x, c->display, error, size)) {
        return false;
    }
    if (!prepare(c, error, size)) {
        disconnect(c);
        return false;
    }
    c->watch = ph_x11_watch(&c->x, &watch_events, c);
    return true;
}

static gboolean on_retry(gpointer data)
{
    struct x11 *c = data;
    char error[256];
    if (!connect_x11(c, error, sizeof(error))) {
        LOG_DBG("%s", error);
        return G_SOURCE_CONTINUE;
    }
    c->retry = 0;
    return G_SOURCE_REMOVE;
}

static void on_read(void *user, xcb_atom_t type, const uint8_t *data,
        size_t size, const char *reason)
{
    struct read *r = user;
    g_autofree char *utf8 = NULL;
    if (data && r->latin1) {
        gsize written = 0;
        utf8 = g_convert((const char *)data, (gssize)size, "UTF-8",
                "ISO-8859-1", NULL, &written, NULL);
        data = (const uint8_t *)utf8;
        size = written;
        reason = "it is no text";
    }
    r->done(r->user, r->type, data, size, reason);
    g_free(r->type);
    g_free(r);
}

/* The name by which the owner has it; the first one when it did not say. */
static uint32_t target_of(const struct x11 *c, const char *type)
{
    uint32_t found = PH_X11_ATOM_COUNT;
    for (uint32_t i = PH_X11_ATOM_COUNT; i-- > PH_X11_ATOM_FIRST_TARGET;) {
        if (!strcmp(ph_x11_atoms_type((enum ph_x11_atom)i), type) &&
                c->has[i]) {
            found = i;
        }
    }
    return found;
}

static void read_clipboard(struct ph_clipboard *clipboard, const char *type,
        size_t most, ph_clipboard_read_done *done, void *user)
{
    struct x11 *c = from_base(clipboard);
    size_t size = 0;
    const uint8_t *own =
            c->offer ? ph_x11_offer_get(c->offer, type, &size) : NULL;
    uint32_t target = target_of(c, type);
    if (own && size <= most) {
        done(user, type, own, size, "");
        return;
    }
    if (own || !c->paste || target == PH_X11_ATOM_COUNT) {
        done(user, type, NULL, 0,
                own                ? "it is too large"
                        : c->paste ? "the clipboard has nothing of that kind"
                                   : "the desktop is gone");
        return;
    }
    struct read *r = g_new0(struct read, 1);
    *r = (struct read){
            g_strdup(type), target == PH_X11_ATOM_STRING, done, user};
    ph_x11_paste_read(c->paste, c->atoms.atom[target], most, on_read, r);
}

static void offer(struct ph_clipboard *clipboard, const char *type,
        const uint8_t *data, size_t size)
{
    struct x11 *c = from_base(clipboard);
    if (c->offer) {
        ph_x11_offer_set(c->offer, type, data, size);
    }
}

static void destroy(struct ph_clipboard *clipboard)
{
    struct x11 *c = from_base(clipboard);
    if (c->retry) {
        g_source_remove(c->retry);
    }
    disconnect(c);
    free(c->display);
    free(c);
}

static const struct ph_clipboard_ops ops = {
        .name = "x11",
        .read = read_clipboard,
        .offer = offer,
        .destroy = destroy,
};

struct ph_clipboard *ph_clipboard_x11_create(const char *display,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size)
{
    struct x11 *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_clipboard){&ops, events, data};
    c->display = display ? ph_xstrdup(display) : NULL;
    if (!connect_x11(c, error, size)) {
        destroy(&c->base);
        return NULL;
    }
    return &c->base;
}
