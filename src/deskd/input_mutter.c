/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input by org.gnome.Mutter.RemoteDesktop. */
#include "deskd/mutter.h"

#include <linux/input-event-codes.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "deskd/mutter_keys.h"

#define DETENT 120
/* What one detent scrolls by, in the pixels of NotifyPointerAxis. */
#define DETENT_LENGTH 10
/* As the report that this project comes from did it. */
#define STEP_MS 500

/* Flags of NotifyPointerAxis. */
enum {
    AXIS_FINISH = 1,
    AXIS_FROM_FINGER = 4,
};

struct mutter {
    struct ph_input base;
    struct ph_mutter *desktop;
    struct ph_mutter_watch watch;
    struct ph_mutter_session *session; /* that knows what is held */
    bool keys[KEY_CNT]; /* what is held down: keys and buttons */
    struct ph_mutter_keys *keyboard;
    uint16_t fingers; /* that are down, a bit each */
    int detents[2]; /* part of a detent that is left over: x, y */
    guint stepping; /* --keepalive pointer: the timer */
    int step; /* pixels that the pointer stands aside */
    bool at_right_edge; /* where the user left it */
};

static struct mutter *from_base(struct ph_input *input)
{
    return PH_CONTAINER(input, struct mutter, base);
}

static const char *motion_method(const struct mutter *i)
{
    static const char method[] = "NotifyPointerMotionRelative";
    return ph_mutter_session_has(i->session, method) ? method
                                                     : "NotifyPointerMotion";
}

static bool is_button(uint16_t code)
{
    return code >= BTN_MOUSE && code < BTN_JOYSTICK;
}

static void call(struct mutter *i, const char *method, GVariant *params)
{
    ph_mutter_session_call(i->session, method, params, NULL, NULL);
}

static void move(struct mutter *i, double dx, double dy)
{
    call(i, motion_method(i), g_variant_new("(dd)", dx, dy));
}

/* Takes up the newest session: in another one nothing is held down. */
static void follow(struct mutter *i, struct ph_mutter_session *session)
{
    if (i->session == session) {
        return;
    }
    ph_mutter_session_unref(i->session);
    i->session = session ? ph_mutter_session_ref(session) : NULL;
    memset(i->keys, 0, sizeof(i->keys));
    memset(i->detents, 0, sizeof(i->detents));
    i->fingers = 0;
    i->step = 0;
    ph_mutter_keys_follow(i->keyboard, session);
    if (session) { /* so that there is a pointer */
        move(i, 0, 0);
    }
}

static void step_back(struct mutter *i)
{
    if (i->step) {
        move(i, -i->step, 0);
        i->step = 0;
    }
}

/* Called before the user's input: the pointer is where the user left it. */
static bool ready(struct mutter *i)
{
    struct ph_mutter_session *s = ph_mutter_take(i->desktop);
    follow(i, s);
    ph_mutter_session_unref(s);
    if (i->session) {
        step_back(i);
    }
    return i->session;
}

/* Aside, and the next time back. */
static gboolean step(gpointer data)
{
    struct mutter *i = data;
    bool back = i->step;
    if (ready(i) && !back && ph_mutter_is_watched(i->desktop)) {
        i->step = i->at_right_edge ? -1 : 1;
        move(i, i->step, 0);
    }
    return G_SOURCE_CONTINUE;
}

/* Notes a key or button; false: it is in that state already, or unknown. */
static bool hold(struct mutter *i, uint16_t code, bool pressed)
{
    if (code >= KEY_CNT || i->keys[code] == pressed) {
        return false;
    }
    i->keys[code] = pressed;
    return true;
}

static void key(struct ph_input *input, uint16_t code, bool pressed)
{
    struct mutter *i = from_base(input);
    if (!is_button(code) && ready(i) && hold(i, code, pressed)) {
        ph_mutter_keys_key(i->keyboard, code, pressed);
    }
}

static void button(struct ph_input *input, uint16_t code, bool pressed)
{
    struct mutter *i = from_base(input);
    if (is_button(code) && ready(i) && hold(i, code, pressed)) {
        call(i, "NotifyPointerButton",
                g_variant_new("(ib)", (gint32)code, pressed));
    }
}

/* The stream as this Mutter wants it named: by its path, as one or as text. */
static GVariant *stream_of(
        struct mutter *i, const char *method, unsigned argument)
{
    const char *path = ph_mutter_session_stream(i->session);
    return ph_mutter_session_takes(i->session, method, argument, "o")
            ? g_variant_new_object_path(path)
            : g_variant_new_string(path);
}

static void pointer(struct ph_input *input, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
    static const char method[] = "NotifyPointerMotionAbsolute";
    struct mutter *i = from_base(input);
    if (width && height && ready(i)) {
        i->at_right_edge = x >= width - 1;
        call(i, method,
                g_variant_new("(@*dd)", stream_of(i, method, 0),
                        (double)PH_MIN(x, width - 1),
                        (double)PH_MIN(y, height - 1)));
    }
}

