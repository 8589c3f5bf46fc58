/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The whole program: one desktop, its source and seat, its hub and server. */
#pragma once

#include "deskd/options.h"

/* Runs until SIGTERM or SIGINT. Returns the exit code. */
int ph_app_run(const struct ph_deskd_options *options);
