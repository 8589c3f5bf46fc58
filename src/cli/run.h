/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* `porthole run`: its options, and where they are checked. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/endpoint.h"
#include "common/opt.h"

struct ph_run_options {
    const char *desktop;
    struct ph_size size;
    uint32_t outputs;
    uint32_t fps;
    uint64_t bitrate; /* bit/s; 0: the host decides */
    const char *encoder; /* NULL: the host decides */
    const char *layout;
    const char *cursor; /* NULL: as porthole-deskd has it */
    const char *keepalive; /* likewise */
    const char *downloads; /* likewise */
    const char *http; /* NULL: 127.0.0.1, the first free port */
    const char *host; /* endpoint, "local" or "none" */
    const char *name; /* NULL: the name of this machine */
    bool open;
    bool once;
};

extern const struct ph_run_options ph_run_defaults;
extern const struct ph_opt_usage ph_run_usage;

#define PH_RUN_PORT_FIRST 8080
#define PH_RUN_PORT_LAST 8099

/* "HOST:PORT" of --http; port 0 is refused, for a page has to find deskd
 * again. False: error[size] says what is wrong. */
bool ph_run_parse_http(
        const char *text, struct ph_endpoint *out, char *error, size_t size);

/* --cursor and --keepalive, on a desktop that is captured like this. */
bool ph_run_check_pointer(const struct ph_run_options *opts,
        const char *capture, char *error, size_t size);

/* --host, and what it leaves to the other options. */
bool ph_run_check_host(
        const struct ph_run_options *opts, char *error, size_t size);