static void motion(struct ph_input *input, int32_t dx, int32_t dy)
{
    struct mutter *i = from_base(input);
    if (ready(i)) {
        i->at_right_edge = false; /* for all we know */
        move(i, dx / 256.0, dy / 256.0);
    }
}

/* Whole detents; what is less than one waits for more. */
static void click_wheel(struct mutter *i, unsigned axis, int *rest, int delta)
{
    if ((delta > 0) != (*rest > 0)) {
        *rest = 0; /* it turned round */
    }
    int64_t sum = (int64_t)*rest + delta;
    int steps = (int)(sum / DETENT);
    *rest = (int)(sum % DETENT);
    if (steps) {
        call(i, "NotifyPointerAxisDiscrete",
                g_variant_new("(ui)", axis, steps));
    }
}

static void wheel(struct ph_input *input, int dx, int dy, bool smooth)
{
    struct mutter *i = from_base(input);
    if (!ready(i)) {
        return;
    }
    if (!smooth) {
        if (dy) {
            click_wheel(i, 0, &i->detents[1], dy);
        }
        if (dx) {
            click_wheel(i, 1, &i->detents[0], dx);
        }
        return;
    }
    guint32 flags =
            dx || dy ? AXIS_FROM_FINGER : AXIS_FROM_FINGER | AXIS_FINISH;
    call(i, "NotifyPointerAxis",
            g_variant_new("(ddu)", (double)dx * DETENT_LENGTH / DETENT,
                    (double)dy * DETENT_LENGTH / DETENT, flags));
}

static void lift(struct mutter *i, uint8_t finger)
{
    if (i->fingers & 1U << finger) {
        i->fingers &= (uint16_t) ~(1U << finger);
        call(i, "NotifyTouchUp", g_variant_new("(u)", (guint32)finger));
    }
}

static void touch(struct ph_input *input, enum ph_input_touch what,
        uint8_t finger, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    struct mutter *i = from_base(input);
    if (finger >= PH_INPUT_MAX_FINGERS || !ready(i)) {
        return;
    }
    if (what == PH_INPUT_TOUCH_UP || what == PH_INPUT_TOUCH_CANCEL) {
        lift(i, finger);
        return;
    }
    bool down = i->fingers & 1U << finger;
    if (width == 0 || height == 0 || (what == PH_INPUT_TOUCH_DOWN) == down) {
        return;
    }
    const char *method = down ? "NotifyTouchMotion" : "NotifyTouchDown";
    i->fingers |= (uint16_t)(1U << finger);
    call(i, method,
            g_variant_new("(@*udd)", stream_of(i, method, 0), (guint32)finger,
                    (double)PH_MIN(x, width - 1),
                    (double)PH_MIN(y, height - 1)));
}

static void text(struct ph_input *input, const char *utf8, size_t len)
{
    struct mutter *i = from_base(input);
    if (ready(i)) {
        ph_mutter_keys_text(i->keyboard, utf8, len);
    }
}

static void locks(struct ph_input *input, bool caps, bool num)
{
    struct mutter *i = from_base(input);
    if (ready(i)) {
        ph_mutter_keys_locks(i->keyboard, caps, num);
    }
}

static void release_all(struct ph_input *input)
{
    struct mutter *i = from_base(input);
    if (!ready(i)) {
        return;
    }
    for (uint16_t code = 0; code < KEY_CNT; code++) {
        if (i->keys[code]) {
            key(input, code, false);
            button(input, code, false);
        }
    }
    for (uint8_t finger = 0; finger < PH_INPUT_MAX_FINGERS; finger++) {
        lift(i, finger);
    }
    memset(i->detents, 0, sizeof(i->detents));
}

static void changed(void *data, struct ph_mutter_session *session)
{
    follow(data, session);
}

static void destroy(struct ph_input *input)
{
    struct mutter *i = from_base(input);
    g_clear_handle_id(&i->stepping, g_source_remove);
    release_all(input); /* and steps back */
    ph_mutter_unwatch(i->desktop, &i->watch);
    ph_mutter_keys_destroy(i->keyboard);
    ph_mutter_session_unref(i->session);
    free(i);
}

static const struct ph_input_ops ops = {
        .name = "mutter",
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

struct ph_input *ph_input_mutter_create(struct ph_mutter *m)
{
    struct mutter *i = ph_xcalloc(1, sizeof(*i));
    i->base.ops = &ops;
    i->desktop = m;
    i->keyboard = ph_mutter_keys_create(
            ph_mutter_clipboard_of(m), ph_mutter_options(m)->layout);
    i->watch = (struct ph_mutter_watch){changed, i};
    ph_mutter_watch(m, &i->watch);
    if (ph_mutter_options(m)->keepalive == PH_DESKTOP_KEEPALIVE_POINTER) {
        i->stepping = g_timeout_add(STEP_MS, step, i);
    }
    ready(i);
    return &i->base;
}
