/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Input by zwlr_virtual_pointer and zwp_virtual_keyboard with a keymap of our
 * own. The compositor does not derive modifiers from a virtual keyboard's
 * keys: we say what they are after each key that changes them.
 *
 * When the compositor goes away, or the output that the pointer is mapped to,
 * input is dropped until it is there again; we look for it without waiting for
 * input, so that the first key has a keyboard. When it only stands still, keys
 * and buttons wait in libwayland's buffer, which must never overflow (that ends
 * the connection, and nothing would tell us): of the pointer just the newest
 * place waits, and the wheel is dropped.
 */
#include "deskd/input.h"

#include <errno.h>
#include <glib-unix.h>
#include <linux/input-event-codes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#define LOG_MODULE "input"
#include "common/log.h"
#include "deskd/again.h"
#include "deskd/keymap.h"
#include "deskd/touch_emulation.h"
#include "deskd/wayland.h"

/* The main loop waits for this: no viewer gets anything meanwhile. */
#define RECONNECT_MS 150
/* One detent of a wheel: as a viewer says it, and in Wayland's length. */
#define DETENT 120
#define DETENT_LENGTH 15

struct wlr {
    struct ph_input base;
    char *display;
    char *output;
    struct ph_keymap *keymap;
    struct ph_touch_emulation *touch;
    struct ph_wayland wayland;
    struct wl_output *target; /* of the pointer */
    struct zwlr_virtual_pointer_v1 *pointer;
    struct zwp_virtual_keyboard_v1 *keyboard;
    guint watch;
    guint out_watch; /* the compositor does not read: 0 while it does */
    uint32_t late[4]; /* x, y, width, height to point at then; width 0: none */
    struct ph_again again;
    bool keys[KEY_CNT]; /* what is held down: keys and buttons */
    int detents[2]; /* part of a detent that is left over, by axis */
};

static struct wlr *from_base(struct ph_input *input)
{
    return PH_CONTAINER(input, struct wlr, base);
}

static bool is_button(uint16_t code)
{
    return code >= BTN_MOUSE && code < BTN_JOYSTICK;
}

static uint32_t now_ms(void)
{
    return (uint32_t)(ph_clock_ns() / PH_NS_PER_MS);
}

static void disconnect(struct wlr *w)
{
    ph_again_stop(&w->again);
    if (w->watch) {
        g_source_remove(w->watch);
        w->watch = 0;
    }
    if (w->out_watch) {
        g_source_remove(w->out_watch);
        w->out_watch = 0;
    }
    w->late[2] = 0;
    if (w->keyboard) {
        zwp_virtual_keyboard_v1_destroy(w->keyboard);
        w->keyboard = NULL;
    }
    if (w->pointer) {
        zwlr_virtual_pointer_v1_destroy(w->pointer);
        w->pointer = NULL;
    }
    ph_wayland_finish(&w->wayland);
}

static bool reconnect(void *data);

/* The connection is over: nothing is held down there any more. */
static void lose(struct wlr *w, const char *why)
{
    LOG_WARN("%s", why);
    disconnect(w);
    for (uint16_t code = 0; code < KEY_CNT; code++) {
        if (w->keys[code] && !is_button(code)) {
            ph_keymap_update(w->keymap, code, false);
        }
        w->keys[code] = false;
    }
    ph_again_start(&w->again, reconnect, w);
}

static void release_all(struct ph_input *input);

/* The compositor forgets where to a pointer was mapped when that goes, and
 * does not remember when it comes back: the pointer is made anew then. */
static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    struct wlr *w = data;
    const char *why = "the compositor closed the connection";
    if (ph_wayland_dispatch(&w->wayland)) {
        if (ph_wayland_has_output(&w->wayland, w->target)) {
            return G_SOURCE_CONTINUE;
        }
        why = "the compositor removed the output";
        release_all(&w->base);
    }
    w->watch = 0;
    lose(w, why);
    return G_SOURCE_REMOVE;
}

