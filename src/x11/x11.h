/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection to an X server, as capture, input and clipboard each have one
 * of their own. The connection belongs to one thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xcb/xcb.h>

/* XKB and XTEST number keys so: evdev + 8. */
#define PH_X11_KEYCODE_OFFSET 8
/* Bytes, and its name where one is asked for. */
#define PH_X11_COOKIE 16
#define PH_X11_COOKIE_NAME "MIT-MAGIC-COOKIE-1"

struct ph_x11 {
    xcb_connection_t *conn; /* NULL: not connected */
    xcb_screen_t *screen;
    xcb_window_t root;
    uint16_t width; /* of the root window; the owner follows its changes */
    uint16_t height;
};

/* display: ":7", "host:0.1"; NULL for $DISPLAY. False: error[size] says why
 * and what to do, and *x is as after ph_x11_finish. */
bool ph_x11_connect(
        struct ph_x11 *x, const char *display, char *error, size_t size);
/* With a cookie of our own instead of $XAUTHORITY's. */
bool ph_x11_connect_cookie(struct ph_x11 *x, const char *display,
        const uint8_t cookie[PH_X11_COOKIE], char *error, size_t size);
void ph_x11_finish(struct ph_x11 *x);

/* Whether the server has it; its numbers are from xcb_get_extension_data
 * afterwards. name is for the error, which NULL leaves out. */
bool ph_x11_has(struct ph_x11 *x, xcb_extension_t *extension, const char *name,
        char *error, size_t size);

/* Number of an event that came from an extension: 0 is its first. */
bool ph_x11_is_event(struct ph_x11 *x, const xcb_generic_event_t *event,
        xcb_extension_t *extension, uint8_t number);
/* A generic event (XInput 2) of an extension, of this type. */
bool ph_x11_is_generic(struct ph_x11 *x, const xcb_generic_event_t *event,
        xcb_extension_t *extension, uint16_t type);

/* Takes the root window's new size from an event, if it is that. */
bool ph_x11_follow_size(struct ph_x11 *x, const xcb_generic_event_t *event);
/* Puts the pointer there. */
void ph_x11_warp(struct ph_x11 *x, uint32_t px, uint32_t py);
/* Such events from now on. */
void ph_x11_watch_size(struct ph_x11 *x);
