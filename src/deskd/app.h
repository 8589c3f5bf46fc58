/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole program: the outputs of a desktop that are shown, and the server.
 */
#pragma once

#include "deskd/options.h"

/* Runs until SIGTERM or SIGINT. Returns the exit code. */
int ph_app_run(const struct ph_deskd_options *options);
