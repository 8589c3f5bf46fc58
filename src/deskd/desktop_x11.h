/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What desktop_x11.c makes; each has a connection of its own. */
#pragma once

#include "deskd/desktop.h"

/* display: NULL for $DISPLAY. embed: the pointer is in the picture. NULL from
 * any of these: error[size] says why and what to do. */
struct ph_capture *ph_capture_x11_create(const char *display, uint32_t fps,
        bool embed, const struct ph_capture_events *events, void *data,
        char *error, size_t size);
/* layout: NULL leaves the server's own. */
struct ph_input *ph_input_x11_create(
        const char *display, const char *layout, char *error, size_t size);
struct ph_clipboard *ph_clipboard_x11_create(const char *display,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size);
