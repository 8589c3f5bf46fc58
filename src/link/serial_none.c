/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/serial.h"

#include <stdio.h>

int ph_serial_open(const char *what, char *why, size_t size)
{
    snprintf(why, size, "virtio-serial ports are for guests that run Linux");
    return -1;
}

bool ph_serial_find(char *out, size_t size)
{
    out[0] = 0;
    return false;
}
