/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is signalled to viewers: complete, so that none has to guess. */
#pragma once

#include "proto/hxfr_ext.h"

/* For a picture of this format whose guest says `said` (2: unspecified). What
 * we convert ourselves is BT.601 limited whatever it says. */
struct ph_hxfr_colour ph_colour_complete(
        uint32_t format, const struct ph_hxfr_colour *said);

/* For version 1, which says nothing: NV12 is taken as GStreamer's default for
 * its height. */
struct ph_hxfr_colour ph_colour_v1(uint32_t format, uint32_t height);
