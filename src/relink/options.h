/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of porthole-relink. */
#pragma once

#include "common/opt.h"
#include "relink/plan.h"
#include "relink/rewrite.h"

struct ph_relink_options {
    const char *into;
    struct ph_opt_list from;
    struct ph_opt_list search;
    const char *layout_name;
    const char *prefix;
    const char *sign_name;
    const char *check;
    bool allow_missing;
    bool dry_run;
    bool json;

    enum ph_layout layout; /* by ph_relink_options_check */
    enum ph_sign sign;
};

extern const struct ph_relink_options ph_relink_defaults;
extern const struct ph_opt_usage ph_relink_usage;

/* What the table cannot say. NULL: fine; else what is wrong. */
const char *ph_relink_options_check(
        struct ph_relink_options *o, int operand_count);
