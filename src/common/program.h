/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Where the other programs of this project are. */
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
