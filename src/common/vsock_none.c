/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/vsock.h"

#include <errno.h>

bool ph_vsock_address(const struct ph_endpoint *ep, bool listening,
        struct sockaddr_storage *out, socklen_t *len)
{
    errno = EAFNOSUPPORT;
    return false;
}

bool ph_vsock_port(const struct sockaddr_storage *sa, uint32_t *port)
{
    return false;
}
