/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsock for a stock QEMU, without a kernel's help: QEMU connects to a unix
 * socket of ours and passes the guest's memory and queues (vhost-user,
 * docs/interop/vhost-user.rst of QEMU). Linux only.
 *
 *   -object memory-backend-memfd,id=m,size=4G,share=on
 *   -machine q35,memory-backend=m
 *   -chardev socket,id=vs,path=PATH
 *   -device vhost-user-vsock-pci,chardev=vs
 *
 * One thread per socket; one virtual machine at a time, the next when that one
 * has gone.
 */
#pragma once

#include "hostd/server.h"

struct ph_vhost_user;

/* NULL: logged. The path is replaced when nobody listens there. */
struct ph_vhost_user *ph_vhost_user_create(
        struct ph_server *server, const char *path);
/* Before ph_server_destroy. */
void ph_vhost_user_destroy(struct ph_vhost_user *device);
