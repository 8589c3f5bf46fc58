/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What desktop_sway.c writes: apart, for its test. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/desktop.h"

/* The frames that the headless output counts a second. */
#define PH_SWAY_REFRESH_HZ 60
#define PH_SWAY_READY "porthole: sway is ready on "

/* "de" and "de(nodeadkeys)": a layout and a variant, in the letters that XKB
 * names have; each out[size]. False: it is neither. */
bool ph_sway_split_layout(
        const char *text, char *layout, char *variant, size_t size);

/* The text of the configuration file. False: out[size] is too small. */
bool ph_sway_config(const struct ph_desktop_wish *wish, const char *layout,
        const char *variant, char *out, size_t size);
