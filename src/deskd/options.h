/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What porthole-deskd takes on its command line. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/endpoint.h"
#include "common/opt.h"
#include "deskd/desktop.h"

struct ph_deskd_options {
    const char *http;
    const char *host;
    const char *display;
    struct ph_opt_list output; /* none: the first; or "all" */
    const char *capture;
    struct ph_size size;
    uint32_t fps;
    uint64_t bitrate;
    const char *encoder;
    const char *layout;
    const char *cursor;
    const char *keepalive;
    const char *downloads;
    const char *token_file;
    const char *view_token_file;
    const char *name;
    uint32_t max_viewers;
    struct ph_opt_list allow_host;
    struct ph_opt_list allow_origin;
    const char *web;
    bool stats;

    struct ph_endpoint http_endpoint; /* of http */
    enum ph_desktop_cursor cursor_kind; /* of cursor */
    enum ph_desktop_keepalive keepalive_kind; /* of keepalive */
    bool all_outputs;
    bool local_host; /* a hostd of our own */
    struct ph_endpoint host_endpoint; /* of host, unless local_host */
};

extern const struct ph_opt_usage ph_deskd_usage;
extern const struct ph_deskd_options ph_deskd_defaults;

/* Checks what the table cannot and fills in the endpoints. False: error[size]
 * gets one line. Pure. */
bool ph_deskd_options_check(
        struct ph_deskd_options *options, char *error, size_t size);
