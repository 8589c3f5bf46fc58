/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * When a picture that stands still is to become better: a few repeats flagged
 * PH_HXFR_FRAME_REFINE, after each change and each keyframe. Times are ns of
 * one clock of the caller's, which may be that of its pictures.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/clock.h"

enum {
    PH_REFINE_STEPS = 3,
};

/* Without a change for so long the screen stands still: longer than between
 * two keys of somebody who types. */
#define PH_REFINE_STILL_NS (150 * PH_NS_PER_MS)
/* From a step to the next: viewers must not get them faster than a second's
 * bits allow. */
#define PH_REFINE_STEP_NS (250 * PH_NS_PER_MS)

struct ph_refine { /* zeroed: no step is ahead */
    unsigned left;
    int64_t due;
};

/* A change, or a keyframe: all steps are ahead again. */
static inline void ph_refine_begin(struct ph_refine *r, int64_t now)
{
    r->left = PH_REFINE_STEPS;
    r->due = now + PH_REFINE_STILL_NS;
}

/* When the next step is to be taken; PH_NEVER: none is ahead. */
static inline int64_t ph_refine_due(const struct ph_refine *r)
{
    return r->left ? r->due : PH_NEVER;
}

/* One was taken. */
static inline void ph_refine_took(struct ph_refine *r, int64_t now)
{
    r->left--;
    r->due = now + PH_REFINE_STEP_NS;
}
