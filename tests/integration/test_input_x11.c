/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Input into a real X server, run under xvfb.sh: what a window of our own is
 * told, and what arrives in a terminal, letter by letter.
 */
#include <glib.h>
#include <linux/input-event-codes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xcb/xkb.h>

#include "child.h"
#include "common/clock.h"
#include "common/macros.h"
#include "deskd/desktop_x11.h"
#include "unit/check.h"
#include "x11/resize.h"
#include "x11/x11.h"

#define WAIT_MS 20000

struct client {
    struct ph_x11 x;
    xcb_window_t window;
    int16_t at[2]; /* of the pointer, as of the newest event */
};

static void serve(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_usleep(2000);
}

/* The next event of that kind; its detail, -1 for none. */
static int next_event(struct client *c, uint8_t type)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (ph_clock_ns() < deadline) {
        g_autofree xcb_generic_event_t *event = xcb_poll_for_event(c->x.conn);
        if (event && (event->response_type & 0x7f) == type) {
            const xcb_button_press_event_t *e =
                    (const xcb_button_press_event_t *)event;
            c->at[0] = e->root_x;
            c->at[1] = e->root_y;
            return e->detail;
        }
        if (!event) {
            serve();
        }
    }
    return -1;
}

static void open_window(struct client *c)
{
    const uint32_t values[] = {true,
            XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_KEY_RELEASE |
                    XCB_EVENT_MASK_BUTTON_PRESS |
                    XCB_EVENT_MASK_BUTTON_RELEASE |
                    XCB_EVENT_MASK_POINTER_MOTION | XCB_EVENT_MASK_EXPOSURE};
    c->window = xcb_generate_id(c->x.conn);
    xcb_create_window(c->x.conn, XCB_COPY_FROM_PARENT, c->window, c->x.root, 0,
            0, c->x.width, c->x.height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
            XCB_COPY_FROM_PARENT, XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK,
            values);
    xcb_map_window(c->x.conn, c->window);
    xcb_set_input_focus(c->x.conn, XCB_INPUT_FOCUS_POINTER_ROOT, c->window,
            XCB_CURRENT_TIME);
    xcb_flush(c->x.conn);
    CHECK_EQ(next_event(c, XCB_EXPOSE), 0);
}

static void test_keys(struct ph_input *input, struct client *c)
{
    input->ops->key(input, KEY_A, true);
    CHECK_EQ(next_event(c, XCB_KEY_PRESS), KEY_A + 8);
    input->ops->key(input, KEY_A, true); /* held already: nothing */
    input->ops->key(input, KEY_A, false);
    CHECK_EQ(next_event(c, XCB_KEY_RELEASE), KEY_A + 8);
    /* Out of range, or not a key at all: ignored. */
    input->ops->key(input, 65535, true);
    input->ops->key(input, 250, true);
    input->ops->key(input, BTN_LEFT, true);
    input->ops->button(input, KEY_A, true);
    input->ops->key(input, KEY_S, true);
    input->ops->key(input, KEY_LEFTALT, true);
    CHECK_EQ(next_event(c, XCB_KEY_PRESS), KEY_S + 8);
    input->ops->button(input, BTN_RIGHT, true);
    CHECK_EQ(next_event(c, XCB_BUTTON_PRESS), 3);
    input->ops->release_all(input);
    CHECK_EQ(next_event(c, XCB_KEY_RELEASE), KEY_S + 8);
    CHECK_EQ(next_event(c, XCB_KEY_RELEASE), KEY_LEFTALT + 8);
    CHECK_EQ(next_event(c, XCB_BUTTON_RELEASE), 3);
}

static void click(struct ph_input *input, uint16_t code)
{
    input->ops->button(input, code, true);
    input->ops->button(input, code, false);
}

