/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/touch_emulation.h"

#include <glib.h>
#include <linux/input-event-codes.h>
#include <stdarg.h>

#include "check.h"
#include "common/macros.h"

/* What the pointer was told, in words. */
static char said[512];

static void say(const char *fmt, ...) PH_PRINTF(1, 2);
static void say(const char *fmt, ...)
{
    va_list args;
    size_t used = strlen(said);
    va_start(args, fmt);
    vsnprintf(said + used, sizeof(said) - used, fmt, args);
    va_end(args);
}

static void button(struct ph_input *input, uint16_t code, bool pressed)
{
    say("%s%c ", code == BTN_LEFT ? "left" : "right", pressed ? '+' : '-');
}

static void pointer(struct ph_input *input, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
    say("at %u,%u of %ux%u ", x, y, width, height);
}

static void wheel(struct ph_input *input, int dx, int dy, bool smooth)
{
    say("wheel %d,%d ", dx, dy);
}

static const struct ph_input_ops ops = {
        .button = button,
        .pointer = pointer,
        .wheel = wheel,
};

static struct ph_input fake = {&ops};
static struct ph_touch_emulation *touch;

static void down(uint8_t finger, uint32_t x, uint32_t y)
{
    ph_touch_emulation_event(
            touch, PH_INPUT_TOUCH_DOWN, finger, x, y, 800, 600);
}

static void move(uint8_t finger, uint32_t x, uint32_t y)
{
    ph_touch_emulation_event(
            touch, PH_INPUT_TOUCH_MOVE, finger, x, y, 800, 600);
}

static void up(uint8_t finger)
{
    ph_touch_emulation_event(touch, PH_INPUT_TOUCH_UP, finger, 0, 0, 0, 0);
}

static void expect(const char *text)
{
    CHECK_STR(said, text);
    said[0] = '\0';
}

static void test_one_finger(void)
{
    down(3, 100, 50);
    move(3, 102, 51); /* hardly */
    expect("");
    up(3);
    expect("at 100,50 of 800x600 left+ left- ");
    down(0, 100, 50);
    move(0, 130, 50);
    expect("at 100,50 of 800x600 left+ at 130,50 of 800x600 ");
    move(0, 9999, 60);
    expect("at 799,60 of 800x600 ");
    up(0);
    expect("left- ");
    /* The system took the finger away. */
    down(0, 100, 50);
    ph_touch_emulation_event(touch, PH_INPUT_TOUCH_CANCEL, 0, 0, 0, 0, 0);
    expect("");
}

static void test_long_press(void)
{
    down(0, 10, 20);
    while (!said[0]) {
        g_main_context_iteration(NULL, TRUE);
    }
    expect("at 10,20 of 800x600 right+ right- ");
    move(0, 500, 500);
    up(0);
    expect("");
}

static void test_two_fingers(void)
{
    down(0, 100, 100);
    down(1, 200, 100);
    move(0, 100, 80);
    expect("wheel 0,20 ");
    move(1, 180, 80);
    expect("wheel 20,20 ");
    up(0);
    move(1, 300, 300);
    up(1);
    expect("");
    /* A drag that becomes the wheel lets go first. */
    down(0, 100, 100);
    move(0, 200, 100);
    said[0] = '\0';
    down(1, 300, 100);
    expect("left- ");
    up(1);
    up(0);
    expect("");
}

static void test_nonsense(void)
{
    up(0);
    move(5, 1, 1);
    down(PH_INPUT_MAX_FINGERS, 1, 1);
    ph_touch_emulation_event(touch, PH_INPUT_TOUCH_DOWN, 0, 1, 1, 0, 0);
    expect("");
    down(0, 1, 1);
    down(0, 2, 2);
    move(0, 400, 400);
    said[0] = '\0';
    ph_touch_emulation_cancel(touch);
    expect("left- ");
    up(0);
    expect("");
}

int main(void)
{
    touch = ph_touch_emulation_create(&fake);
    test_one_finger();
    test_long_press();
    test_two_fingers();
    test_nonsense();
    down(0, 1, 1); /* its timer ends with it */
    ph_touch_emulation_destroy(touch);
    return CHECK_DONE();
}
