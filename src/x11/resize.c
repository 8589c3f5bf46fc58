/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "x11/resize.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/randr.h>

#include "common/cleanup.h"
#define LOG_MODULE "x11"
#include "common/log.h"

#define DPI 96
#define SCALE_ONE 120
#define REFRESH_HZ 60
#define MODE_PREFIX "porthole-"

struct screen {
    struct ph_x11 *x;
    uint16_t width; /* to be */
    uint16_t height;
    uint32_t mm_width;
    uint32_t mm_height;
    xcb_randr_output_t output;
    xcb_randr_crtc_t crtc;
    xcb_timestamp_t time;
};

static bool failed(struct screen *s, xcb_void_cookie_t cookie)
{
    AUTOFREE xcb_generic_error_t *error = xcb_request_check(s->x->conn, cookie);
    return error || xcb_connection_has_error(s->x->conn);
}

static uint16_t clamp(uint32_t value, uint16_t least, uint16_t most)
{
    return (uint16_t)PH_MAX(least, PH_MIN(value, most));
}

/* The only output that is connected, and what drives it. */
static bool find_output(
        struct screen *s, const xcb_randr_get_screen_resources_reply_t *all)
{
    const xcb_randr_output_t *outputs =
            xcb_randr_get_screen_resources_outputs(all);
    int count = xcb_randr_get_screen_resources_outputs_length(all);
    int connected = 0;
    for (int i = 0; i < count; i++) {
        AUTOFREE xcb_randr_get_output_info_reply_t *info =
                xcb_randr_get_output_info_reply(s->x->conn,
                        xcb_randr_get_output_info(
                                s->x->conn, outputs[i], all->config_timestamp),
                        NULL);
        if (info && info->connection == XCB_RANDR_CONNECTION_CONNECTED) {
            connected++;
            s->output = outputs[i];
            s->crtc = info->crtc;
            if (!s->crtc && xcb_randr_get_output_info_crtcs_length(info) > 0) {
                s->crtc = *xcb_randr_get_output_info_crtcs(info);
            }
        }
    }
    return connected == 1 && s->crtc;
}

static bool set_crtc(struct screen *s, xcb_randr_mode_t mode)
{
    AUTOFREE xcb_randr_set_crtc_config_reply_t *reply =
            xcb_randr_set_crtc_config_reply(s->x->conn,
                    xcb_randr_set_crtc_config(s->x->conn, s->crtc,
                            XCB_CURRENT_TIME, s->time, 0, 0, mode,
                            XCB_RANDR_ROTATION_ROTATE_0, mode ? 1 : 0,
                            &s->output),
                    NULL);
    return reply && reply->status == XCB_RANDR_SET_CONFIG_SUCCESS;
}

/* A mode of the size, ours or the output's own; XCB_NONE: it takes none. */
static xcb_randr_mode_t find_mode(
        struct screen *s, const xcb_randr_get_screen_resources_reply_t *all)
{
    const xcb_randr_mode_info_t *modes =
            xcb_randr_get_screen_resources_modes(all);
    int count = xcb_randr_get_screen_resources_modes_length(all);
    for (int i = 0; i < count; i++) {
        if (modes[i].width == s->width && modes[i].height == s->height &&
                !failed(s,
                        xcb_randr_add_output_mode_checked(
                                s->x->conn, s->output, modes[i].id))) {
            return modes[i].id;
        }
    }
    char name[48];
    snprintf(name, sizeof(name), MODE_PREFIX "%ux%u", s->width, s->height);
    xcb_randr_mode_info_t info = {
            .width = s->width,
            .height = s->height,
            .dot_clock = (uint32_t)s->width * s->height * REFRESH_HZ,
            .hsync_start = s->width,
            .hsync_end = s->width,
            .htotal = s->width,
            .vsync_start = s->height,
            .vsync_end = s->height,
            .vtotal = s->height,
            .name_len = (uint16_t)strlen(name),
    };
    AUTOFREE xcb_randr_create_mode_reply_t *reply =
            xcb_randr_create_mode_reply(s->x->conn,
                    xcb_randr_create_mode(
                            s->x->conn, s->x->root, info, info.name_len, name),
                    NULL);
    if (!reply ||
            failed(s,
                    xcb_randr_add_output_mode_checked(
                            s->x->conn, s->output, reply->mode))) {
        return XCB_NONE;
    }
    return reply->mode;
}

