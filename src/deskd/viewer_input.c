/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/viewer_input.h"

#include <linux/input-event-codes.h>

#include "proto/stream_seat.h"

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
    in->held_count += pressed ? 1U : -1U;
    seat->holders[code] = (uint16_t)(seat->holders[code] + (pressed ? 1 : -1));
    if (seat->holders[code] != (pressed ? 1 : 0)) {
        return; /* somebody else holds it too */
    }
    const struct ph_input_ops *ops = seat->input->ops;
    (is_button(code) ? ops->button : ops->key)(seat->input, code, pressed);
}

/* The middle of a pixel of the viewer's picture, in a side of the picture as
 * it is now. */
static uint32_t scale(uint32_t v, uint32_t from, uint32_t to)
{
    return (uint32_t)((2 * (uint64_t)v + 1) * to / (2 * (uint64_t)from));
}

static void touch(struct ph_viewer_input *in, struct ph_seat *seat,
        const struct ph_stream_touch *t)
{
    uint16_t bit = (uint16_t)(1U << t->finger);
    const struct ph_stream_pointer *at = &t->at;
    bool down = t->what == PH_INPUT_TOUCH_DOWN;
    bool moves = down || t->what == PH_INPUT_TOUCH_MOVE;
    bool known = in->fingers & bit;
    if (!seat->input->ops->touch || known == down ||
            (down && seat->fingers & bit)) {
        return; /* that finger is another viewer's, or on no screen */
    }
    uint32_t width = moves && seat->width ? seat->width : at->width;
    uint32_t height = moves && seat->height ? seat->height : at->height;
    if (down || !moves) {
        in->fingers ^= bit;
        seat->fingers ^= bit;
        in->held_count += down ? 1U : -1U;
    }
    seat->input->ops->touch(seat->input, (enum ph_input_touch)t->what,
            (uint8_t)t->finger, moves ? scale(at->x, at->width, width) : 0,
            moves ? scale(at->y, at->height, height) : 0, width, height);
}

void ph_viewer_input_release(struct ph_viewer_input *in, struct ph_seat *seat)
{
    for (uint16_t i = 0; i < PH_INPUT_MAX_FINGERS; i++) {
        if (in->fingers & 1U << i) {
            struct ph_stream_touch t = {
                    .what = PH_INPUT_TOUCH_CANCEL, .finger = i};
            touch(in, seat, &t);
        }
    }
    for (uint16_t code = 0; code < PH_SEAT_CODES; code++) {
        if (in->held[code / 64] & UINT64_C(1) << code % 64) {
            press(in, seat, code, false);
        }
    }
}

static void move(struct ph_seat *seat, const struct ph_stream_pointer *p)
{
    uint32_t width = seat->width ? seat->width : p->width;
    uint32_t height = seat->height ? seat->height : p->height;
    seat->input->ops->pointer(seat->input, scale(p->x, p->width, width),
            scale(p->y, p->height, height), width, height);
}

/* Those that a desktop may not have. */
static bool handle_more(struct ph_viewer_input *in, struct ph_seat *seat,
        const uint8_t *msg, size_t len)
{
    const struct ph_input_ops *ops = seat->input->ops;
    union {
        struct ph_stream_motion motion;
        struct ph_stream_touch touch;
        struct ph_stream_locks locks;
    } m;
    const char *text = NULL;
    size_t size = 0;
    switch (msg[0]) {
    case PH_STREAM_TEXT:
        if (!ph_stream_parse_text(msg, len, &text, &size)) {
            return false;
        }
        if (ops->text) {
            ops->text(seat->input, text, size);
        }
        return true;
    case PH_STREAM_MOTION:
        if (!ph_stream_parse_motion(msg, len, &m.motion)) {
            return false;
        }
        if (ops->motion) {
            ops->motion(seat->input, m.motion.dx, m.motion.dy);
        }
        return true;
    case PH_STREAM_TOUCH:
        if (!ph_stream_parse_touch(msg, len, &m.touch)) {
            return false;
        }
        touch(in, seat, &m.touch);
        return true;
    case PH_STREAM_LOCKS:
        if (!ph_stream_parse_locks(msg, len, &m.locks)) {
            return false;
        }
        if (ops->locks) {
            ops->locks(seat->input, m.locks.caps, m.locks.num);
        }
        return true;
    default: /* PH_STREAM_HELD */
        return true;
    }
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
    case PH_STREAM_RELEASE_ALL:
        ph_viewer_input_release(in, seat);
        return true;
    default:
        return handle_more(in, seat, msg, len);
    }
}
