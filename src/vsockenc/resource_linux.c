/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/resource_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm.h>
#include <virtgpu_drm.h>

enum {
    FIRST_NODE = 128, /* DRM numbers render nodes from here */
    NODES = 64,
};

static int call(
        ph_resource_ioctl *ioctl, int fd, unsigned long request, void *arg)
{
    int r = 0;
    do {
        r = ioctl(fd, request, arg);
    } while (r < 0 && (errno == EINTR || errno == EAGAIN));
    return r;
}

static int system_ioctl(int fd, unsigned long request, void *arg)
{
    return ioctl(fd, request, arg);
}

static int is_virtio_gpu(int fd)
{
    static const char wanted[] = "virtio_gpu";
    char name[32] = "";
    struct drm_version version = {.name = name, .name_len = sizeof(name) - 1};
    return call(system_ioctl, fd, DRM_IOCTL_VERSION, &version) == 0 &&
            strcmp(name, wanted) == 0;
}

int ph_resource_open(void)
{
    for (int i = 0; i < NODES; i++) {
        char path[64];
        snprintf(path, sizeof(path), "/dev/dri/renderD%d", FIRST_NODE + i);
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd >= 0 && is_virtio_gpu(fd)) {
            return fd;
        }
        if (fd >= 0) {
            close(fd);
        }
    }
    return -1;
}

uint32_t ph_resource_find(ph_resource_ioctl *ioctl, int node, int dmabuf)
{
    struct drm_prime_handle prime = {.fd = dmabuf};
    if (call(ioctl, node, DRM_IOCTL_PRIME_FD_TO_HANDLE, &prime) < 0) {
        return 0;
    }
    struct drm_virtgpu_resource_info info = {.bo_handle = prime.handle};
    int r = call(ioctl, node, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info);
    struct drm_gem_close end = {.handle = prime.handle};
    call(ioctl, node, DRM_IOCTL_GEM_CLOSE, &end);
    return r < 0 ? 0 : info.res_handle;
}

uint32_t ph_resource_id(int node, int dmabuf)
{
    return ph_resource_find(system_ioctl, node, dmabuf);
}
