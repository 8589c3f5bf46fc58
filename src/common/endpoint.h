/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Where the other end of a byte stream is, as one string:
 *   tcp:HOST:PORT   tcp:[::1]:15937   tcp:HOST (port 15937)
 *   unix:PATH
 *   vsock:CID:PORT       vsock:2 (port 15937; 2 is the host of a VM, 1 the
 *                        machine itself; "any" is for listening)
 *   virtio-serial:PATH   in a guest the port, or its name; on the host the
 *                        unix socket of QEMU's chardev
 *   auto                 in a guest: whichever of these leads to a host
 * Behind each of these may stand ",share=FOLDER": where a guest has mounted a
 * folder of the host's, through which pixels then go.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PH_DEFAULT_PORT 15937

enum ph_endpoint_kind {
    PH_ENDPOINT_TCP,
    PH_ENDPOINT_UNIX,
    PH_ENDPOINT_VSOCK,
    PH_ENDPOINT_SERIAL,
    PH_ENDPOINT_AUTO,
};

#define PH_ENDPOINT_CID_ANY UINT32_MAX

struct ph_endpoint {
    enum ph_endpoint_kind kind;
    char address[256]; /* host name or number, or the path */
    uint32_t port; /* TCP and vsock; 0 lets the system choose */
    uint32_t cid; /* vsock */
    char share[128]; /* guests: a folder of the host's, or "" */
};

#define PH_ENDPOINT_TEXT_MAX 420

/* False: error[size] says what is wrong with it. */
bool ph_endpoint_parse(
        const char *text, struct ph_endpoint *out, char *error, size_t size);
void ph_endpoint_format(const struct ph_endpoint *ep, char *out, size_t size);
