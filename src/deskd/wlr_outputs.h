/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Changes the size and scale of a wlroots compositor's output, by
 * wlr-output-management. On the thread of the connection; nothing waits.
 */
#pragma once

#include "deskd/wayland.h"

struct ph_wlr_outputs;

/* NULL: the compositor does not offer it. The connection outlives it. */
struct ph_wlr_outputs *ph_wlr_outputs_create(struct ph_wayland *wayland);
void ph_wlr_outputs_destroy(struct ph_wlr_outputs *outputs);
/* name: of the output; scale: 1/120. A wish that comes while one is under way
 * follows it. */
void ph_wlr_outputs_resize(struct ph_wlr_outputs *outputs, const char *name,
        uint32_t width, uint32_t height, uint32_t scale);