static void send_modifiers(struct wlr *w)
{
    struct ph_keymap_modifiers m;
    ph_keymap_get_modifiers(w->keymap, &m);
    zwp_virtual_keyboard_v1_modifiers(
            w->keyboard, m.depressed, m.latched, m.locked, m.group);
}

static void send_keymap(struct wlr *w)
{
    uint32_t size = 0;
    int fd = ph_keymap_fd(w->keymap, &size);
    zwp_virtual_keyboard_v1_keymap(
            w->keyboard, WL_KEYBOARD_KEYMAP_FORMAT_XKB_V1, fd, size);
    send_modifiers(w);
}

static bool make_devices(
        struct wlr *w, int64_t deadline_ns, char *error, size_t size)
{
    struct ph_wayland *wl = &w->wayland;
    w->target = ph_wayland_find_output(wl, w->output);
    if (!wl->pointer || !wl->keyboard || !wl->seat) {
        snprintf(error, size,
                "the Wayland compositor takes no virtual input: it needs "
                "wlr-virtual-pointer and virtual-keyboard, as sway has them");
        return false;
    }
    if (!w->target) {
        snprintf(error, size, "the Wayland compositor has no output%s%s",
                w->output ? " " : "", w->output ? w->output : "");
        return false;
    }
    w->keyboard = zwp_virtual_keyboard_manager_v1_create_virtual_keyboard(
            wl->keyboard, wl->seat);
    send_keymap(w);
    if (zwlr_virtual_pointer_manager_v1_get_version(wl->pointer) >= 2) {
        w->pointer =
                zwlr_virtual_pointer_manager_v1_create_virtual_pointer_with_output(
                        wl->pointer, wl->seat, w->target);
    } else {
        w->pointer = zwlr_virtual_pointer_manager_v1_create_virtual_pointer(
                wl->pointer, wl->seat);
    }
    if (!ph_wayland_roundtrip(wl, deadline_ns)) {
        snprintf(error, size, "the Wayland compositor refused virtual input");
        return false;
    }
    return true;
}

static bool connect_wlr(
        struct wlr *w, int64_t deadline_ns, char *error, size_t size)
{
    if (!ph_wayland_connect(
                &w->wayland, w->display, deadline_ns, error, size)) {
        return false;
    }
    if (!make_devices(w, deadline_ns, error, size)) {
        disconnect(w);
        return false;
    }
    w->watch = g_unix_fd_add(wl_display_get_fd(w->wayland.display),
            G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, w);
    return true;
}

static bool reconnect(void *data)
{
    struct wlr *w = data;
    char error[256];
    if (!connect_wlr(w, ph_deadline_ms(RECONNECT_MS), error, sizeof(error))) {
        LOG_DBG("%s", error);
        return false;
    }
    LOG_INFO("connected to the compositor again");
    return true;
}

/* True when there is a compositor to send to. */
static bool ready(const struct wlr *w)
{
    return w->wayland.display;
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data);

/* An error of the connection does not show in on_readable while the
 * compositor has nothing to say. */
static void flush(struct wlr *w)
{
    struct wl_display *display = w->wayland.display;
    if (wl_display_flush(display) >= 0) {
        return;
    }
    if (wl_display_get_error(display) || errno != EAGAIN) {
        lose(w, "the compositor closed the connection");
    } else if (!w->out_watch) {
        w->out_watch = g_unix_fd_add(
                wl_display_get_fd(display), G_IO_OUT, on_writable, w);
    }
}

static void point(struct wlr *w, const uint32_t at[4])
{
    zwlr_virtual_pointer_v1_motion_absolute(
            w->pointer, now_ms(), at[0], at[1], at[2], at[3]);
    zwlr_virtual_pointer_v1_frame(w->pointer);
}

static void point_late(struct wlr *w)
{
    if (w->late[2]) {
        point(w, w->late);
        w->late[2] = 0;
    }
}

static gboolean on_writable(gint fd, GIOCondition condition, gpointer data)
{
    struct wlr *w = data;
    w->out_watch = 0;
    point_late(w);
    flush(w); /* watches again if need be */
    return G_SOURCE_REMOVE;
}

