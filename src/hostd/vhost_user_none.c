/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/vhost_user.h"

#include <stddef.h>

#define LOG_MODULE "vhost-user"
#include "common/log.h"

struct ph_vhost_user *ph_vhost_user_create(
        struct ph_server *server, const char *path)
{
    LOG_ERR("--vhost-user-vsock %s: QEMU has it on Linux only", path);
    return NULL;
}

void ph_vhost_user_destroy(struct ph_vhost_user *device)
{
}
