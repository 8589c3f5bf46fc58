/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Areas that were scrolled or dragged. Plain memory, one thread.
 */
#pragma once

#include "video/pixels.h"

/* Copies the area inside the picture, in which it must lie at both places:
 * luma always, chroma when everything about the move is even. */
void ph_moves_apply(const struct ph_nv12 *picture, const struct ph_move *move);