/* Notes a key or button; false: it is in that state already, or unknown. */
static bool hold(struct wlr *w, uint16_t code, bool pressed)
{
    if (code >= KEY_CNT || w->keys[code] == pressed) {
        return false;
    }
    w->keys[code] = pressed;
    return true;
}

static void key(struct ph_input *input, uint16_t code, bool pressed)
{
    struct wlr *w = from_base(input);
    if (is_button(code) || !ready(w) || !hold(w, code, pressed)) {
        return;
    }
    zwp_virtual_keyboard_v1_key(w->keyboard, now_ms(), code,
            pressed ? WL_KEYBOARD_KEY_STATE_PRESSED
                    : WL_KEYBOARD_KEY_STATE_RELEASED);
    if (ph_keymap_update(w->keymap, code, pressed)) {
        send_modifiers(w);
    }
    flush(w);
}

static void button(struct ph_input *input, uint16_t code, bool pressed)
{
    struct wlr *w = from_base(input);
    if (!is_button(code) || !ready(w) || !hold(w, code, pressed)) {
        return;
    }
    point_late(w); /* it counts where it was pressed */
    zwlr_virtual_pointer_v1_button(w->pointer, now_ms(), code,
            pressed ? WL_POINTER_BUTTON_STATE_PRESSED
                    : WL_POINTER_BUTTON_STATE_RELEASED);
    zwlr_virtual_pointer_v1_frame(w->pointer);
    flush(w);
}

static void pointer(struct ph_input *input, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
    struct wlr *w = from_base(input);
    if (width == 0 || height == 0 || !ready(w)) {
        return;
    }
    const uint32_t at[4] = {
            PH_MIN(x, width - 1), PH_MIN(y, height - 1), width, height};
    if (w->out_watch) {
        memcpy(w->late, at, sizeof(at));
        return;
    }
    point(w, at);
    flush(w);
}

static void scroll(struct wlr *w, uint32_t axis, int delta, bool smooth)
{
    wl_fixed_t length =
            wl_fixed_from_double((double)delta * DETENT_LENGTH / DETENT);
    int steps = 0;
    if (delta == 0) {
        return;
    }
    if (!smooth) {
        w->detents[axis] += delta;
        steps = w->detents[axis] / DETENT;
        w->detents[axis] -= steps * DETENT;
    }
    if (steps != 0) {
        zwlr_virtual_pointer_v1_axis_discrete(
                w->pointer, now_ms(), axis, length, steps);
    } else {
        zwlr_virtual_pointer_v1_axis(w->pointer, now_ms(), axis, length);
    }
    /* Counts for the axis named last, whatever the protocol text says. */
    zwlr_virtual_pointer_v1_axis_source(w->pointer,
            smooth ? WL_POINTER_AXIS_SOURCE_CONTINUOUS
                   : WL_POINTER_AXIS_SOURCE_WHEEL);
}

static void wheel(struct ph_input *input, int dx, int dy, bool smooth)
{
    struct wlr *w = from_base(input);
    if (!ready(w) || w->out_watch) {
        return;
    }
    scroll(w, WL_POINTER_AXIS_VERTICAL_SCROLL, dy, smooth);
    scroll(w, WL_POINTER_AXIS_HORIZONTAL_SCROLL, dx, smooth);
    zwlr_virtual_pointer_v1_frame(w->pointer);
    flush(w);
}

static void motion(struct ph_input *input, int32_t dx, int32_t dy)
{
    struct wlr *w = from_base(input);
    if (!ready(w) || w->out_watch) {
        return;
    }
    /* wl_fixed_t has the same unit. */
    zwlr_virtual_pointer_v1_motion(w->pointer, now_ms(), dx, dy);
    zwlr_virtual_pointer_v1_frame(w->pointer);
    flush(w);
}

static void touch(struct ph_input *input, enum ph_input_touch what,
        uint8_t finger, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    ph_touch_emulation_event(
            from_base(input)->touch, what, finger, x, y, width, height);
}

