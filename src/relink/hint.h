/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is left to do on the Mac: the codesign commands. */
#pragma once

#include <stdio.h>

#include "relink/graph.h"

/* Prints the commands that sign all files of the graph that lie in `dir`, from
 * the inside out, and then the bundle (NULL: there is none). */
void ph_hint_print(FILE *out, const struct ph_graph *g, const char *dir,
        const char *bundle);
/* What to name to codesign for a file: itself, or the framework around it.
 * The caller's to free. */
char *ph_hint_item(const char *path);
