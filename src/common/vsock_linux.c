/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/vsock.h"

#include <string.h>

#include <linux/vm_sockets.h>

bool ph_vsock_address(const struct ph_endpoint *ep, bool listening,
        struct sockaddr_storage *out, socklen_t *len)
{
    struct sockaddr_vm sa = {
            .svm_family = AF_VSOCK,
            .svm_cid =
                    ep->cid == PH_ENDPOINT_CID_ANY ? VMADDR_CID_ANY : ep->cid,
            .svm_port = listening && ep->port == 0 ? VMADDR_PORT_ANY : ep->port,
    };
    memset(out, 0, sizeof(*out));
    memcpy(out, &sa, sizeof(sa));
    *len = sizeof(sa);
    return true;
}

bool ph_vsock_port(const struct sockaddr_storage *sa, uint32_t *port)
{
    struct sockaddr_vm vm;
    if (sa->ss_family != AF_VSOCK) {
        return false;
    }
    memcpy(&vm, sa, sizeof(vm));
    *port = vm.svm_port;
    return true;
}
