/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "hostd/encoder.h"

extern const struct ph_encoder_ops ph_encoder_videotoolbox;

/* For tests, before the first use: a library that stands in for Apple's, and
 * how long it may take over a frame. */
void ph_videotoolbox_pretend(const char *library, int64_t wait_ms);
