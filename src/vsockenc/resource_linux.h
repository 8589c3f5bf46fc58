/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * From a dma-buf to the number under which the host knows its memory: a
 * virtio-gpu resource id. Never a GEM handle, which means something in this
 * kernel only: in a real guest handles 1, 2, 3 were resources 3, 4, 5.
 */
#pragma once

#include <stdint.h>

/* The render node of this machine's virtio-gpu, or -1: there is none. */
int ph_resource_open(void);

/* The resource that a dma-buf is, or 0: it is none of that device.
 * ioctl: as ioctl(2), which a test replaces. */
typedef int ph_resource_ioctl(int fd, unsigned long request, void *arg);
uint32_t ph_resource_find(ph_resource_ioctl *ioctl, int node, int dmabuf);
uint32_t ph_resource_id(int node, int dmabuf);
