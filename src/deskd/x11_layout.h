/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The keyboard layout of an X server and its locks. Main thread; these wait
 * for the server, but for ph_x11_layout_lock. */
#pragma once

#include "x11/x11.h"

/* Has the server load it: "de", "us(intl)", "de,us". Nothing is done when it
 * has it already. False: error[size] says why. */
bool ph_x11_layout_load(
        struct ph_x11 *x, const char *layout, char *error, size_t size);

/* Bits of the core protocol's modifiers. */
#define PH_X11_MOD_LOCK 0x02
/* Which of them NumLock is; 0: none. */
uint8_t ph_x11_layout_num_mod(struct ph_x11 *x);
void ph_x11_layout_lock(struct ph_x11 *x, bool caps, bool num, uint8_t num_mod);
