/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The command line of porthole-hostd. */
#pragma once

#include "common/opt.h"

struct ph_hostd_options {
    struct ph_opt_list listen;
    struct ph_opt_list ivshmem;
    struct ph_opt_list share;
    struct ph_opt_list vhost_user_vsock;
    uint32_t fd; /* UINT32_MAX: none */
    const char *encoder;
    bool list_encoders;
    uint64_t bitrate; /* bit/s */
    uint64_t memory; /* bytes */
    uint32_t max_guests;
    uint32_t stats; /* seconds; UINT32_MAX: as it is best */
    bool json;
};

extern const struct ph_hostd_options ph_hostd_defaults;
extern const struct ph_opt_usage ph_hostd_usage;