static void test_pointer(struct ph_input *input, struct client *c)
{
    const uint32_t points[][2] = {
            {0, 0}, {1, 1}, {301, 77}, {1279, 719}, {5000, 5}};
    static const uint16_t buttons[][2] = {{BTN_LEFT, 1}, {BTN_MIDDLE, 2},
            {BTN_RIGHT, 3}, {BTN_SIDE, 8}, {BTN_EXTRA, 9}, {BTN_BACK, 8},
            {BTN_FORWARD, 9}};
    for (size_t i = 0; i < PH_LEN(points); i++) {
        input->ops->pointer(input, points[i][0], points[i][1], 1280, 720);
        CHECK(next_event(c, XCB_MOTION_NOTIFY) >= 0);
        CHECK_EQ(c->at[0], PH_MIN(points[i][0], 1279));
        CHECK_EQ(c->at[1], points[i][1]);
    }
    /* A viewer that knows another size. */
    input->ops->pointer(input, 50, 50, 100, 100);
    CHECK(next_event(c, XCB_MOTION_NOTIFY) >= 0);
    CHECK_EQ(c->at[0], 640);
    CHECK_EQ(c->at[1], 360);
    input->ops->pointer(input, 1, 1, 0, 0);
    /* Halves of a pixel add up. */
    input->ops->motion(input, 128, -256);
    CHECK(next_event(c, XCB_MOTION_NOTIFY) >= 0);
    CHECK_EQ(c->at[1], 359);
    input->ops->motion(input, 128, 0);
    CHECK(next_event(c, XCB_MOTION_NOTIFY) >= 0);
    CHECK_EQ(c->at[0], 641);
    for (size_t i = 0; i < PH_LEN(buttons); i++) {
        click(input, buttons[i][0]);
        CHECK_EQ(next_event(c, XCB_BUTTON_PRESS), buttons[i][1]);
        CHECK_EQ(next_event(c, XCB_BUTTON_RELEASE), buttons[i][1]);
    }
}

static void test_wheel(struct ph_input *input, struct client *c)
{
    input->ops->wheel(input, 0, 120, false);
    CHECK_EQ(next_event(c, XCB_BUTTON_PRESS), 5);
    input->ops->wheel(input, -240, 0, false);
    CHECK_EQ(next_event(c, XCB_BUTTON_PRESS), 6);
    CHECK_EQ(next_event(c, XCB_BUTTON_PRESS), 6);
    /* Thirds of a detent: one step, with the third one; turning round begins
     * anew. */
    for (int i = 0; i < 2; i++) {
        input->ops->wheel(input, 0, 40, true);
    }
    input->ops->wheel(input, 0, -110, true);
    input->ops->wheel(input, 0, -10, true);
    CHECK_EQ(next_event(c, XCB_BUTTON_PRESS), 4);
    input->ops->wheel(input, 120, 0, true);
    CHECK_EQ(next_event(c, XCB_BUTTON_PRESS), 7);
    input->ops->wheel(input, 0, INT32_MAX, true); /* not for ever */
    input->ops->touch(input, PH_INPUT_TOUCH_DOWN, 0, 33, 44, 1280, 720);
    input->ops->touch(input, PH_INPUT_TOUCH_UP, 0, 0, 0, 0, 0);
    int button = 0;
    for (int i = 0; i < 200 && button != 1; i++) {
        button = next_event(c, XCB_BUTTON_PRESS);
    }
    CHECK_EQ(button, 1);
    CHECK_EQ(c->at[0], 33);
}

static uint8_t locked(struct client *c)
{
    g_autofree xcb_xkb_get_state_reply_t *state = xcb_xkb_get_state_reply(
            c->x.conn, xcb_xkb_get_state(c->x.conn, XCB_XKB_ID_USE_CORE_KBD),
            NULL);
    return state ? state->lockedMods : 0xff;
}

/* Waits until the locks are these. */
static bool is_locked(struct client *c, uint8_t mods)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (locked(c) != mods) {
        if (ph_clock_ns() > deadline) {
            return false;
        }
        serve();
    }
    return true;
}

static void test_locks(struct ph_input *input, struct client *c)
{
    g_free(xcb_xkb_use_extension_reply(
            c->x.conn, xcb_xkb_use_extension(c->x.conn, 1, 0), NULL));
    input->ops->locks(input, true, false);
    CHECK(is_locked(c, XCB_MOD_MASK_LOCK));
    input->ops->locks(input, false, true);
    CHECK(is_locked(c, XCB_MOD_MASK_2));
    input->ops->locks(input, false, false);
    CHECK(is_locked(c, 0));
}

static void tap(struct ph_input *input, uint16_t modifier, uint16_t code)
{
    if (modifier) {
        input->ops->key(input, modifier, true);
    }
    input->ops->key(input, code, true);
    input->ops->key(input, code, false);
    if (modifier) {
        input->ops->key(input, modifier, false);
    }
}

