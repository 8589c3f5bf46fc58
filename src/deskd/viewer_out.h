/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What goes out to one viewer, one message at a time while its transport is
 * free: first what is small, then frames, then a piece of the clipboard. Main
 * thread only.
 */
#pragma once

#include "deskd/viewer.h"

void ph_viewer_send(struct ph_viewer *viewer, const struct ph_writer *w,
        struct ph_unit *unit);
void ph_viewer_pump(struct ph_viewer *viewer);
