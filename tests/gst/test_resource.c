/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The steps from a dma-buf to a resource id, on a device that is made up. */
#include "vsockenc/resource_linux.h"

#include <drm.h>
#include <errno.h>
#include <stdbool.h>
#include <virtgpu_drm.h>

#include "unit/check.h"

enum {
    NODE = 77,
    DMABUF = 5,
    FOREIGN = 6, /* of another device */
    NOT_VIRTIO = 7, /* its handle is no resource */
};

static int open_handles;
static bool interrupt;

/* As in a real guest: handle 1 is resource 3. */
static int fake_ioctl(int fd, unsigned long request, void *arg)
{
    CHECK_EQ(fd, NODE);
    interrupt = !interrupt;
    if (interrupt) {
        errno = EINTR;
        return -1;
    }
    if (request == DRM_IOCTL_PRIME_FD_TO_HANDLE) {
        struct drm_prime_handle *prime = arg;
        if (prime->fd == FOREIGN) {
            errno = ENOTTY;
            return -1;
        }
        prime->handle = prime->fd == DMABUF ? 1 : 2;
        open_handles++;
        return 0;
    }
    if (request == DRM_IOCTL_VIRTGPU_RESOURCE_INFO) {
        struct drm_virtgpu_resource_info *info = arg;
        if (info->bo_handle != 1) {
            errno = ENOENT;
            return -1;
        }
        info->res_handle = 3;
        return 0;
    }
    CHECK_EQ(request, DRM_IOCTL_GEM_CLOSE);
    open_handles--;
    return 0;
}

int main(void)
{
    CHECK_EQ(ph_resource_find(fake_ioctl, NODE, DMABUF), 3);
    CHECK_EQ(ph_resource_find(fake_ioctl, NODE, FOREIGN), 0);
    CHECK_EQ(ph_resource_find(fake_ioctl, NODE, NOT_VIRTIO), 0);
    CHECK_EQ(open_handles, 0);
    return CHECK_DONE();
}
