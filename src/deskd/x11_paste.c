/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_paste.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"

/* Without a sign of life from the owner. */
#define PATIENCE_MS 5000
/* Of one property, in units of 4 bytes: no program puts more into one. */
#define MAX_PROPERTY (64u << 20 >> 2)

struct request {
    xcb_atom_t target;
    size_t most;
    ph_x11_paste_done *done;
    void *user;
};

struct ph_x11_paste {
    struct ph_x11 *x;
    xcb_window_t window;
    const struct ph_x11_atoms *atoms;
    GQueue queue; /* of struct request; the first is asked for */
    GByteArray *data; /* in pieces: what has come; NULL: not in pieces */
    guint timer;
};

static void ask(struct ph_x11_paste *p);

/* Ends the first request. */
static void finish(struct ph_x11_paste *p, xcb_atom_t type, const uint8_t *data,
        size_t size, const char *reason)
{
    AUTOFREE struct request *r = g_queue_pop_head(&p->queue);
    GByteArray *pieces = p->data;
    p->data = NULL;
    if (p->timer) {
        g_source_remove(p->timer);
        p->timer = 0;
    }
    if (r) {
        r->done(r->user, type, data, size, reason);
    }
    if (pieces) {
        g_byte_array_unref(pieces);
    }
    ask(p);
}

static gboolean on_timeout(gpointer data)
{
    struct ph_x11_paste *p = data;
    p->timer = 0;
    finish(p, XCB_NONE, NULL, 0, "the program that has it does not answer");
    return G_SOURCE_REMOVE;
}

static void wait_on(struct ph_x11_paste *p)
{
    if (p->timer) {
        g_source_remove(p->timer);
    }
    p->timer = g_timeout_add(PATIENCE_MS, on_timeout, p);
}

static void ask(struct ph_x11_paste *p)
{
    const struct request *r = g_queue_peek_head(&p->queue);
    if (!r || p->timer) {
        return;
    }
    xcb_delete_property(
            p->x->conn, p->window, p->atoms->atom[PH_X11_ATOM_DATA]);
    xcb_convert_selection(p->x->conn, p->window,
            p->atoms->atom[PH_X11_ATOM_CLIPBOARD], r->target,
            p->atoms->atom[PH_X11_ATOM_DATA], XCB_CURRENT_TIME);
    xcb_flush(p->x->conn);
    wait_on(p);
}

void ph_x11_paste_read(struct ph_x11_paste *p, xcb_atom_t target, size_t most,
        ph_x11_paste_done *done, void *user)
{
    struct request *r = ph_xcalloc(1, sizeof(*r));
    *r = (struct request){target, most, done, user};
    g_queue_push_tail(&p->queue, r);
    ask(p);
}

/* Takes the property off our window, which tells the owner to go on. most: in
 * bytes, more is not fetched; *whole: that was all of it. */
static xcb_get_property_reply_t *take_property(
        struct ph_x11_paste *p, size_t most, bool *whole)
{
    uint32_t units = (uint32_t)MIN(most / 4 + 1, MAX_PROPERTY);
    xcb_get_property_reply_t *reply = xcb_get_property_reply(p->x->conn,
            xcb_get_property(p->x->conn, true, p->window,
                    p->atoms->atom[PH_X11_ATOM_DATA], XCB_GET_PROPERTY_TYPE_ANY,
                    0, units),
            NULL);
    *whole = reply && reply->bytes_after == 0;
    if (reply && reply->bytes_after > 0) { /* then it was not deleted */
        xcb_delete_property(
                p->x->conn, p->window, p->atoms->atom[PH_X11_ATOM_DATA]);
    }
    xcb_flush(p->x->conn);
    return reply;
}

static void handle_answer(
        struct ph_x11_paste *p, const xcb_selection_notify_event_t *event)
{
    const struct request *r = g_queue_peek_head(&p->queue);
    bool whole = false;
    if (!r || !p->timer || p->data || event->target != r->target) {
        return; /* late, of one that was given up */
    }
    if (event->property == XCB_NONE) {
        finish(p, XCB_NONE, NULL, 0,
                "the program that has it does not give it away");
        return;
    }
    AUTOFREE xcb_get_property_reply_t *reply =
            take_property(p, r->most, &whole);
    size_t size = reply ? (size_t)xcb_get_property_value_length(reply) : 0;
    if (reply && reply->type == p->atoms->atom[PH_X11_ATOM_INCR]) {
        p->data = g_byte_array_new();
        wait_on(p);
    } else if (!whole || size > r->most) {
        finish(p, XCB_NONE, NULL, 0, "it is too large");
    } else {
        finish(p, reply->type, xcb_get_property_value(reply), size, "");
    }
}

static void handle_piece(struct ph_x11_paste *p)
{
    const struct request *r = g_queue_peek_head(&p->queue);
    bool whole = false;
    AUTOFREE xcb_get_property_reply_t *reply =
            take_property(p, r->most, &whole);
    size_t size = reply ? (size_t)xcb_get_property_value_length(reply) : 0;
    if (!whole || size > r->most - p->data->len) {
        finish(p, XCB_NONE, NULL, 0, "it is too large");
    } else if (size == 0) {
        finish(p, reply->type, p->data->data ? p->data->data : (uint8_t *)"",
                p->data->len, "");
    } else {
        g_byte_array_append(
                p->data, xcb_get_property_value(reply), (guint)size);
        wait_on(p);
    }
}

bool ph_x11_paste_event(
        struct ph_x11_paste *p, const xcb_generic_event_t *event)
{
    const xcb_selection_notify_event_t *answer =
            (const xcb_selection_notify_event_t *)event;
    const xcb_property_notify_event_t *property =
            (const xcb_property_notify_event_t *)event;
    switch (event->response_type & 0x7f) {
    case XCB_SELECTION_NOTIFY:
        if (answer->requestor == p->window) {
            handle_answer(p, answer);
        }
        return true;
    case XCB_PROPERTY_NOTIFY:
        if (property->window != p->window) {
            return false;
        }
        if (p->data && property->state == XCB_PROPERTY_NEW_VALUE &&
                property->atom == p->atoms->atom[PH_X11_ATOM_DATA]) {
            handle_piece(p);
        }
        return true;
    default:
        return false;
    }
}

struct ph_x11_paste *ph_x11_paste_create(
        struct ph_x11 *x, xcb_window_t window, const struct ph_x11_atoms *atoms)
{
    struct ph_x11_paste *p = ph_xcalloc(1, sizeof(*p));
    p->x = x;
    p->window = window;
    p->atoms = atoms;
    g_queue_init(&p->queue);
    return p;
}

void ph_x11_paste_destroy(struct ph_x11_paste *p)
{
    if (!p) {
        return;
    }
    /* One after another, also what is asked for meanwhile. */
    while (!g_queue_is_empty(&p->queue)) {
        AUTOFREE struct request *r = g_queue_pop_head(&p->queue);
        r->done(r->user, XCB_NONE, NULL, 0, "the desktop is gone");
    }
    if (p->timer) {
        g_source_remove(p->timer);
    }
    g_clear_pointer(&p->data, g_byte_array_unref);
    free(p);
}
