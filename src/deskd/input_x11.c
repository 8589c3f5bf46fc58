/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Input by XTEST. Writing to the server may wait for it, so a question now
 * and then shows how far it is, and while it is far behind the pointer's
 * motion is not sent but kept: the newest counts.
 */
#include "deskd/desktop_x11.h"

#include <glib.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/xcbext.h>
#include <xcb/xkb.h>
#include <xcb/xtest.h>

#include "common/alloc.h"
#define LOG_MODULE "input"
#include "common/log.h"
#include "deskd/again.h"
#include "deskd/touch_emulation.h"
#include "deskd/x11_layout.h"
#include "deskd/x11_text.h"
#include "deskd/x11_watch.h"
#include "x11/x11.h"

#define DETENT 120
/* Events between two questions, and events after one without its answer at
 * most. Twice as many may be on their way; a socket takes some 150, however
 * small they are. */
#define ASK_EVERY 16
#define MAX_AHEAD 40

enum {
    BUTTON_UP = 4,
    BUTTON_DOWN = 5,
    BUTTON_LEFT = 6,
    BUTTON_RIGHT = 7,
    RELATIVE = 1, /* as XTEST's detail of a motion */
    ABSOLUTE = 0,
};

struct x11 {
    struct ph_input base;
    char *display;
    char *layout;
    struct ph_x11 x;
    struct ph_x11_text *text;
    struct ph_touch_emulation *touch;
    uint8_t num_mod;
    guint watch;
    struct ph_again again;
    bool keys[KEY_CNT]; /* what is held down: keys and buttons */
    int detents[2]; /* part of a detent that is left over: x, y */
    int32_t fraction[2]; /* of a pixel, of relative motion: 1/256 */
    bool asked;
    unsigned question;
    unsigned ahead; /* events since it */
    bool late; /* a motion is kept */
    uint32_t late_at[4];
};

static struct x11 *from_base(struct ph_input *input)
{
    return PH_CONTAINER(input, struct x11, base);
}

static bool is_button(uint16_t code)
{
    return code >= BTN_MOUSE && code < BTN_JOYSTICK;
}

static uint8_t button_number(uint16_t code)
{
    switch (code) {
    case BTN_LEFT:
        return 1;
    case BTN_MIDDLE:
        return 2;
    case BTN_RIGHT:
        return 3;
    case BTN_SIDE:
    case BTN_BACK:
        return 8;
    case BTN_EXTRA:
    case BTN_FORWARD:
        return 9;
    default:
        return 0;
    }
}

static void disconnect(struct x11 *i)
{
    ph_again_stop(&i->again);
    if (i->watch) {
        g_source_remove(i->watch);
        i->watch = 0;
    }
    ph_x11_text_destroy(i->text);
    i->text = NULL;
    ph_x11_finish(&i->x);
    i->asked = false;
    i->ahead = 0;
    i->late = false;
}

static bool reconnect(void *data);

/* The server is gone: nothing is held down there any more. */
static void lose(struct x11 *i)
{
    LOG_WARN("the X server closed the connection");
    disconnect(i);
    memset(i->keys, 0, sizeof(i->keys));
    ph_again_start(&i->again, reconnect, i);
}

static void point(struct x11 *i, const uint32_t at[4])
{
    int64_t x = (int64_t)at[0] * i->x.width / at[2];
    int64_t y = (int64_t)at[1] * i->x.height / at[3];
    xcb_test_fake_input(i->x.conn, XCB_MOTION_NOTIFY, ABSOLUTE, 0, i->x.root,
            (int16_t)x, (int16_t)y, 0);
}

static bool is_answered(struct x11 *i)
{
    void *reply = NULL;
    xcb_generic_error_t *error = NULL;
    if (!i->asked ||
            !xcb_poll_for_reply(i->x.conn, i->question, &reply, &error)) {
        return false;
    }
    i->asked = false;
    free(reply);
    free(error);
    return true;
}

/* Sends what was written; now and then asks how far the server is. */
static void flush(struct x11 *i)
{
    is_answered(i); /* what is sent may have read that */
    if (++i->ahead >= ASK_EVERY && !i->asked) {
        i->question = xcb_get_input_focus(i->x.conn).sequence;
        i->asked = true;
        i->ahead = 0;
    }
    xcb_flush(i->x.conn);
}

