/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Text for an X server, typed: what the layout has on a key alone or with
 * Shift by that key, everything else by keys that the layout leaves free,
 * which get the characters for as long as it takes. A program learns what a
 * key means only when it asks, so a key keeps its meaning for a while, and a
 * text with very many different characters takes its time. Main thread.
 */
#pragma once

#include "x11/x11.h"

struct ph_x11_text;

/* The layout is loaded by then. x must outlive it. */
struct ph_x11_text *ph_x11_text_create(struct ph_x11 *x);
/* The free keys are free again. */
void ph_x11_text_destroy(struct ph_x11_text *text);
/* UTF-8 that was checked; a call may come while the text before is typed. */
void ph_x11_text_type(struct ph_x11_text *text, const char *utf8, size_t len);
