/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Which backends of this build a test can use on this machine. */
#pragma once

#include <string.h>

#include "common/macros.h"
#include "hostd/encoder.h"

#include "check.h"

/* False: it needs a device that is not there, and says so. What needs none
 * must work. */
static inline bool encoder_works(const struct ph_encoder_ops *ops)
{
    static const char *const hardware[] = {
            "nvenc", "vaapi", "qsv", "videotoolbox"};
    char why[160] = "";
    bool needs_device = false;
    for (size_t i = 0; i < PH_LEN(hardware); i++) {
        needs_device = needs_device || strcmp(ops->name, hardware[i]) == 0;
    }
    bool works = ph_encoder_probe(ops, why, sizeof(why));
    CHECK(works || (needs_device && why[0]));
    if (!works) {
        printf("%s: %s\n", ops->name, why);
    }
    return works;
}
