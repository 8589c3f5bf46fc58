/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/wayland.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "common/clock.h"
#include "common/net.h"
#define LOG_MODULE "wayland"
#include "common/log.h"

static void ignore_geometry(void *data, struct wl_output *output, int32_t x,
        int32_t y, int32_t width_mm, int32_t height_mm, int32_t subpixel,
        const char *make, const char *model, int32_t transform)
{
}

static void ignore_mode(void *data, struct wl_output *output, uint32_t flags,
        int32_t width, int32_t height, int32_t refresh)
{
}

static void ignore_done(void *data, struct wl_output *output)
{
}

static void ignore_scale(void *data, struct wl_output *output, int32_t factor)
{
}

static void output_name(void *data, struct wl_output *output, const char *name)
{
    struct ph_wayland_output *entry = data;
    snprintf(entry->name, sizeof(entry->name), "%s", name);
}

static void ignore_description(
        void *data, struct wl_output *output, const char *description)
{
}

static const struct wl_output_listener output_listener = {
        .geometry = ignore_geometry,
        .mode = ignore_mode,
        .done = ignore_done,
        .scale = ignore_scale,
        .name = output_name,
        .description = ignore_description,
};

static void logical_position(
        void *data, struct zxdg_output_v1 *logical, int32_t x, int32_t y)
{
    struct ph_wayland_output *entry = data;
    entry->x = x;
    entry->y = y;
}

static void logical_size(void *data, struct zxdg_output_v1 *logical,
        int32_t width, int32_t height)
{
    struct ph_wayland_output *entry = data;
    entry->width = width;
    entry->height = height;
}

static void ignore_logical_done(void *data, struct zxdg_output_v1 *logical)
{
}

static const struct zxdg_output_v1_listener logical_listener = {
        .logical_position = logical_position,
        .logical_size = logical_size,
        .done = ignore_logical_done,
};

static void add_output(struct ph_wayland *w, uint32_t global, uint32_t version)
{
    for (size_t i = 0; i < PH_LEN(w->outputs); i++) {
        struct ph_wayland_output *entry = &w->outputs[i];
        if (entry->global == 0) {
            entry->global = global;
            entry->output = wl_registry_bind(w->registry, global,
                    &wl_output_interface, PH_MIN(version, 4));
            wl_output_add_listener(entry->output, &output_listener, entry);
            return;
        }
    }
}

/* What is bound where a compositor offers it, once, with at least this version
 * and not more than that: the members that ph_wayland_finish() destroys. */
static const struct {
    const struct wl_interface *interface;
    uint32_t least;
    uint32_t most;
    size_t member; /* the offset of its pointer */
} globals[] = {
        {&wl_shm_interface, 1, 1, offsetof(struct ph_wayland, shm)},
        {&wl_seat_interface, 1, 1, offsetof(struct ph_wayland, seat)},
        {&ext_output_image_capture_source_manager_v1_interface, 1, 1,
                offsetof(struct ph_wayland, image_source)},
        {&ext_image_copy_capture_manager_v1_interface, 1, 1,
                offsetof(struct ph_wayland, image_copy)},
        {&zwlr_screencopy_manager_v1_interface, 3, 3,
                offsetof(struct ph_wayland, screencopy)},
        {&zwlr_data_control_manager_v1_interface, 1, 1,
                offsetof(struct ph_wayland, data_control)},
        {&zwlr_virtual_pointer_manager_v1_interface, 1, 2,
                offsetof(struct ph_wayland, pointer)},
        {&zwp_virtual_keyboard_manager_v1_interface, 1, 1,
                offsetof(struct ph_wayland, keyboard)},
        {&zxdg_output_manager_v1_interface, 1, 1,
                offsetof(struct ph_wayland, layout)},
};

static struct wl_proxy **member(struct ph_wayland *w, size_t i)
{
    return (struct wl_proxy **)(void *)((char *)w + globals[i].member);
}

