/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the other end of a byte stream is, as one string:
 *   tcp:HOST:PORT   tcp:[::1]:15937   tcp:HOST (port 15937)
 *   unix:PATH
 * Further kinds (vsock, virtio-serial) get a row of their own here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_DEFAULT_PORT 15937

enum ph_endpoint_kind {
    PH_ENDPOINT_TCP,
    PH_ENDPOINT_UNIX,
};

struct ph_endpoint {
    enum ph_endpoint_kind kind;
    char address[256]; /* host name or number, or the path */
    uint16_t port; /* TCP only; 0 lets the system choose */
};

#define PH_ENDPOINT_TEXT_MAX 280

/* False: error[size] says what is wrong with it. */
bool ph_endpoint_parse(
        const char *text, struct ph_endpoint *out, char *error, size_t size);
void ph_endpoint_format(const struct ph_endpoint *ep, char *out, size_t size);