static void locks(struct ph_input *input, bool caps, bool num)
{
    struct wlr *w = from_base(input);
    if (ready(w) && ph_keymap_lock(w->keymap, caps, num)) {
        send_modifiers(w);
        flush(w);
    }
}

/* Which of the characters it is; one more when it is new. */
static size_t place_of(uint32_t *characters, size_t *count, uint32_t character)
{
    size_t i = 0;
    while (i < *count && characters[i] != character) {
        i++;
    }
    if (i == *count) {
        characters[(*count)++] = character;
    }
    return i;
}

/* Types as much as one keymap has room for; returns where it stopped. */
static const char *type_some(struct wlr *w, const char *text, const char *end)
{
    uint32_t characters[PH_KEYMAP_CHARACTERS];
    uint8_t order[PH_KEYMAP_CHARACTERS];
    size_t count = 0;
    size_t length = 0;
    for (; text < end && length < PH_LEN(order); length++) {
        order[length] =
                (uint8_t)place_of(characters, &count, g_utf8_get_char(text));
        text = g_utf8_next_char(text);
    }
    uint32_t size = 0;
    AUTOCLOSE int fd =
            ph_keymap_of_characters(w->keymap, characters, count, &size);
    if (fd < 0) {
        return end;
    }
    zwp_virtual_keyboard_v1_keymap(
            w->keyboard, WL_KEYBOARD_KEYMAP_FORMAT_XKB_V1, fd, size);
    zwp_virtual_keyboard_v1_modifiers(w->keyboard, 0, 0, 0, 0);
    for (size_t i = 0; i < length; i++) {
        uint32_t code = PH_KEYMAP_FIRST_CODE + order[i];
        zwp_virtual_keyboard_v1_key(
                w->keyboard, now_ms(), code, WL_KEYBOARD_KEY_STATE_PRESSED);
        zwp_virtual_keyboard_v1_key(
                w->keyboard, now_ms(), code, WL_KEYBOARD_KEY_STATE_RELEASED);
    }
    return text;
}

/* By a keymap of these very characters, and back. */
static void type_text(struct ph_input *input, const char *text, size_t len)
{
    struct wlr *w = from_base(input);
    const char *end = text + len;
    if (!ready(w) || w->out_watch) {
        return;
    }
    while (text < end) {
        text = type_some(w, text, end);
    }
    send_keymap(w);
    flush(w);
}

static void release_all(struct ph_input *input)
{
    struct wlr *w = from_base(input);
    ph_touch_emulation_cancel(w->touch);
    for (uint16_t code = 0; code < KEY_CNT; code++) {
        if (w->keys[code]) {
            key(input, code, false);
            button(input, code, false);
        }
    }
    w->detents[0] = 0;
    w->detents[1] = 0;
}

static void destroy(struct ph_input *input)
{
    struct wlr *w = from_base(input);
    if (w->wayland.display) {
        release_all(input);
    }
    disconnect(w);
    ph_touch_emulation_destroy(w->touch);
    ph_keymap_destroy(w->keymap);
    free(w->display);
    free(w->output);
    free(w);
}

static const struct ph_input_ops ops = {
        .name = "wlr",
        .key = key,
        .button = button,
        .pointer = pointer,
        .wheel = wheel,
        .motion = motion,
        .text = type_text,
        .touch = touch,
        .locks = locks,
        .release_all = release_all,
        .destroy = destroy,
};

struct ph_input *ph_input_wlr_create(const char *display, const char *output,
        const char *layout, char *error, size_t size)
{
    struct wlr *w = ph_xcalloc(1, sizeof(*w));
    w->base.ops = &ops;
    w->display = display ? ph_xstrdup(display) : NULL;
    w->output = output ? ph_xstrdup(output) : NULL;
    w->touch = ph_touch_emulation_create(&w->base);
    w->keymap = ph_keymap_create(layout, error, size);
    if (!w->keymap ||
            !connect_wlr(
                    w, ph_deadline_ms(PH_WAYLAND_PATIENCE_MS), error, size)) {
        destroy(&w->base);
        return NULL;
    }
    return &w->base;
}
