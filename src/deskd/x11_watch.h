/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * An X connection in the main loop. Whatever is sent may read what has come,
 * so that the descriptor tells only half: this looks into XCB's queue, too.
 */
#pragma once

#include <glib.h>

#include "x11/x11.h"

struct ph_x11_watch_events {
    void (*event)(void *data, const xcb_generic_event_t *event);
    /* Something came: answers may be there. Or NULL. */
    void (*came)(void *data);
    /* The connection is over, and the watch removed. */
    void (*lost)(void *data);
};

/* On the default main context; the number is for g_source_remove, before the
 * connection ends. */
guint ph_x11_watch(
        struct ph_x11 *x, const struct ph_x11_watch_events *events, void *data);
