/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Whether what a driver encodes is the picture that it got: decodes access
 * units as a browser does, and compares. One thread.
 */
#pragma once

#include "hostd/encoder.h"

struct ph_encoder_check;

/* NULL: this libavcodec has no decoder for H.264. */
struct ph_encoder_check *ph_encoder_check_create(void);
void ph_encoder_check_destroy(struct ph_encoder_check *check);

/* The next access unit of a stream. NULL: it gives this picture, at once; else
 * what is wrong with it. */
const char *ph_encoder_check_unit(struct ph_encoder_check *check,
        const struct ph_encoder_output *unit, const struct ph_nv12 *picture);