/* The line that the terminal has got. */
static bool arrived(const char *path, const char *want)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    g_autofree char *line = g_strconcat(want, "\n", NULL);
    g_autofree char *text = NULL;
    do {
        g_clear_pointer(&text, g_free);
        serve();
        if (g_file_get_contents(path, &text, NULL, NULL) &&
                g_str_has_suffix(text, "\n")) {
            break;
        }
    } while (ph_clock_ns() < deadline);
    unlink(path);
    return CHECK_STR(text, line);
}

struct terminal {
    char path[256];
    struct child child;
};

/* Waits until there is a window under the pointer, or none. */
static bool is_covered(struct client *c, bool covered)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (ph_clock_ns() < deadline) {
        g_autofree xcb_query_pointer_reply_t *reply = xcb_query_pointer_reply(
                c->x.conn, xcb_query_pointer(c->x.conn, c->x.root), NULL);
        if (reply && (reply->child != XCB_NONE) == covered) {
            return true;
        }
        serve();
    }
    return false;
}

/* A terminal that writes each line into the file, and is under the pointer. */
static bool open_terminal(
        struct terminal *t, struct ph_input *input, struct client *c)
{
    snprintf(t->path, sizeof(t->path), "%s/typed", getenv("HOME"));
    g_autofree char *script = g_strdup_printf("echo up >%s; while read -r l; "
                                              "do echo \"$l\" >%s.new; mv "
                                              "%s.new %s; done",
            t->path, t->path, t->path, t->path);
    const char *const argv[] = {
            "xterm", "-maximized", "-e", "sh", "-c", script, NULL};
    unlink(t->path);
    input->ops->pointer(input, 300, 300, 1280, 720);
    /* The one before goes when the server sees its end; this one comes later
     * than its shell. */
    return CHECK(is_covered(c, false)) && CHECK(child_start(&t->child, argv)) &&
            arrived(t->path, "up") && CHECK(is_covered(c, true));
}

static void test_layouts(struct client *c)
{
    static const struct {
        const char *layout;
        uint16_t keys[9][2]; /* modifier, key */
        const char *text;
    } cases[] = {
            {"us", {{0, KEY_Y}, {KEY_LEFTSHIFT, KEY_2}, {0, KEY_SLASH}}, "y@/"},
            {"de",
                    {{0, KEY_Y}, {KEY_RIGHTALT, KEY_Q}, {KEY_RIGHTALT, KEY_E},
                            {0, KEY_SEMICOLON}, {0, KEY_EQUAL}, {0, KEY_E},
                            {KEY_RIGHTALT, KEY_7}, {KEY_LEFTSHIFT, KEY_MINUS}},
                    "z@€öé{?"},
            {"fr",
                    {{0, KEY_Q}, {0, KEY_2}, {0, KEY_LEFTBRACE}, {0, KEY_E},
                            {KEY_RIGHTALT, KEY_0}, {KEY_LEFTSHIFT, KEY_1}},
                    "aéê@1"},
            {"us(intl),de", {{0, KEY_APOSTROPHE}, {0, KEY_E}, {0, KEY_Y}},
                    "éy"},
    };
    char error[256] = "";
    for (size_t i = 0; i < PH_LEN(cases); i++) {
        struct terminal t = {0};
        struct ph_input *input = ph_input_x11_create(
                NULL, cases[i].layout, error, sizeof(error));
        if (!CHECK(input) || !open_terminal(&t, input, c)) {
            fprintf(stderr, "%s: %s\n", cases[i].layout, error);
            continue;
        }
        for (size_t k = 0; k < 9 && cases[i].keys[k][1]; k++) {
            tap(input, cases[i].keys[k][0], cases[i].keys[k][1]);
        }
        tap(input, 0, KEY_ENTER);
        arrived(t.path, cases[i].text);
        child_stop(&t.child);
        input->ops->destroy(input);
    }
}

static void type(struct ph_input *input, const char *text)
{
    input->ops->text(input, text, strlen(text));
}

