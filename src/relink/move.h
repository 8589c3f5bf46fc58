/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole of one move: scan, plan, apply, report. */
#pragma once

#include "relink/options.h"

/* The exit code. */
int ph_move_run(
        const struct ph_relink_options *o, char *const *binaries, size_t count);
