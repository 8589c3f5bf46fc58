/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/viewer_input.h"

#include <linux/input-event-codes.h>

#include "proto/stream.h"

static bool is_button(uint16_t code)
{
    return code >= BTN_MISC && code < KEY_OK;
}

static void press(struct ph_viewer_input *in, struct ph_seat *seat,
        uint16_t code, bool pressed)
{
    uint64_t bit = UINT64_C(1) << code % 64;
    if (pressed == !!(in->held[code / 64] & bit)) {
        return; /* repeated: the desktop repeats by itself */
    }
    in->held[code / 64] ^= bit;
    seat->holders[code] = (uint16_t)(seat->holders[code] + (pressed ? 1 : -1));
    if (seat->holders[code] != (pressed ? 1 : 0)) {
        return; /* somebody else holds it too */
    }
    const struct ph_input_ops *ops = seat->input->ops;
    (is_button(code) ? ops->button : ops->key)(seat->input, code, pressed);
}

void ph_viewer_input_release(struct ph_viewer_input *in, struct ph_seat *seat)
{
    for (uint16_t code = 0; code < PH_SEAT_CODES; code++) {
        if (in->held[code / 64] & UINT64_C(1) << code % 64) {
            press(in, seat, code, false);
        }
    }
}

/* The middle of a pixel of the viewer's picture, in a side of the picture as
 * it is now. */
static uint32_t scale(uint32_t v, uint32_t from, uint32_t to)
{
    return (uint32_t)((2 * (uint64_t)v + 1) * to / (2 * (uint64_t)from));
}

static void move(struct ph_seat *seat, const struct ph_stream_pointer *p)
{
    uint32_t width = seat->width ? seat->width : p->width;
    uint32_t height = seat->height ? seat->height : p->height;
    seat->input->ops->pointer(seat->input, scale(p->x, p->width, width),
            scale(p->y, p->height, height), width, height);
}

bool ph_viewer_input_message(struct ph_viewer_input *in, struct ph_seat *seat,
        const uint8_t *msg, size_t len)
{
    union {
        struct ph_stream_key key;
        struct ph_stream_button button;
        struct ph_stream_pointer pointer;
        struct ph_stream_wheel wheel;
    } m;
    switch (msg[0]) {
    case PH_STREAM_KEY:
        if (!ph_stream_parse_key(msg, len, &m.key)) {
            return false;
        }
        if (!is_button(m.key.code)) {
            press(in, seat, m.key.code, m.key.pressed);
        }
        return true;
    case PH_STREAM_BUTTON:
        if (!ph_stream_parse_button(msg, len, &m.button)) {
            return false;
        }
        if (is_button(m.button.code)) {
            press(in, seat, m.button.code, m.button.pressed);
        }
        return true;
    case PH_STREAM_POINTER:
        if (!ph_stream_parse_pointer(msg, len, &m.pointer)) {
            return false;
        }
        move(seat, &m.pointer);
        return true;
    case PH_STREAM_WHEEL:
        if (!ph_stream_parse_wheel(msg, len, &m.wheel)) {
            return false;
        }
        seat->input->ops->wheel(
                seat->input, m.wheel.dx, m.wheel.dy, m.wheel.smooth);
        return true;
    default: /* PH_STREAM_RELEASE_ALL */
        ph_viewer_input_release(in, seat);
        return true;
    }
}
