/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/touch_emulation.h"

#include <glib.h>
#include <linux/input-event-codes.h>
#include <stdlib.h>

#include "common/alloc.h"
#include "common/macros.h"

enum {
    LONG_PRESS_MS = 500,
    /* So far a finger that rests may move: this part of the picture's width,
     * but not less than some pixels. */
    SLOP_PART = 160,
    SLOP_LEAST = 6,
    /* 120 are a detent, which scrolls three lines or so. */
    WHEEL_PER_PIXEL = 2,
};

enum gesture {
    NONE,
    ONE, /* a finger that may become anything */
    DRAG, /* the left button is down */
    TWO, /* the wheel */
    OVER, /* until all fingers are up */
};

struct point {
    int32_t x;
    int32_t y;
};

struct ph_touch_emulation {
    struct ph_input *input;
    enum gesture gesture;
    bool down[PH_INPUT_MAX_FINGERS];
    struct point at[PH_INPUT_MAX_FINGERS];
    struct point start; /* of the first finger */
    struct point middle; /* of all, when the wheel turned last */
    uint32_t width;
    uint32_t height;
    guint timer;
};

static int32_t fingers(const struct ph_touch_emulation *t)
{
    int32_t count = 0;
    for (size_t i = 0; i < PH_INPUT_MAX_FINGERS; i++) {
        count += t->down[i];
    }
    return count;
}

static struct point middle(const struct ph_touch_emulation *t)
{
    struct point sum = {0, 0};
    int32_t count = PH_MAX(1, fingers(t));
    for (size_t i = 0; i < PH_INPUT_MAX_FINGERS; i++) {
        if (t->down[i]) {
            sum.x += t->at[i].x;
            sum.y += t->at[i].y;
        }
    }
    return (struct point){sum.x / count, sum.y / count};
}

static void point_at(struct ph_touch_emulation *t, struct point p)
{
    t->input->ops->pointer(
            t->input, (uint32_t)p.x, (uint32_t)p.y, t->width, t->height);
}

static void press(struct ph_touch_emulation *t, uint16_t code, bool pressed)
{
    t->input->ops->button(t->input, code, pressed);
}

static void click(struct ph_touch_emulation *t, uint16_t code)
{
    point_at(t, t->start);
    press(t, code, true);
    press(t, code, false);
}

static void become(struct ph_touch_emulation *t, enum gesture gesture)
{
    if (t->timer) {
        g_source_remove(t->timer);
        t->timer = 0;
    }
    if (t->gesture == DRAG) {
        press(t, BTN_LEFT, false);
    }
    t->gesture = gesture;
}

static gboolean on_long_press(gpointer data)
{
    struct ph_touch_emulation *t = data;
    t->timer = 0;
    become(t, OVER);
    click(t, BTN_RIGHT);
    return G_SOURCE_REMOVE;
}

static void finger_down(struct ph_touch_emulation *t, struct point at)
{
    if (t->gesture == NONE) {
        become(t, ONE);
        t->start = at;
        t->timer = g_timeout_add(LONG_PRESS_MS, on_long_press, t);
    } else if (t->gesture != OVER) {
        become(t, TWO);
        t->middle = middle(t);
    }
}

static bool has_left(const struct ph_touch_emulation *t, struct point at)
{
    int32_t slop = PH_MAX((int32_t)t->width / SLOP_PART, SLOP_LEAST);
    return abs(at.x - t->start.x) > slop || abs(at.y - t->start.y) > slop;
}

static void finger_moved(struct ph_touch_emulation *t, struct point at)
{
    if (t->gesture == ONE && has_left(t, at)) {
        become(t, DRAG);
        point_at(t, t->start);
        press(t, BTN_LEFT, true);
    }
    if (t->gesture == DRAG) {
        point_at(t, at);
    } else if (t->gesture == TWO) {
        /* The content follows the fingers. */
        struct point now = middle(t);
        t->input->ops->wheel(t->input, (t->middle.x - now.x) * WHEEL_PER_PIXEL,
                (t->middle.y - now.y) * WHEEL_PER_PIXEL, true);
        t->middle = now;
    }
}

static void finger_up(struct ph_touch_emulation *t, bool counts)
{
    enum gesture was = t->gesture;
    become(t, fingers(t) ? OVER : NONE);
    if (was == ONE && counts) {
        click(t, BTN_LEFT);
    }
}

void ph_touch_emulation_event(struct ph_touch_emulation *t,
        enum ph_input_touch what, uint8_t finger, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
    bool is_down = what == PH_INPUT_TOUCH_DOWN || what == PH_INPUT_TOUCH_MOVE;
    if (finger >= PH_INPUT_MAX_FINGERS ||
            (what != PH_INPUT_TOUCH_DOWN && !t->down[finger]) ||
            (is_down && (width == 0 || height == 0))) {
        return;
    }
    if (is_down) {
        t->width = width;
        t->height = height;
        t->at[finger].x = (int32_t)PH_MIN(x, width - 1);
        t->at[finger].y = (int32_t)PH_MIN(y, height - 1);
    }
    switch (what) {
    case PH_INPUT_TOUCH_DOWN:
        if (!t->down[finger]) {
            t->down[finger] = true;
            finger_down(t, t->at[finger]);
        }
        break;
    case PH_INPUT_TOUCH_MOVE:
        finger_moved(t, t->at[finger]);
        break;
    case PH_INPUT_TOUCH_UP:
    case PH_INPUT_TOUCH_CANCEL:
        t->down[finger] = false;
        finger_up(t, what == PH_INPUT_TOUCH_UP);
        break;
    }
}

void ph_touch_emulation_cancel(struct ph_touch_emulation *t)
{
    for (size_t i = 0; i < PH_INPUT_MAX_FINGERS; i++) {
        t->down[i] = false;
    }
    become(t, NONE);
}

struct ph_touch_emulation *ph_touch_emulation_create(struct ph_input *input)
{
    struct ph_touch_emulation *t = ph_xcalloc(1, sizeof(*t));
    t->input = input;
    return t;
}

void ph_touch_emulation_destroy(struct ph_touch_emulation *t)
{
    if (t) {
        ph_touch_emulation_cancel(t);
        free(t);
    }
}
