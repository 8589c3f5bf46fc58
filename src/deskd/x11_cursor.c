/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_cursor.h"

#include <stdlib.h>
#include <string.h>
#include <xcb/xcbext.h>
#include <xcb/xfixes.h>
#include <xcb/xinput.h>

#include "common/alloc.h"
#include "common/cleanup.h"

void ph_x11_cursor_init(struct ph_x11_cursor *c, struct ph_x11 *x)
{
    *c = (struct ph_x11_cursor){
            .x = x, .stale_image = true, .stale_position = true};
    c->pixels = ph_xmalloc(
            (size_t)PH_CAPTURE_MAX_CURSOR * PH_CAPTURE_MAX_CURSOR * 4);
    xcb_xfixes_select_cursor_input(
            x->conn, x->root, XCB_XFIXES_CURSOR_NOTIFY_MASK_DISPLAY_CURSOR);
    if (ph_x11_has(x, &xcb_input_id, "XInputExtension", NULL, 0)) {
        /* The server does XInput 2 only for who says that he knows it. */
        AUTOFREE xcb_input_xi_query_version_reply_t *version =
                xcb_input_xi_query_version_reply(x->conn,
                        xcb_input_xi_query_version(x->conn, 2, 2), NULL);
        struct {
            xcb_input_event_mask_t head;
            uint32_t mask;
        } select = {{XCB_INPUT_DEVICE_ALL_MASTER, 1},
                XCB_INPUT_XI_EVENT_MASK_RAW_MOTION};
        if (version) {
            xcb_input_xi_select_events(x->conn, x->root, 1, &select.head);
        }
    }
}

void ph_x11_cursor_finish(struct ph_x11_cursor *c)
{
    if (c->asked_image) {
        xcb_discard_reply(c->x->conn, c->image_sequence);
    }
    if (c->asked_position) {
        xcb_discard_reply(c->x->conn, c->position_sequence);
    }
    free(c->pixels);
    memset(c, 0, sizeof(*c));
}

bool ph_x11_cursor_event(
        struct ph_x11_cursor *c, const xcb_generic_event_t *event)
{
    if (ph_x11_is_event(
                c->x, event, &xcb_xfixes_id, XCB_XFIXES_CURSOR_NOTIFY)) {
        c->stale_image = true;
        return true;
    }
    if (ph_x11_is_generic(c->x, event, &xcb_input_id, XCB_INPUT_RAW_MOTION)) {
        c->stale_position = true;
        return true;
    }
    return false;
}

void ph_x11_cursor_ask(struct ph_x11_cursor *c)
{
    c->stale_position = true;
}

static void move(struct ph_x11_cursor *c, int32_t x, int32_t y)
{
    c->changed = c->changed || x != c->now.x || y != c->now.y;
    c->now.x = x;
    c->now.y = y;
}

/* ARGB of the machine's byte order to RGBA. True: something is to be seen. */
static bool convert(uint8_t *to, const uint32_t *from, size_t count)
{
    bool visible = false;
    for (size_t i = 0; i < count; i++, to += 4) {
        to[0] = (uint8_t)(from[i] >> 16);
        to[1] = (uint8_t)(from[i] >> 8);
        to[2] = (uint8_t)from[i];
        to[3] = (uint8_t)(from[i] >> 24);
        visible = visible || to[3];
    }
    return visible;
}

static void take_image(struct ph_x11_cursor *c,
        const xcb_xfixes_get_cursor_image_reply_t *reply)
{
    const uint32_t *image = xcb_xfixes_get_cursor_image_cursor_image(reply);
    size_t count = (size_t)reply->width * reply->height;
    bool sane = reply->width > 0 && reply->width <= PH_CAPTURE_MAX_CURSOR &&
            reply->height > 0 && reply->height <= PH_CAPTURE_MAX_CURSOR &&
            reply->xhot < reply->width && reply->yhot < reply->height &&
            (size_t)xcb_xfixes_get_cursor_image_cursor_image_length(reply) >=
                    count;
    move(c, reply->x, reply->y);
    c->changed = true;
    c->now.visible = sane && convert(c->pixels, image, count);
    if (!c->now.visible) {
        return;
    }
    c->shape_changed = true;
    c->now.serial = reply->cursor_serial;
    c->now.width = reply->width;
    c->now.height = reply->height;
    c->now.hot_x = reply->xhot;
    c->now.hot_y = reply->yhot;
}

static void take_answers(struct ph_x11_cursor *c)
{
    void *reply = NULL;
    xcb_generic_error_t *error = NULL;
    if (c->asked_image &&
            xcb_poll_for_reply(c->x->conn, c->image_sequence, &reply, &error)) {
        c->asked_image = false;
        if (reply) {
            take_image(c, reply);
        }
        free(reply);
        free(error);
    }
    reply = NULL;
    error = NULL;
    if (c->asked_position &&
            xcb_poll_for_reply(
                    c->x->conn, c->position_sequence, &reply, &error)) {
        const xcb_query_pointer_reply_t *at = reply;
        c->asked_position = false;
        if (at && at->same_screen) {
            move(c, at->root_x, at->root_y);
        }
        free(reply);
        free(error);
    }
}

static void ask(struct ph_x11_cursor *c)
{
    if (c->stale_image && !c->asked_image) {
        c->image_sequence = xcb_xfixes_get_cursor_image(c->x->conn).sequence;
        c->asked_image = true;
        c->unsent = true;
        c->stale_image = false;
    }
    if (c->stale_position && !c->asked_position) {
        c->position_sequence =
                xcb_query_pointer(c->x->conn, c->x->root).sequence;
        c->asked_position = true;
        c->unsent = true;
        c->stale_position = false;
    }
}

bool ph_x11_cursor_take(struct ph_x11_cursor *c, struct ph_capture_cursor *out)
{
    take_answers(c);
    ask(c);
    if (!c->changed || c->now.width == 0) {
        return false;
    }
    *out = c->now;
    out->data = c->shape_changed ? c->pixels : NULL;
    c->changed = false;
    c->shape_changed = false;
    return true;
}