static void handle_global(void *data, struct wl_registry *registry,
        uint32_t global, const char *interface, uint32_t version)
{
    struct ph_wayland *w = data;
    if (strcmp(interface, wl_output_interface.name) == 0) {
        add_output(w, global, version);
    } else if (strcmp(interface, zwlr_output_manager_v1_interface.name) == 0) {
        w->output_manager = global;
    }
    for (size_t i = 0; i < PH_LEN(globals); i++) {
        if (strcmp(interface, globals[i].interface->name) == 0 &&
                version >= globals[i].least && !*member(w, i)) {
            *member(w, i) = wl_registry_bind(registry, global,
                    globals[i].interface, PH_MIN(version, globals[i].most));
        }
    }
}

static void release_output(struct ph_wayland_output *entry)
{
    if (entry->logical) {
        zxdg_output_v1_destroy(entry->logical);
    }
    if (entry->output) {
        wl_output_destroy(entry->output);
    }
    memset(entry, 0, sizeof(*entry));
}

/* Not released yet: one that comes in its place at once could have its
 * address, and its owner would take it for the old one. */
static void handle_global_remove(
        void *data, struct wl_registry *registry, uint32_t global)
{
    struct ph_wayland *w = data;
    for (size_t i = 0; i < PH_LEN(w->outputs); i++) {
        if (w->outputs[i].global == global) {
            w->outputs[i].gone = true;
        }
    }
}

/* Lets go of those that are gone; asks where the new ones are. */
static void tend_outputs(struct ph_wayland *w)
{
    for (size_t i = 0; i < PH_LEN(w->outputs); i++) {
        struct ph_wayland_output *entry = &w->outputs[i];
        if (entry->gone) {
            release_output(entry);
        } else if (entry->output && w->layout && !entry->logical) {
            entry->logical = zxdg_output_manager_v1_get_xdg_output(
                    w->layout, entry->output);
            zxdg_output_v1_add_listener(
                    entry->logical, &logical_listener, entry);
        }
    }
}

static const struct wl_registry_listener registry_listener = {
        .global = handle_global,
        .global_remove = handle_global_remove,
};

static void log_libwayland(const char *fmt, va_list args) PH_PRINTF(1, 0);
static void log_libwayland(const char *fmt, va_list args)
{
    char text[256];
    int n = vsnprintf(text, sizeof(text), fmt, args);
    size_t len = n < 0 ? 0 : strcspn(text, "\n");
    LOG_WARN("libwayland: %.*s", (int)len, text);
}

/* wl_display_connect() blocks, for ever where a compositor that stands still
 * has its backlog full. */
static struct wl_display *connect_display(const char *name, int64_t deadline_ns)
{
    struct ph_endpoint ep = {.kind = PH_ENDPOINT_UNIX};
    const char *folder = getenv("XDG_RUNTIME_DIR");
    if (name[0] != '/' && !folder) {
        errno = ENOENT;
        return NULL;
    }
    int n = name[0] == '/'
            ? snprintf(ep.address, sizeof(ep.address), "%s", name)
            : snprintf(ep.address, sizeof(ep.address), "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        errno = ENAMETOOLONG;
        return NULL;
    }
    int fd = ph_net_connect(&ep, deadline_ns);
    /* It closes fd when it fails. */
    return fd < 0 ? NULL : wl_display_connect_to_fd(fd);
}