static bool is_behind(struct x11 *i)
{
    return i->ahead >= MAX_AHEAD && i->asked && !is_answered(i);
}

static void send_late(struct x11 *i)
{
    if (i->late) {
        i->late = false;
        point(i, i->late_at);
    }
}

/* On with what had to wait, once the server has caught up. Sending may read
 * an answer, so it is looked for until none is there. */
static void take_answer(struct x11 *i)
{
    while (is_answered(i) && i->late) {
        send_late(i);
        flush(i);
    }
}

static void on_event(void *data, const xcb_generic_event_t *event)
{
    struct x11 *i = data;
    ph_x11_follow_size(&i->x, event);
}

static void on_came(void *data)
{
    take_answer(data);
}

static void on_lost(void *data)
{
    struct x11 *i = data;
    i->watch = 0;
    lose(i);
}

static const struct ph_x11_watch_events watch_events = {
        .event = on_event,
        .came = on_came,
        .lost = on_lost,
};

static bool prepare(struct x11 *i, char *error, size_t size)
{
    if (!ph_x11_has(&i->x, &xcb_test_id, "XTEST", error, size) ||
            !ph_x11_has(&i->x, &xcb_xkb_id, "XKEYBOARD", error, size)) {
        return false;
    }
    free(xcb_xkb_use_extension_reply(
            i->x.conn, xcb_xkb_use_extension(i->x.conn, 1, 0), NULL));
    if (i->layout && !ph_x11_layout_load(&i->x, i->layout, error, size)) {
        return false;
    }
    i->num_mod = ph_x11_layout_num_mod(&i->x);
    i->text = ph_x11_text_create(&i->x);
    ph_x11_watch_size(&i->x);
    return true;
}

static bool connect_x11(struct x11 *i, char *error, size_t size)
{
    if (!ph_x11_connect(&i->x, i->display, error, size)) {
        return false;
    }
    if (!prepare(i, error, size)) {
        disconnect(i);
        return false;
    }
    i->watch = ph_x11_watch(&i->x, &watch_events, i);
    return true;
}

static bool reconnect(void *data)
{
    struct x11 *i = data;
    char error[256];
    if (!connect_x11(i, error, sizeof(error))) {
        LOG_DBG("%s", error);
        return false;
    }
    LOG_INFO("connected to the X server again");
    return true;
}

/* True when there is a server to send to. */
static bool ready(struct x11 *i)
{
    if (i->x.conn && xcb_connection_has_error(i->x.conn)) {
        lose(i);
    }
    return i->x.conn;
}

/* Notes a key or button; false: it is in that state already, or unknown. */
static bool hold(struct x11 *i, uint16_t code, bool pressed)
{
    if (code >= KEY_CNT || i->keys[code] == pressed) {
        return false;
    }
    i->keys[code] = pressed;
    return true;
}

static void key(struct ph_input *input, uint16_t code, bool pressed)
{
    struct x11 *i = from_base(input);
    if (is_button(code) || code + PH_X11_KEYCODE_OFFSET > UINT8_MAX ||
            !ready(i) || !hold(i, code, pressed)) {
        return;
    }
    xcb_test_fake_input(i->x.conn, pressed ? XCB_KEY_PRESS : XCB_KEY_RELEASE,
            (uint8_t)(code + PH_X11_KEYCODE_OFFSET), 0, 0, 0, 0, 0);
    flush(i);
}

static void fake_button(struct x11 *i, uint8_t number, bool pressed)
{
    xcb_test_fake_input(i->x.conn,
            pressed ? XCB_BUTTON_PRESS : XCB_BUTTON_RELEASE, number, 0, 0, 0, 0,
            0);
}

static void button(struct ph_input *input, uint16_t code, bool pressed)
{
    struct x11 *i = from_base(input);
    uint8_t number = button_number(code);
    if (!number || !ready(i) || !hold(i, code, pressed)) {
        return;
    }
    send_late(i); /* it counts where it was pressed */
    fake_button(i, number, pressed);
    flush(i);
}

static void pointer(struct ph_input *input, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
    struct x11 *i = from_base(input);
    if (width == 0 || height == 0 || !ready(i)) {
        return;
    }
    const uint32_t at[4] = {
            PH_MIN(x, width - 1), PH_MIN(y, height - 1), width, height};
    if (is_behind(i)) {
        memcpy(i->late_at, at, sizeof(at));
        i->late = true;
        return;
    }
    i->late = false;
    point(i, at);
    flush(i);
}

