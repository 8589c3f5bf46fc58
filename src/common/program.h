/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where programs are: the others of this project, and anybody's. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Finds the program `name` ("porthole-hostd") and writes its path into
 * out[size]. Looks in $PORTHOLE_LIBEXEC (and there only, when it is set),
 * beside the running program, in the folder beside it that a build tree has
 * (src/cli/porthole finds src/hostd/porthole-hostd), then along $PATH. False:
 * not found, nothing is logged; *out is empty then.
 */
bool ph_program_find(const char *name, char *out, size_t size);

/* Any program, as execvp() would find it: along $PATH, or by its path when
 * there is a slash in it. */
bool ph_program_in_path(const char *name, char *out, size_t size);
