/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Fingers for a desktop that has a pointer only: a tap is a click, a finger
 * that moves drags, one that rests is the right button, two are the wheel.
 * Main thread.
 */
#pragma once

#include "deskd/input.h"

struct ph_touch_emulation;

/* input: whose pointer, button and wheel it uses; it outlives this. */
struct ph_touch_emulation *ph_touch_emulation_create(struct ph_input *input);
void ph_touch_emulation_destroy(struct ph_touch_emulation *touch);
/* As struct ph_input_ops has it. */
void ph_touch_emulation_event(struct ph_touch_emulation *touch,
        enum ph_input_touch what, uint8_t finger, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height);
/* No finger is there any more, and none of them meant anything. What they
 * held pressed is released. */
void ph_touch_emulation_cancel(struct ph_touch_emulation *touch);
