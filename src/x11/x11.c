/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11/x11.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"

/* Bit of an event that another client sent. */
#define SENT 0x80

static xcb_screen_t *find_screen(xcb_connection_t *conn, int number)
{
    xcb_screen_iterator_t it = xcb_setup_roots_iterator(xcb_get_setup(conn));
    for (; it.rem > 0; xcb_screen_next(&it), number--) {
        if (number == 0) {
            return it.data;
        }
    }
    return NULL;
}

static const char *reason(int code)
{
    switch (code) {
    case XCB_CONN_CLOSED_PARSE_ERR:
        return "that is not the name of a display (:0, host:1)";
    case XCB_CONN_CLOSED_INVALID_SCREEN:
        return "it has no such screen";
    default:
        return "is it running, and does $XAUTHORITY name its cookie file?";
    }
}

/* Takes over the connection; display: for the error. */
static bool begin(struct ph_x11 *x, xcb_connection_t *conn, int number,
        const char *display, char *error, size_t size)
{
    *x = (struct ph_x11){.conn = conn};
    int code = xcb_connection_has_error(x->conn);
    if (code == 0) {
        x->screen = find_screen(x->conn, number);
    }
    if (!x->screen) {
        const char *name = display ? display : getenv("DISPLAY");
        snprintf(error, size, "cannot connect to the X display %s: %s",
                name ? name : "(there is no $DISPLAY)",
                reason(code ? code : XCB_CONN_CLOSED_INVALID_SCREEN));
        ph_x11_finish(x);
        return false;
    }
    x->root = x->screen->root;
    x->width = x->screen->width_in_pixels;
    x->height = x->screen->height_in_pixels;
    return true;
}

bool ph_x11_connect(
        struct ph_x11 *x, const char *display, char *error, size_t size)
{
    int number = 0;
    xcb_connection_t *conn = xcb_connect(display, &number);
    return begin(x, conn, number, display, error, size);
}

bool ph_x11_connect_cookie(struct ph_x11 *x, const char *display,
        const uint8_t cookie[PH_X11_COOKIE], char *error, size_t size)
{
    int number = 0;
    char name[] = PH_X11_COOKIE_NAME;
    char data[PH_X11_COOKIE];
    memcpy(data, cookie, sizeof(data));
    xcb_auth_info_t auth = {sizeof(name) - 1, name, sizeof(data), data};
    xcb_connection_t *conn =
            xcb_connect_to_display_with_auth_info(display, &auth, &number);
    return begin(x, conn, number, display, error, size);
}

void ph_x11_finish(struct ph_x11 *x)
{
    if (x->conn) {
        xcb_disconnect(x->conn); /* one in error, too */
    }
    memset(x, 0, sizeof(*x));
}

bool ph_x11_has(struct ph_x11 *x, xcb_extension_t *extension, const char *name,
        char *error, size_t size)
{
    const xcb_query_extension_reply_t *data =
            xcb_get_extension_data(x->conn, extension);
    if (data && data->present) {
        return true;
    }
    if (error) {
        snprintf(error, size, "the X server does not have the extension %s",
                name);
    }
    return false;
}

bool ph_x11_is_event(struct ph_x11 *x, const xcb_generic_event_t *event,
        xcb_extension_t *extension, uint8_t number)
{
    const xcb_query_extension_reply_t *data =
            xcb_get_extension_data(x->conn, extension);
    return data && data->present &&
            (event->response_type & ~SENT) == data->first_event + number;
}

bool ph_x11_is_generic(struct ph_x11 *x, const xcb_generic_event_t *event,
        xcb_extension_t *extension, uint16_t type)
{
    const xcb_ge_generic_event_t *ge = (const xcb_ge_generic_event_t *)event;
    const xcb_query_extension_reply_t *data =
            xcb_get_extension_data(x->conn, extension);
    return data && data->present &&
            (event->response_type & ~SENT) == XCB_GE_GENERIC &&
            ge->extension == data->major_opcode && ge->event_type == type;
}

bool ph_x11_follow_size(struct ph_x11 *x, const xcb_generic_event_t *event)
{
    const xcb_configure_notify_event_t *e =
            (const xcb_configure_notify_event_t *)event;
    if ((event->response_type & ~SENT) != XCB_CONFIGURE_NOTIFY ||
            e->window != x->root ||
            (e->width == x->width && e->height == x->height)) {
        return false;
    }
    x->width = e->width;
    x->height = e->height;
    return true;
}

void ph_x11_watch_size(struct ph_x11 *x)
{
    const uint32_t mask = XCB_EVENT_MASK_STRUCTURE_NOTIFY;
    xcb_change_window_attributes(x->conn, x->root, XCB_CW_EVENT_MASK, &mask);
    /* What changed between the greeting and now. */
    AUTOFREE xcb_get_geometry_reply_t *g = xcb_get_geometry_reply(
            x->conn, xcb_get_geometry(x->conn, x->root), NULL);
    if (g) {
        x->width = g->width;
        x->height = g->height;
    }
}

void ph_x11_warp(struct ph_x11 *x, uint32_t px, uint32_t py)
{
    xcb_warp_pointer(
            x->conn, XCB_NONE, x->root, 0, 0, 0, 0, (int16_t)px, (int16_t)py);
    xcb_flush(x->conn);
}