/* Modes that we made for sizes that are over: of many viewers many. */
static void drop_modes(struct screen *s,
        const xcb_randr_get_screen_resources_reply_t *all,
        xcb_randr_mode_t keep)
{
    const xcb_randr_mode_info_t *modes =
            xcb_randr_get_screen_resources_modes(all);
    int count = xcb_randr_get_screen_resources_modes_length(all);
    const char *name = (const char *)xcb_randr_get_screen_resources_names(all);
    size_t left = (size_t)xcb_randr_get_screen_resources_names_length(all);
    size_t prefix = strlen(MODE_PREFIX);
    for (int i = 0; i < count && modes[i].name_len <= left; i++) {
        if (modes[i].id != keep && modes[i].name_len > prefix &&
                strncmp(name, MODE_PREFIX, prefix) == 0) {
            xcb_randr_delete_output_mode(s->x->conn, s->output, modes[i].id);
            xcb_randr_destroy_mode(s->x->conn, modes[i].id);
        }
        name += modes[i].name_len;
        left -= modes[i].name_len;
    }
}

/* The output must lie inside the screen at any time: off, then on again. */
static bool change(struct screen *s, xcb_randr_mode_t mode)
{
    xcb_connection_t *conn = s->x->conn;
    xcb_grab_server(conn);
    bool ok = set_crtc(s, XCB_NONE) &&
            !failed(s,
                    xcb_randr_set_screen_size_checked(conn, s->x->root,
                            s->width, s->height, s->mm_width, s->mm_height));
    ok = set_crtc(s, mode) && ok;
    xcb_ungrab_server(conn);
    xcb_flush(conn);
    return ok;
}

static bool prepare(struct screen *s, uint32_t width, uint32_t height,
        uint32_t scale, char *error, size_t size)
{
    xcb_connection_t *conn = s->x->conn;
    if (!ph_x11_has(s->x, &xcb_randr_id, "RANDR", error, size)) {
        return false;
    }
    AUTOFREE xcb_randr_query_version_reply_t *version =
            xcb_randr_query_version_reply(
                    conn, xcb_randr_query_version(conn, 1, 3), NULL);
    AUTOFREE xcb_randr_get_screen_size_range_reply_t *range =
            xcb_randr_get_screen_size_range_reply(conn,
                    xcb_randr_get_screen_size_range(conn, s->x->root), NULL);
    if (!version || !range) {
        snprintf(error, size, "the X server has no RANDR 1.2");
        return false;
    }
    s->width = clamp(width, range->min_width, range->max_width);
    s->height = clamp(height, range->min_height, range->max_height);
    uint32_t dpi = DPI * PH_MAX(scale, 1u);
    s->mm_width = PH_MAX(1u, s->width * 254u / 10 * SCALE_ONE / dpi);
    s->mm_height = PH_MAX(1u, s->height * 254u / 10 * SCALE_ONE / dpi);
    return true;
}

bool ph_x11_resize(struct ph_x11 *x, uint32_t width, uint32_t height,
        uint32_t scale, char *error, size_t size)
{
    struct screen s = {.x = x};
    if (!prepare(&s, width, height, scale, error, size)) {
        return false;
    }
    AUTOFREE xcb_randr_get_screen_resources_reply_t *all =
            xcb_randr_get_screen_resources_reply(x->conn,
                    xcb_randr_get_screen_resources(x->conn, x->root), NULL);
    if (!all || !find_output(&s, all)) {
        snprintf(error, size,
                "the X server has not exactly one output: its "
                "size is not ours to change");
        return false;
    }
    s.time = all->config_timestamp;
    xcb_randr_mode_t mode = find_mode(&s, all);
    if (!mode || !change(&s, mode)) {
        snprintf(error, size, "the X server refuses to be %ux%u", s.width,
                s.height);
        return false;
    }
    drop_modes(&s, all, mode);
    xcb_flush(x->conn);
    LOG_DBG("asked the X server to be %ux%u", s.width, s.height);
    return true;
}
