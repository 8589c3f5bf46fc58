/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * In a guest with a virtio-gpu: that a dma-buf is found as the resource that
 * the device made for it, and never as the handle of anybody. Prints a line
 * for each buffer; exits with 1 when one is found as something else.
 */
#include "vsockenc/resource_linux.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <drm.h>
#include <virtgpu_drm.h>

enum {
    BUFFERS = 3
};

struct buffer {
    uint32_t handle; /* in the file that made it */
    uint32_t resource; /* as the kernel says of that */
    int dmabuf;
};

static bool make_buffer(int card, struct buffer *b)
{
    struct drm_mode_create_dumb dumb = {.width = 640, .height = 360, .bpp = 32};
    if (ioctl(card, DRM_IOCTL_MODE_CREATE_DUMB, &dumb) < 0) {
        perror("CREATE_DUMB");
        return false;
    }
    struct drm_virtgpu_resource_info info = {.bo_handle = dumb.handle};
    struct drm_prime_handle prime = {
            .handle = dumb.handle, .flags = DRM_CLOEXEC | DRM_RDWR};
    if (ioctl(card, DRM_IOCTL_VIRTGPU_RESOURCE_INFO, &info) < 0 ||
            ioctl(card, DRM_IOCTL_PRIME_HANDLE_TO_FD, &prime) < 0) {
        perror("RESOURCE_INFO, PRIME_HANDLE_TO_FD");
        return false;
    }
    *b = (struct buffer){dumb.handle, info.res_handle, prime.fd};
    return true;
}

/* A descriptor that is no dma-buf of the device is no resource. */
static bool check_others(int node)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    bool ok = ph_resource_id(node, file) == 0 && ph_resource_id(node, -1) == 0;
    close(file);
    return ok;
}

int main(void)
{
    int card = open("/dev/dri/card0", O_RDWR | O_CLOEXEC);
    int node = ph_resource_open();
    bool ok = true;
    if (card < 0 || node < 0) {
        fprintf(stderr, "there is no virtio-gpu\n");
        return 1;
    }
    for (int i = 0; i < BUFFERS; i++) {
        struct buffer b;
        if (!make_buffer(card, &b)) {
            return 1;
        }
        uint32_t found = ph_resource_id(node, b.dmabuf);
        printf("handle %u, resource %u, found %u\n", b.handle, b.resource,
                found);
        ok &= found == b.resource && found != 0 && found != b.handle;
        /* The import left nothing behind: it is found again. */
        ok &= ph_resource_id(node, b.dmabuf) == found;
    }
    return ok && check_others(node) ? 0 : 1;
}
