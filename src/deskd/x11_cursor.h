/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The pointer of an X screen: its shape by XFIXES, where it is by XInput 2's
 * raw motion and a question each. Nothing here waits for the server.
 */
#pragma once

#include "deskd/capture.h"
#include "x11/x11.h"

struct ph_x11_cursor {
    struct ph_x11 *x;
    bool asked_image;
    bool asked_position;
    bool stale_image; /* changed while the answer was under way */
    bool stale_position;
    bool unsent; /* questions */
    unsigned image_sequence;
    unsigned position_sequence;
    struct ph_capture_cursor now;
    bool changed; /* since it was taken */
    bool shape_changed;
    uint8_t *pixels; /* RGBA, of now.width x now.height */
};

/* x has XFIXES. It outlives the cursor. */
void ph_x11_cursor_init(struct ph_x11_cursor *c, struct ph_x11 *x);
void ph_x11_cursor_finish(struct ph_x11_cursor *c);
/* False: the event is not about the pointer. */
bool ph_x11_cursor_event(
        struct ph_x11_cursor *c, const xcb_generic_event_t *event);
/* It may have been moved in a way that makes no event. */
void ph_x11_cursor_ask(struct ph_x11_cursor *c);
/* Takes answers that are there, and asks what must be asked. True: *out is
 * news; its data are valid until the next call. What was asked has to be
 * sent (c->unsent); that may read answers, so take again afterwards. */
bool ph_x11_cursor_take(struct ph_x11_cursor *c, struct ph_capture_cursor *out);