bool ph_wayland_connect(struct ph_wayland *w, const char *display,
        int64_t deadline_ns, char *error, size_t size)
{
    const char *name = display ? display : getenv("WAYLAND_DISPLAY");
    name = name ? name : "wayland-0";
    memset(w, 0, sizeof(*w));
    wl_log_set_handler_client(log_libwayland);
    w->display = connect_display(name, deadline_ns);
    if (!w->display) {
        snprintf(error, size,
                "no Wayland compositor at display %s: %s; start the desktop "
                "first, or name its display",
                name, strerror(errno));
        return false;
    }
    w->registry = wl_display_get_registry(w->display);
    wl_registry_add_listener(w->registry, &registry_listener, w);
    /* The second one brings what the first one bound: output names. */
    if (!ph_wayland_roundtrip(w, deadline_ns) ||
            !ph_wayland_roundtrip(w, deadline_ns)) {
        snprintf(error, size, "the Wayland compositor does not answer");
        ph_wayland_finish(w);
        return false;
    }
    return true;
}

void ph_wayland_finish(struct ph_wayland *w)
{
    if (!w->display) {
        return;
    }
    for (size_t i = 0; i < PH_LEN(w->outputs); i++) {
        release_output(&w->outputs[i]);
    }
    for (size_t i = 0; i < PH_LEN(globals); i++) {
        if (*member(w, i)) {
            wl_proxy_destroy(*member(w, i)); /* the compositor's end follows */
        }
    }
    wl_registry_destroy(w->registry);
    wl_display_flush(w->display);
    wl_display_disconnect(w->display);
    memset(w, 0, sizeof(*w));
}

const struct ph_wayland_output *ph_wayland_find(
        const struct ph_wayland *w, const char *name)
{
    for (size_t i = 0; i < PH_LEN(w->outputs); i++) {
        const struct ph_wayland_output *entry = &w->outputs[i];
        if (entry->output && !entry->gone &&
                (!name || strcmp(entry->name, name) == 0)) {
            return entry;
        }
    }
    return NULL;
}

struct wl_output *ph_wayland_find_output(
        const struct ph_wayland *w, const char *name)
{
    const struct ph_wayland_output *entry = ph_wayland_find(w, name);
    return entry ? entry->output : NULL;
}

const char *ph_wayland_output_name(
        const struct ph_wayland *w, const struct wl_output *output)
{
    for (size_t i = 0; i < PH_LEN(w->outputs); i++) {
        if (output && w->outputs[i].output == output) {
            return w->outputs[i].name;
        }
    }
    return "";
}

bool ph_wayland_has_output(
        const struct ph_wayland *w, const struct wl_output *output)
{
    for (size_t i = 0; i < PH_LEN(w->outputs); i++) {
        if (output && w->outputs[i].output == output) {
            return !w->outputs[i].gone;
        }
    }
    return false;
}

bool ph_wayland_dispatch(struct ph_wayland *w)
{
    tend_outputs(w);
    while (wl_display_prepare_read(w->display) != 0) {
        if (wl_display_dispatch_pending(w->display) < 0) {
            return false;
        }
    }
    if (wl_display_flush(w->display) < 0 && errno != EAGAIN) {
        wl_display_cancel_read(w->display);
        return false;
    }
    return wl_display_read_events(w->display) >= 0 &&
            wl_display_dispatch_pending(w->display) >= 0 &&
            (wl_display_flush(w->display) >= 0 || errno == EAGAIN);
}

static void handle_sync(void *data, struct wl_callback *callback, uint32_t time)
{
    bool *done = data;
    *done = true;
}

static const struct wl_callback_listener sync_listener = {
        .done = handle_sync,
};

bool ph_wayland_roundtrip(struct ph_wayland *w, int64_t deadline_ns)
{
    bool done = false;
    bool alive = true;
    struct wl_callback *callback = wl_display_sync(w->display);
    wl_callback_add_listener(callback, &sync_listener, &done);
    alive = wl_display_flush(w->display) >= 0;
    while (alive && !done) {
        struct pollfd pfd = {wl_display_get_fd(w->display), POLLIN, 0};
        int n = poll(&pfd, 1, ph_deadline_poll_ms(deadline_ns));
        if (n == 0 || (n < 0 && errno != EINTR)) {
            break;
        }
        alive = ph_wayland_dispatch(w);
    }
    wl_callback_destroy(callback);
    return done;
}
