/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads an X selection: asks its owner, takes what comes, also in pieces
 * (INCR). One after another; an owner that does not answer is given up. Main
 * thread.
 */
#pragma once

#include "deskd/x11_atoms.h"

struct ph_x11_paste;

/* data NULL: reason says why not; data are valid during the call. type: of
 * the property, as the owner says. */
typedef void ph_x11_paste_done(void *user, xcb_atom_t type, const uint8_t *data,
        size_t size, const char *reason);

/* window: of ours, which tells its property changes. All outlive the paste. */
struct ph_x11_paste *ph_x11_paste_create(struct ph_x11 *x, xcb_window_t window,
        const struct ph_x11_atoms *atoms);
/* What has not come is done without data. */
void ph_x11_paste_destroy(struct ph_x11_paste *paste);
void ph_x11_paste_read(struct ph_x11_paste *paste, xcb_atom_t target,
        size_t most, ph_x11_paste_done *done, void *user);
/* False: the event is not for it. */
bool ph_x11_paste_event(
        struct ph_x11_paste *paste, const xcb_generic_event_t *event);
