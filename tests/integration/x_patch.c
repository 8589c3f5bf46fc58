/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * wl_patch for X: a window for tests that fills the screen, draws what stdin
 * says and tells on stdout what input it got. Commands, a line each:
 *   rect X Y W H RRGGBB   fill a rectangle
 *   commit                all of it is drawn: answers "committed NS"
 *   echo X Y              from now on a key press inverts the 8x8 block there
 *                         at once and answers "committed NS"
 * Says "size W H" when its size is known or changes, then "key CODE STATE",
 * "motion X Y", "button CODE STATE" (evdev's codes), "axis AXIS STEPS".
 */
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macros.h"
#include "patch.h"
#include "x11/x11.h"

enum {
    BLOCK = 8,
    FIRST_BUTTON = 0x110,
};

static struct ph_x11 x;
static xcb_window_t window;
static xcb_gcontext_t gc;
static bool echo;
static uint32_t echo_at[2];
static uint32_t under_echo; /* the colour there */

static void fill(const uint32_t r[4], uint32_t colour)
{
    const xcb_rectangle_t rect = {
            (int16_t)r[0], (int16_t)r[1], (uint16_t)r[2], (uint16_t)r[3]};
    xcb_change_gc(x.conn, gc, XCB_GC_FOREGROUND, &colour);
    xcb_poly_fill_rectangle(x.conn, window, gc, 1, &rect);
    under_echo = colour;
}

static void commit(void)
{
    free(xcb_get_input_focus_reply(x.conn, xcb_get_input_focus(x.conn), NULL));
    printf("committed %lld\n", (long long)ph_clock_ns());
}

static void handle_key(const xcb_key_press_event_t *event, bool pressed)
{
    if (echo && pressed) {
        const uint32_t r[4] = {echo_at[0], echo_at[1], BLOCK, BLOCK};
        fill(r, ~under_echo & 0xFFFFFF);
        commit();
    }
    printf("key %d %d\n", event->detail - PH_X11_KEYCODE_OFFSET, pressed);
}

static void handle_button(const xcb_button_press_event_t *event, bool pressed)
{
    /* Left, middle, right, the wheel's four, back, forward. */
    static const int codes[] = {0, 0, 2, 1, 0, 0, 0, 0, 3, 4};
    unsigned button = event->detail;
    if (button >= 4 && button <= 7) {
        if (pressed) {
            printf("axis %d %d\n", button > 5, button % 2 ? 1 : -1);
        }
    } else if (button < PH_LEN(codes)) {
        printf("button %d %d\n", FIRST_BUTTON + codes[button], pressed);
    }
}

static void say_size(void)
{
    const uint32_t size[] = {x.width, x.height};
    xcb_configure_window(x.conn, window,
            XCB_CONFIG_WINDOW_WIDTH | XCB_CONFIG_WINDOW_HEIGHT, size);
    printf("size %u %u\n", x.width, x.height);
}

static void handle_event(const xcb_generic_event_t *event)
{
    const xcb_motion_notify_event_t *motion =
            (const xcb_motion_notify_event_t *)event;
    switch (event->response_type & 0x7f) {
    case XCB_KEY_PRESS:
    case XCB_KEY_RELEASE:
        handle_key((const xcb_key_press_event_t *)event,
                (event->response_type & 0x7f) == XCB_KEY_PRESS);
        break;
    case XCB_BUTTON_PRESS:
    case XCB_BUTTON_RELEASE:
        handle_button((const xcb_button_press_event_t *)event,
                (event->response_type & 0x7f) == XCB_BUTTON_PRESS);
        break;
    case XCB_MOTION_NOTIFY:
        printf("motion %d %d\n", motion->root_x, motion->root_y);
        break;
    default:
        if (ph_x11_follow_size(&x, event)) {
            say_size();
        }
    }
}

static void handle_line(const char *line)
{
    uint32_t n[5];
    if (strcmp(line, "commit") == 0) {
        commit();
    } else if (strncmp(line, "echo ", 5) == 0 &&
            patch_numbers(line + 5, n, 2, false)) {
        echo = true;
        memcpy(echo_at, n, sizeof(echo_at));
    } else if (strncmp(line, "rect ", 5) == 0 &&
            patch_numbers(line + 5, n, 5, true)) {
        fill(n, n[4]);
    } else if (*line) {
        fprintf(stderr, "x_patch: unknown command: %s\n", line);
    }
}

static void open_window(void)
{
    const uint32_t values[] = {0, true,
            XCB_EVENT_MASK_KEY_PRESS | XCB_EVENT_MASK_KEY_RELEASE |
                    XCB_EVENT_MASK_BUTTON_PRESS |
                    XCB_EVENT_MASK_BUTTON_RELEASE |
                    XCB_EVENT_MASK_POINTER_MOTION};
    window = xcb_generate_id(x.conn);
    gc = xcb_generate_id(x.conn);
    xcb_create_window(x.conn, XCB_COPY_FROM_PARENT, window, x.root, 0, 0,
            x.width, x.height, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
            XCB_COPY_FROM_PARENT,
            XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT | XCB_CW_EVENT_MASK,
            values);
    xcb_create_gc(x.conn, gc, window, 0, NULL);
    xcb_map_window(x.conn, window);
    ph_x11_watch_size(&x);
    xcb_set_input_focus(
            x.conn, XCB_INPUT_FOCUS_POINTER_ROOT, window, XCB_CURRENT_TIME);
    say_size();
}

static void take_events(void)
{
    xcb_generic_event_t *event;
    while ((event = xcb_poll_for_event(x.conn))) {
        handle_event(event);
        free(event);
    }
    xcb_flush(x.conn);
    fflush(stdout);
}

/* Takes what stdin has; false: it is closed. */
static bool take_lines(void)
{
    static char text[65536];
    static size_t used;
    ssize_t n = read(STDIN_FILENO, text + used, sizeof(text) - 1 - used);
    char *line = text;
    char *end;
    if (n <= 0) {
        return false;
    }
    used += (size_t)n;
    text[used] = '\0';
    for (; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        handle_line(line);
    }
    used -= (size_t)(line - text);
    memmove(text, line, used);
    return used < sizeof(text) - 1;
}

int main(void)
{
    char error[256];
    if (!ph_x11_connect(&x, NULL, error, sizeof(error))) {
        fprintf(stderr, "x_patch: %s\n", error);
        return 1;
    }
    open_window();
    take_events();
    struct pollfd fds[2] = {{xcb_get_file_descriptor(x.conn), POLLIN, 0},
            {STDIN_FILENO, POLLIN, 0}};
    while (poll(fds, 2, -1) >= 0 && !xcb_connection_has_error(x.conn) &&
            (!fds[1].revents || take_lines())) {
        take_events();
    }
    ph_x11_finish(&x);
    return 0;
}
