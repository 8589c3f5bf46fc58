/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/input.h"

static void key(struct ph_input *input, uint16_t code, bool pressed)
{
}

static void pointer(struct ph_input *input, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
}

static void wheel(struct ph_input *input, int dx, int dy, bool smooth)
{
}

static void nothing(struct ph_input *input)
{
}

struct ph_input *ph_input_none_create(void)
{
    static const struct ph_input_ops ops = {
            .name = "none",
            .key = key,
            .button = key,
            .pointer = pointer,
            .wheel = wheel,
            .release_all = nothing,
            .destroy = nothing,
    };
    static struct ph_input none = {&ops};
    return &none;
}