static void test_text(struct client *c)
{
    char error[256] = "";
    struct terminal t = {0};
    struct ph_input *input =
            ph_input_x11_create(NULL, "de", error, sizeof(error));
    if (!CHECK(input) || !open_terminal(&t, input, c)) {
        return;
    }
    static const char *const lines[] = {"plain us text: {[]}~ yz YZ",
            "Grüße „ß“ ñ — ∑ 世界 🎉👍🏽", "aaa🎉🎉bbb",
            "ÄÖÜ äöü éèê"};
    for (size_t i = 0; i < PH_LEN(lines); i++) {
        type(input, lines[i]);
        type(input, "\n");
        arrived(t.path, lines[i]);
    }
    /* More different ones than keys are free. */
    g_autoptr(GString) many = g_string_new(NULL);
    for (gunichar u = 0x4e00; u < 0x4e00 + 60; u++) {
        g_string_append_unichar(many, u);
    }
    type(input, many->str);
    type(input, "\n");
    arrived(t.path, many->str);
    /* Whatever is locked or held. */
    input->ops->locks(input, true, true);
    type(input, "caps Is On é\n");
    arrived(t.path, "caps Is On é");
    input->ops->locks(input, false, false);
    child_stop(&t.child);
    input->ops->destroy(input);
}

static bool signal_server(int signal)
{
    const char *pid = getenv("XVFB_PID");
    return pid && kill((pid_t)g_ascii_strtoll(pid, NULL, 10), signal) == 0;
}

/* A server that stands still holds nobody up; afterwards the newest place of
 * the pointer counts, and nothing stays pressed. */
static void test_stall(struct ph_input *input, struct client *c)
{
    input->ops->key(input, KEY_A, true);
    CHECK_EQ(next_event(c, XCB_KEY_PRESS), KEY_A + 8);
    CHECK(signal_server(SIGSTOP));
    for (uint32_t i = 0; i < 20000; i++) {
        input->ops->pointer(input, i % 500, 20, 1280, 720);
        input->ops->wheel(input, 0, 1, true);
        input->ops->motion(input, 256, 0);
    }
    input->ops->key(input, KEY_A, false);
    input->ops->pointer(input, 611, 33, 1280, 720);
    CHECK(signal_server(SIGCONT));
    CHECK_EQ(next_event(c, XCB_KEY_RELEASE), KEY_A + 8);
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (c->at[0] != 611 && ph_clock_ns() < deadline) {
        CHECK(next_event(c, XCB_MOTION_NOTIFY) >= 0);
    }
    CHECK_EQ(c->at[0], 611);
    CHECK_EQ(c->at[1], 33);
}

/* A size that changes, and a server that is gone. */
static void test_size_and_end(struct ph_input *input, struct client *c)
{
    char error[256] = "";
    CHECK(ph_x11_resize(&c->x, 640, 480, 120, error, sizeof(error)));
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    do {
        serve();
        input->ops->pointer(input, 50, 50, 100, 100);
        CHECK(next_event(c, XCB_MOTION_NOTIFY) >= 0);
        input->ops->pointer(input, 25, 25, 100, 100);
        CHECK(next_event(c, XCB_MOTION_NOTIFY) >= 0);
    } while (c->at[0] != 160 && ph_clock_ns() < deadline);
    CHECK_EQ(c->at[0], 160);
    CHECK_EQ(c->at[1], 120);
    CHECK(signal_server(SIGKILL));
    input->ops->key(input, KEY_A, true);
    for (int i = 0; i < 20; i++) {
        serve();
        input->ops->key(input, KEY_B, i % 2);
        input->ops->pointer(input, 1, 1, 10, 10);
    }
    type(input, "nobody");
}

int main(void)
{
    char error[256] = "";
    struct client c = {0};
    g_setenv("LC_ALL", "C.UTF-8", TRUE);
    CHECK(!ph_input_x11_create(":99999", "us", error, sizeof(error)));
    CHECK(strstr(error, ":99999"));
    CHECK(!ph_input_x11_create(NULL, "xx(", error, sizeof(error)));
    CHECK(!ph_input_x11_create(NULL, "nosuchone", error, sizeof(error)));
    CHECK(strstr(error, "nosuchone"));
    if (!CHECK(ph_x11_connect(&c.x, NULL, error, sizeof(error)))) {
        return CHECK_DONE();
    }
    test_layouts(&c);
    test_text(&c);
    struct ph_input *input =
            ph_input_x11_create(NULL, "us", error, sizeof(error));
    if (!CHECK(input)) {
        fprintf(stderr, "%s\n", error);
        return CHECK_DONE();
    }
    open_window(&c);
    test_keys(input, &c);
    test_pointer(input, &c);
    test_wheel(input, &c);
    test_locks(input, &c);
    test_stall(input, &c);
    test_size_and_end(input, &c);
    input->ops->destroy(input);
    ph_x11_finish(&c.x);
    return CHECK_DONE();
}
