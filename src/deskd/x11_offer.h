/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Owns an X selection: gives other programs what was offered, what is large
 * in pieces (INCR). A program that does not take its pieces is given up. Main
 * thread.
 */
#pragma once

#include "deskd/x11_atoms.h"

struct ph_x11_offer;

/* window: of ours. All outlive the offer. */
struct ph_x11_offer *ph_x11_offer_create(struct ph_x11 *x, xcb_window_t window,
        const struct ph_x11_atoms *atoms);
void ph_x11_offer_destroy(struct ph_x11_offer *offer);
/* Takes the selection over. type: a MIME type that x11_atoms.h knows, else
 * nothing is done. */
void ph_x11_offer_set(struct ph_x11_offer *offer, const char *type,
        const uint8_t *data, size_t size);
/* What is offered, while the selection is ours; NULL: nothing of that type. */
const uint8_t *ph_x11_offer_get(
        const struct ph_x11_offer *offer, const char *type, size_t *size);
/* False: the event is not for it. */
bool ph_x11_offer_event(
        struct ph_x11_offer *offer, const xcb_generic_event_t *event);
