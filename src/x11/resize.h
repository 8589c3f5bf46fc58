/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The size of an X screen that has one output of no monitor: Xvfb's, or the
 * dummy driver's. */
#pragma once

#include "x11/x11.h"

/* Makes the screen as large as that, or as large as it can be. scale: 1/120,
 * for the millimetres that toolkits make dots per inch of. False: the server
 * cannot, error[size] says why. Waits for the server. */
bool ph_x11_resize(struct ph_x11 *x, uint32_t width, uint32_t height,
        uint32_t scale, char *error, size_t size);
