/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A connection to a wlroots compositor: what capture and input, each with a
 * connection and a thread of its own, have in common. Embedded by value; all
 * calls on the owner's thread.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <wayland-client.h>

#include "ext-image-capture-source-v1-client-protocol.h"
#include "ext-image-copy-capture-v1-client-protocol.h"
#include "virtual-keyboard-unstable-v1-client-protocol.h"
#include "wlr-data-control-unstable-v1-client-protocol.h"
#include "wlr-output-management-unstable-v1-client-protocol.h"
#include "wlr-screencopy-unstable-v1-client-protocol.h"
#include "wlr-virtual-pointer-unstable-v1-client-protocol.h"
#include "xdg-output-unstable-v1-client-protocol.h"

#define PH_WAYLAND_MAX_OUTPUTS 16

struct ph_wayland_output {
    uint32_t global; /* 0: a free entry */
    bool gone; /* removed; its object lives until the next dispatch */
    struct wl_output *output;
    char name[64]; /* "HEADLESS-1"; empty where the compositor is too old */
    struct zxdg_output_v1 *logical;
    int32_t x; /* its place among the others, scaled; 0: not known yet */
    int32_t y;
    int32_t width;
    int32_t height;
};

/* Members are NULL when the compositor does not offer them. */
struct ph_wayland {
    struct wl_display *display;
    struct wl_registry *registry;
    struct wl_shm *shm;
    struct wl_seat *seat;
    struct ext_output_image_capture_source_manager_v1 *image_source;
    struct ext_image_copy_capture_manager_v1 *image_copy;
    struct zwlr_screencopy_manager_v1 *screencopy; /* version 3 or none */
    struct zwlr_data_control_manager_v1 *data_control;
    struct zwlr_virtual_pointer_manager_v1 *pointer;
    struct zwp_virtual_keyboard_manager_v1 *keyboard;
    struct zxdg_output_manager_v1 *layout;
    uint32_t output_manager; /* its global, 0: there is none */
    struct ph_wayland_output outputs[PH_WAYLAND_MAX_OUTPUTS];
};

/* A compositor that runs answers within this, however busy it is. */
#define PH_WAYLAND_PATIENCE_MS 3000

/* Connects (display: NULL for $WAYLAND_DISPLAY) and learns what there is,
 * until the deadline, also where the compositor stands still. False:
 * error[size] says why and what to do, *w is as finished. */
bool ph_wayland_connect(struct ph_wayland *w, const char *display,
        int64_t deadline_ns, char *error, size_t size);
void ph_wayland_finish(struct ph_wayland *w);

/* What is known of the output of this name, or of the first one for NULL;
 * NULL: no such output. */
const struct ph_wayland_output *ph_wayland_find(
        const struct ph_wayland *w, const char *name);
/* The same. */
struct wl_output *ph_wayland_find_output(
        const struct ph_wayland *w, const char *name);
/* Its name; "" for one that has none. */
const char *ph_wayland_output_name(
        const struct ph_wayland *w, const struct wl_output *output);
/* False once the compositor removed it. */
bool ph_wayland_has_output(
        const struct ph_wayland *w, const struct wl_output *output);

/* Reads what came, without waiting, and calls the listeners. False: the
 * connection is over. */
bool ph_wayland_dispatch(struct ph_wayland *w);
/* Waits until the compositor has done everything asked so far. False: it has
 * not until the deadline, or the connection is over. */
bool ph_wayland_roundtrip(struct ph_wayland *w, int64_t deadline_ns);
