/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What a framework folder holds besides its library: Info.plist and the
 * symlinks of a versioned bundle. */
#pragma once

#include "relink/graph.h"
#include "relink/stage.h"

/* Stages what is not there yet; an Info.plist that is there is kept. */
bool ph_framework_stage(
        struct ph_stage *s, const char *into, const struct ph_lib *lib);
/* The text of a plain Info.plist: the caller's to free. */
char *ph_framework_info_plist(const char *name);
