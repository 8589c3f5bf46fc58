/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_offer.h"

#include <glib.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/clock.h"

/* What is larger goes in pieces of that size. */
#define PIECE ((size_t)128 << 10)
#define PATIENCE_MS 5000
#define MAX_TRANSFERS 16

/* Contents on their way to a program. */
struct transfer {
    xcb_window_t window; /* XCB_NONE: none */
    xcb_atom_t property;
    xcb_atom_t target;
    GBytes *data;
    size_t sent;
    int64_t until; /* it must have taken a piece */
};

struct ph_x11_offer {
    struct ph_x11 *x;
    xcb_window_t window;
    const struct ph_x11_atoms *atoms;
    const char *type; /* NULL: nothing is offered */
    GBytes *data;
    struct transfer transfers[MAX_TRANSFERS];
    guint timer; /* while there are transfers */
};

static void end_transfer(struct ph_x11_offer *o, struct transfer *t)
{
    const uint32_t none = 0;
    if (t->window != XCB_NONE) {
        xcb_change_window_attributes(
                o->x->conn, t->window, XCB_CW_EVENT_MASK, &none);
        g_bytes_unref(t->data);
        *t = (struct transfer){0};
    }
}

static gboolean on_timer(gpointer data)
{
    struct ph_x11_offer *o = data;
    int64_t now = ph_clock_ns();
    bool any = false;
    for (size_t i = 0; i < MAX_TRANSFERS; i++) {
        if (o->transfers[i].window != XCB_NONE && o->transfers[i].until < now) {
            end_transfer(o, &o->transfers[i]);
        }
        any = any || o->transfers[i].window != XCB_NONE;
    }
    xcb_flush(o->x->conn);
    o->timer = any ? o->timer : 0;
    return any ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static void change(struct ph_x11_offer *o, xcb_window_t window,
        xcb_atom_t property, xcb_atom_t type, const void *data, size_t size)
{
    xcb_change_property(o->x->conn, XCB_PROP_MODE_REPLACE, window, property,
            type, 8, (uint32_t)size, data);
}

static void change_32(struct ph_x11_offer *o, xcb_window_t window,
        xcb_atom_t property, xcb_atom_t type, const uint32_t *data,
        uint32_t count)
{
    xcb_change_property(o->x->conn, XCB_PROP_MODE_REPLACE, window, property,
            type, 32, count, data);
}

/* The next piece; an empty one is the last. */
static void send_piece(struct ph_x11_offer *o, struct transfer *t)
{
    size_t size;
    const uint8_t *data = g_bytes_get_data(t->data, &size);
    size_t piece = MIN(PIECE, size - t->sent);
    change(o, t->window, t->property, t->target, data + t->sent, piece);
    t->sent += piece;
    t->until = ph_clock_ns() + PATIENCE_MS * PH_NS_PER_MS;
    if (piece == 0) {
        end_transfer(o, t);
    }
    xcb_flush(o->x->conn);
}

/* False: there are too many on their way. */
static bool begin_transfer(struct ph_x11_offer *o, xcb_window_t window,
        xcb_atom_t property, xcb_atom_t target, GBytes *data)
{
    const uint32_t mask = XCB_EVENT_MASK_PROPERTY_CHANGE;
    uint32_t size = (uint32_t)g_bytes_get_size(data);
    for (size_t i = 0; i < MAX_TRANSFERS; i++) {
        struct transfer *t = &o->transfers[i];
        if (t->window != XCB_NONE) {
            continue;
        }
        *t = (struct transfer){.window = window,
                .property = property,
                .target = target,
                .data = g_bytes_ref(data),
                .until = ph_clock_ns() + PATIENCE_MS * PH_NS_PER_MS};
        xcb_change_window_attributes(
                o->x->conn, window, XCB_CW_EVENT_MASK, &mask);
        change_32(o, window, property, o->atoms->atom[PH_X11_ATOM_INCR], &size,
                1);
        if (!o->timer) {
            o->timer = g_timeout_add(PATIENCE_MS, on_timer, o);
        }
        return true;
    }
    return false;
}

static bool send_targets(
        struct ph_x11_offer *o, xcb_window_t window, xcb_atom_t property)
{
    uint32_t targets[PH_X11_ATOM_COUNT];
    uint32_t count = 0;
    targets[count++] = o->atoms->atom[PH_X11_ATOM_TARGETS];
    for (uint32_t i = PH_X11_ATOM_FIRST_TARGET; i < PH_X11_ATOM_COUNT; i++) {
        if (!g_strcmp0(ph_x11_atoms_type((enum ph_x11_atom)i), o->type)) {
            targets[count++] = o->atoms->atom[i];
        }
    }
    change_32(o, window, property, XCB_ATOM_ATOM, targets, count);
    return true;
}

/* The contents as that target wants them; NULL: it is no such target. */
static GBytes *contents(const struct ph_x11_offer *o, xcb_atom_t target)
{
    for (uint32_t i = PH_X11_ATOM_FIRST_TARGET; i < PH_X11_ATOM_COUNT; i++) {
        if (target != o->atoms->atom[i] ||
                g_strcmp0(ph_x11_atoms_type((enum ph_x11_atom)i), o->type)) {
            continue;
        }
        if (i != PH_X11_ATOM_STRING) {
            return g_bytes_ref(o->data);
        }
        size_t size;
        gsize written = 0;
        const char *text = g_bytes_get_data(o->data, &size);
        char *latin1 = g_convert_with_fallback(text, (gssize)size, "ISO-8859-1",
                "UTF-8", "?", NULL, &written, NULL);
        return latin1 ? g_bytes_new_take(latin1, written) : NULL;
    }
    return NULL;
}

static bool serve(struct ph_x11_offer *o, xcb_window_t window,
        xcb_atom_t property, xcb_atom_t target)
{
    if (!o->type) {
        return false;
    }
    if (target == o->atoms->atom[PH_X11_ATOM_TARGETS]) {
        return send_targets(o, window, property);
    }
    g_autoptr(GBytes) data = contents(o, target);
    if (!data) {
        return false;
    }
    size_t size;
    const void *bytes = g_bytes_get_data(data, &size);
    if (size > PIECE) {
        return begin_transfer(o, window, property, target, data);
    }
    change(o, window, property, target, bytes, size);
    return true;
}

static void handle_request(
        struct ph_x11_offer *o, const xcb_selection_request_event_t *request)
{
    xcb_selection_notify_event_t answer = {
            .response_type = XCB_SELECTION_NOTIFY,
            .time = request->time,
            .requestor = request->requestor,
            .selection = request->selection,
            .target = request->target,
    };
    /* Programs of old leave it out. */
    xcb_atom_t property =
            request->property ? request->property : request->target;
    if (request->selection == o->atoms->atom[PH_X11_ATOM_CLIPBOARD] &&
            serve(o, request->requestor, property, request->target)) {
        answer.property = property;
    }
    char event[32] = {0}; /* what XCB sends, whatever the struct's size */
    memcpy(event, &answer, sizeof(answer));
    xcb_send_event(o->x->conn, false, request->requestor, 0, event);
    xcb_flush(o->x->conn);
}

static bool handle_taken(
        struct ph_x11_offer *o, const xcb_property_notify_event_t *event)
{
    for (size_t i = 0; i < MAX_TRANSFERS; i++) {
        struct transfer *t = &o->transfers[i];
        if (t->window == event->window && t->property == event->atom &&
                t->window != XCB_NONE) {
            if (event->state == XCB_PROPERTY_DELETE) {
                send_piece(o, t);
            }
            return true;
        }
    }
    return false;
}

static void drop(struct ph_x11_offer *o)
{
    o->type = NULL;
    g_clear_pointer(&o->data, g_bytes_unref);
}

bool ph_x11_offer_event(
        struct ph_x11_offer *o, const xcb_generic_event_t *event)
{
    switch (event->response_type & 0x7f) {
    case XCB_SELECTION_REQUEST:
        handle_request(o, (const xcb_selection_request_event_t *)event);
        return true;
    case XCB_SELECTION_CLEAR:
        drop(o);
        return true;
    case XCB_PROPERTY_NOTIFY:
        return handle_taken(o, (const xcb_property_notify_event_t *)event);
    default:
        return false;
    }
}

void ph_x11_offer_set(struct ph_x11_offer *o, const char *type,
        const uint8_t *data, size_t size)
{
    const char *known = NULL;
    for (uint32_t i = PH_X11_ATOM_FIRST_TARGET; i < PH_X11_ATOM_COUNT; i++) {
        const char *candidate = ph_x11_atoms_type((enum ph_x11_atom)i);
        known = g_strcmp0(candidate, type) ? known : candidate;
    }
    if (!known) {
        return;
    }
    drop(o);
    o->type = known;
    o->data = g_bytes_new(data, size);
    xcb_set_selection_owner(o->x->conn, o->window,
            o->atoms->atom[PH_X11_ATOM_CLIPBOARD], XCB_CURRENT_TIME);
    xcb_flush(o->x->conn);
}

const uint8_t *ph_x11_offer_get(
        const struct ph_x11_offer *o, const char *type, size_t *size)
{
    return o->type && !g_strcmp0(o->type, type)
            ? g_bytes_get_data(o->data, size)
            : NULL;
}

struct ph_x11_offer *ph_x11_offer_create(
        struct ph_x11 *x, xcb_window_t window, const struct ph_x11_atoms *atoms)
{
    struct ph_x11_offer *o = ph_xcalloc(1, sizeof(*o));
    o->x = x;
    o->window = window;
    o->atoms = atoms;
    return o;
}

void ph_x11_offer_destroy(struct ph_x11_offer *o)
{
    if (!o) {
        return;
    }
    for (size_t i = 0; i < MAX_TRANSFERS; i++) {
        end_transfer(o, &o->transfers[i]);
    }
    if (o->timer) {
        g_source_remove(o->timer);
    }
    drop(o);
    free(o);
}