/* Whole pixels of a movement; the rest is kept. */
static int16_t whole_pixels(int32_t *fraction, int32_t delta)
{
    int64_t sum = (int64_t)*fraction + delta;
    int64_t pixels = sum / 256;
    *fraction = (int32_t)(sum - pixels * 256);
    return (int16_t)PH_MAX(INT16_MIN, PH_MIN(pixels, INT16_MAX));
}

static void motion(struct ph_input *input, int32_t dx, int32_t dy)
{
    struct x11 *i = from_base(input);
    if (!ready(i) || is_behind(i)) {
        return;
    }
    int16_t x = whole_pixels(&i->fraction[0], dx);
    int16_t y = whole_pixels(&i->fraction[1], dy);
    if (x || y) {
        xcb_test_fake_input(
                i->x.conn, XCB_MOTION_NOTIFY, RELATIVE, 0, 0, x, y, 0);
        flush(i);
    }
}

/* X knows detents only, as buttons. */
static void scroll(
        struct x11 *i, int *left_over, int delta, uint8_t less, uint8_t more)
{
    enum {
        MOST = 100, /* detents of one event */
    };
    if ((delta > 0) != (*left_over > 0)) {
        *left_over = 0; /* it turned round */
    }
    int64_t sum = (int64_t)*left_over + delta;
    int64_t detents = PH_MAX(-MOST, PH_MIN(sum / DETENT, MOST));
    *left_over = (int)(sum % DETENT);
    for (int64_t n = llabs(detents); n > 0; n--) {
        fake_button(i, detents < 0 ? less : more, true);
        fake_button(i, detents < 0 ? less : more, false);
    }
}

static void wheel(struct ph_input *input, int dx, int dy, bool smooth)
{
    struct x11 *i = from_base(input);
    if (!ready(i) || is_behind(i)) {
        return;
    }
    if (dx) {
        scroll(i, &i->detents[0], dx, BUTTON_LEFT, BUTTON_RIGHT);
    }
    if (dy) {
        scroll(i, &i->detents[1], dy, BUTTON_UP, BUTTON_DOWN);
    }
    flush(i);
}

static void text(struct ph_input *input, const char *utf8, size_t len)
{
    struct x11 *i = from_base(input);
    if (ready(i)) {
        ph_x11_text_type(i->text, utf8, len);
    }
}

static void locks(struct ph_input *input, bool caps, bool num)
{
    struct x11 *i = from_base(input);
    if (ready(i)) {
        ph_x11_layout_lock(&i->x, caps, num, i->num_mod);
        flush(i);
    }
}

static void touch(struct ph_input *input, enum ph_input_touch what,
        uint8_t finger, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    ph_touch_emulation_event(
            from_base(input)->touch, what, finger, x, y, width, height);
}

static void release_all(struct ph_input *input)
{
    struct x11 *i = from_base(input);
    ph_touch_emulation_cancel(i->touch);
    for (uint16_t code = 0; code < KEY_CNT; code++) {
        if (i->keys[code]) {
            key(input, code, false);
            button(input, code, false);
        }
    }
    memset(i->detents, 0, sizeof(i->detents));
    memset(i->fraction, 0, sizeof(i->fraction));
}

static void destroy(struct ph_input *input)
{
    struct x11 *i = from_base(input);
    if (i->x.conn) {
        release_all(input);
    }
    ph_touch_emulation_destroy(i->touch);
    disconnect(i);
    free(i->display);
    free(i->layout);
    free(i);
}

static const struct ph_input_ops ops = {
        .name = "x11",
        .key = key,
        .button = button,
        .pointer = pointer,
        .wheel = wheel,
        .motion = motion,
        .text = text,
        .touch = touch,
        .locks = locks,
        .release_all = release_all,
        .destroy = destroy,
};

struct ph_input *ph_input_x11_create(
        const char *display, const char *layout, char *error, size_t size)
{
    struct x11 *i = ph_xcalloc(1, sizeof(*i));
    i->base.ops = &ops;
    i->touch = ph_touch_emulation_create(&i->base);
    i->display = display ? ph_xstrdup(display) : NULL;
    i->layout = layout ? ph_xstrdup(layout) : NULL;
    if (!connect_x11(i, error, size)) {
        destroy(&i->base);
        return NULL;
    }
    return &i->base;
}
