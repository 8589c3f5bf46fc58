/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A window for tests: fills the screen, draws what stdin says and tells on
 * stdout what input it got. Commands, a line each:
 *   rect X Y W H RRGGBB   fill a rectangle (shown by the next commit)
 *   patches               eight flat colours, four in each half
 *   commit                show it; answers "committed NS", the monotonic time
 *   echo X Y              from now on a key press inverts the 8x8 block there
 *                         at once and answers "committed NS"
 *   scene NAME            draw one of `porthole bench frames`; from now on each
 *                         key press and each step shows its next picture
 *   step
 *   quit
 * Says "size W H" when its size is known or changes, then "key CODE STATE",
 * "modifiers DEPRESSED LOCKED GROUP", "motion X Y", "button CODE STATE",
 * "axis AXIS VALUE*256", "discrete AXIS STEPS", "source SOURCE", "focus",
 * "touch ID X Y", "moved ID X Y", "lifted ID". With the argument "fullscreen"
 * it asks for the whole screen.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <wayland-client.h>

#include "cli/bench_scene.h"
#include "common/clock.h"
#include "common/macros.h"
#include "patch.h"
#include "xdg-shell-client-protocol.h"

#define BUFFERS 3
#define MAX_SIDE 8192

struct buffer {
    struct wl_buffer *buffer;
    uint32_t *pixels;
    bool busy;
};

static struct wl_display *display;
static struct wl_compositor *compositor;
static struct wl_shm *shm;
static struct wl_seat *seat;
static struct xdg_wm_base *base;
static struct wl_surface *surface;
static struct buffer buffers[BUFFERS];
static struct buffer *front; /* shown last */
static struct buffer *back; /* drawn into, NULL: nothing since the commit */
static uint32_t width;
static uint32_t height;
static uint32_t wanted[2] = {640, 480};
static bool echo;
static uint32_t echo_at[2];
static struct ph_scene *scene;
static uint32_t scene_steps;

static void die(const char *what)
{
    fprintf(stderr, "wl_patch: %s: %s\n", what, strerror(errno));
    exit(1);
}

static void buffer_release(void *data, struct wl_buffer *wl_buffer)
{
    struct buffer *b = data;
    b->busy = false;
}

static const struct wl_buffer_listener buffer_listener = {
        .release = buffer_release,
};

static void make_buffers(void)
{
    size_t size = (size_t)width * height * 4;
    for (unsigned i = 0; i < BUFFERS; i++) {
        struct buffer *b = &buffers[i];
        int fd = memfd_create("wl_patch", MFD_CLOEXEC);
        if (fd < 0 || ftruncate(fd, (off_t)size) < 0) {
            die("memory");
        }
        b->pixels = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
        if (b->pixels == MAP_FAILED) {
            die("map memory");
        }
        struct wl_shm_pool *pool = wl_shm_create_pool(shm, fd, (int32_t)size);
        b->buffer = wl_shm_pool_create_buffer(pool, 0, (int32_t)width,
                (int32_t)height, (int32_t)width * 4, WL_SHM_FORMAT_XRGB8888);
        wl_buffer_add_listener(b->buffer, &buffer_listener, b);
        b->busy = false;
        wl_shm_pool_destroy(pool);
        close(fd);
    }
    front = NULL;
    back = NULL;
}

static void drop_buffers(void)
{
    for (unsigned i = 0; i < BUFFERS; i++) {
        if (buffers[i].buffer) {
            wl_buffer_destroy(buffers[i].buffer);
            munmap(buffers[i].pixels, (size_t)width * height * 4);
            buffers[i].buffer = NULL;
        }
    }
}

/* A buffer with the picture as it is, to change. */
static struct buffer *draw_target(void)
{
    if (back) {
        return back;
    }
    while (!back) {
        for (unsigned i = 0; i < BUFFERS && !back; i++) {
            if (!buffers[i].busy && &buffers[i] != front) {
                back = &buffers[i];
            }
        }
        if (!back && wl_display_roundtrip(display) < 0) {
            die("compositor");
        }
    }
    if (front) {
        memcpy(back->pixels, front->pixels, (size_t)width * height * 4);
    }
    back->busy = true;
    return back;
}

static void fill(uint32_t x, uint32_t y, uint32_t w, uint32_t h, uint32_t rgb)
{
    uint32_t *pixels = draw_target()->pixels;
    x = PH_MIN(x, width);
    y = PH_MIN(y, height);
    w = PH_MIN(w, width - x);
    h = PH_MIN(h, height - y);
    for (uint32_t row = y; row < y + h; row++) {
        for (uint32_t column = x; column < x + w; column++) {
            pixels[(size_t)row * width + column] = rgb;
        }
    }
    wl_surface_damage_buffer(
            surface, (int32_t)x, (int32_t)y, (int32_t)w, (int32_t)h);
}

static void patches(void)
{
    static const uint32_t colours[2][4] = {
            {0xC83232, 0x32C832, 0x3232C8, 0x808080},
            {0xC8C832, 0x32C8C8, 0xC832C8, 0xE0E0E0},
    };
    for (uint32_t i = 0; i < 8; i++) {
        fill(i % 4 * (width / 4), i / 4 * (height / 2), width / 4, height / 2,
                colours[i / 4][i % 4]);
    }
}

static void commit(void)
{
    if (back) {
        wl_surface_attach(surface, back->buffer, 0, 0);
        front = back;
        back = NULL;
    }
    wl_surface_commit(surface);
    wl_display_flush(display);
    printf("committed %lld\n", (long long)ph_clock_ns());
}

/* A part of the scene to the window. */
static void show_scene(const struct ph_rect *r)
{
    uint32_t *pixels = draw_target()->pixels;
    for (uint32_t y = r->y; y < r->y + (uint32_t)r->height; y++) {
        size_t at = (size_t)y * width + r->x;
        memcpy(pixels + at, scene->pixels + at * 4, (size_t)r->width * 4);
    }
    wl_surface_damage_buffer(surface, r->x, r->y, r->width, r->height);
    commit();
}

static void start_scene(const char *name)
{
    char error[256];
    ph_scene_destroy(scene);
    scene = ph_scene_create(name, width, height, error, sizeof(error));
    if (!scene) {
        fprintf(stderr, "wl_patch: %s\n", error);
        exit(2);
    }
    scene_steps = 0;
    show_scene(&(struct ph_rect){0, 0, (uint16_t)width, (uint16_t)height});
}

static void step_scene(void)
{
    struct ph_rect damage;
    if (scene && ph_scene_step(scene, ++scene_steps, &damage)) {
        show_scene(&damage);
    }
}

static void surface_configure(
        void *data, struct xdg_surface *xdg_surface, uint32_t serial)
{
    xdg_surface_ack_configure(xdg_surface, serial);
    if (wanted[0] != width || wanted[1] != height) {
        drop_buffers();
        width = wanted[0];
        height = wanted[1];
        make_buffers();
        fill(0, 0, width, height, 0x404040);
        commit();
        printf("size %u %u\n", width, height);
    }
}

static const struct xdg_surface_listener surface_listener = {
        .configure = surface_configure,
};

static void toplevel_configure(void *data, struct xdg_toplevel *toplevel,
        int32_t w, int32_t h, struct wl_array *states)
{
    if (w > 0 && w <= MAX_SIDE && h > 0 && h <= MAX_SIDE) {
        wanted[0] = (uint32_t)w;
        wanted[1] = (uint32_t)h;
    }
}

static void toplevel_close(void *data, struct xdg_toplevel *toplevel)
{
    exit(0);
}

static const struct xdg_toplevel_listener toplevel_listener = {
        .configure = toplevel_configure,
        .close = toplevel_close,
};

static void base_ping(void *data, struct xdg_wm_base *wm_base, uint32_t serial)
{
    xdg_wm_base_pong(wm_base, serial);
}

static const struct xdg_wm_base_listener base_listener = {
        .ping = base_ping,
};

static void keyboard_keymap(void *data, struct wl_keyboard *keyboard,
        uint32_t format, int32_t fd, uint32_t size)
{
    close(fd);
}

static void keyboard_enter(void *data, struct wl_keyboard *keyboard,
        uint32_t serial, struct wl_surface *target, struct wl_array *keys)
{
    printf("focus\n");
}

static void keyboard_leave(void *data, struct wl_keyboard *keyboard,
        uint32_t serial, struct wl_surface *target)
{
}

static void keyboard_key(void *data, struct wl_keyboard *keyboard,
        uint32_t serial, uint32_t time, uint32_t key, uint32_t state)
{
    if (scene && state) {
        step_scene();
    } else if (echo && state) {
        struct buffer *b = draw_target();
        uint32_t old = b->pixels[echo_at[1] * width + echo_at[0]];
        fill(echo_at[0], echo_at[1], 8, 8, ~old & 0xFFFFFF);
        commit();
    }
    printf("key %u %u\n", key, state);
}

static void keyboard_modifiers(void *data, struct wl_keyboard *keyboard,
        uint32_t serial, uint32_t depressed, uint32_t latched, uint32_t locked,
        uint32_t group)
{
    printf("modifiers %u %u %u\n", depressed, locked, group);
}

static void keyboard_repeat(
        void *data, struct wl_keyboard *keyboard, int32_t rate, int32_t delay)
{
}

static const struct wl_keyboard_listener keyboard_listener = {
        .keymap = keyboard_keymap,
        .enter = keyboard_enter,
        .leave = keyboard_leave,
        .key = keyboard_key,
        .modifiers = keyboard_modifiers,
        .repeat_info = keyboard_repeat,
};

static void report_motion(wl_fixed_t x, wl_fixed_t y)
{
    printf("motion %d %d\n", wl_fixed_to_int(x), wl_fixed_to_int(y));
}

static void pointer_enter(void *data, struct wl_pointer *pointer,
        uint32_t serial, struct wl_surface *target, wl_fixed_t x, wl_fixed_t y)
{
    wl_pointer_set_cursor(pointer, serial, NULL, 0, 0);
    report_motion(x, y);
}

static void pointer_leave(void *data, struct wl_pointer *pointer,
        uint32_t serial, struct wl_surface *target)
{
}

static void pointer_motion(void *data, struct wl_pointer *pointer,
        uint32_t time, wl_fixed_t x, wl_fixed_t y)
{
    report_motion(x, y);
}

static void pointer_button(void *data, struct wl_pointer *pointer,
        uint32_t serial, uint32_t time, uint32_t button, uint32_t state)
{
    printf("button %u %u\n", button, state);
}

static void pointer_axis(void *data, struct wl_pointer *pointer, uint32_t time,
        uint32_t axis, wl_fixed_t value)
{
    printf("axis %u %d\n", axis, value);
}

static void pointer_frame(void *data, struct wl_pointer *pointer)
{
}

static void pointer_source(
        void *data, struct wl_pointer *pointer, uint32_t source)
{
    printf("source %u\n", source);
}

static void pointer_stop(
        void *data, struct wl_pointer *pointer, uint32_t time, uint32_t axis)
{
}

static void pointer_discrete(
        void *data, struct wl_pointer *pointer, uint32_t axis, int32_t steps)
{
    printf("discrete %u %d\n", axis, steps);
}

static const struct wl_pointer_listener pointer_listener = {
        .enter = pointer_enter,
        .leave = pointer_leave,
        .motion = pointer_motion,
        .button = pointer_button,
        .axis = pointer_axis,
        .frame = pointer_frame,
        .axis_source = pointer_source,
        .axis_stop = pointer_stop,
        .axis_discrete = pointer_discrete,
};

static void touch_down(void *data, struct wl_touch *touch, uint32_t serial,
        uint32_t time, struct wl_surface *target, int32_t id, wl_fixed_t x,
        wl_fixed_t y)
{
    printf("touch %d %d %d\n", id, wl_fixed_to_int(x), wl_fixed_to_int(y));
}

static void touch_up(void *data, struct wl_touch *touch, uint32_t serial,
        uint32_t time, int32_t id)
{
    printf("lifted %d\n", id);
}

static void touch_motion(void *data, struct wl_touch *touch, uint32_t time,
        int32_t id, wl_fixed_t x, wl_fixed_t y)
{
    printf("moved %d %d %d\n", id, wl_fixed_to_int(x), wl_fixed_to_int(y));
}

static void touch_frame(void *data, struct wl_touch *touch)
{
}

static const struct wl_touch_listener touch_listener = {
        .down = touch_down,
        .up = touch_up,
        .motion = touch_motion,
        .frame = touch_frame,
        .cancel = touch_frame,
};

static void seat_capabilities(
        void *data, struct wl_seat *wl_seat, uint32_t capabilities)
{
    static struct wl_keyboard *keyboard;
    static struct wl_pointer *pointer;
    static struct wl_touch *touch;
    if (capabilities & WL_SEAT_CAPABILITY_TOUCH && !touch) {
        touch = wl_seat_get_touch(wl_seat);
        wl_touch_add_listener(touch, &touch_listener, NULL);
    }
    if (capabilities & WL_SEAT_CAPABILITY_KEYBOARD && !keyboard) {
        keyboard = wl_seat_get_keyboard(wl_seat);
        wl_keyboard_add_listener(keyboard, &keyboard_listener, NULL);
    } else if (!(capabilities & WL_SEAT_CAPABILITY_KEYBOARD) && keyboard) {
        wl_keyboard_destroy(keyboard);
        keyboard = NULL;
    }
    if (capabilities & WL_SEAT_CAPABILITY_POINTER && !pointer) {
        pointer = wl_seat_get_pointer(wl_seat);
        wl_pointer_add_listener(pointer, &pointer_listener, NULL);
    } else if (!(capabilities & WL_SEAT_CAPABILITY_POINTER) && pointer) {
        wl_pointer_destroy(pointer);
        pointer = NULL;
    }
}

static void seat_name(void *data, struct wl_seat *wl_seat, const char *name)
{
}

static const struct wl_seat_listener seat_listener = {
        .capabilities = seat_capabilities,
        .name = seat_name,
};

static void handle_global(void *data, struct wl_registry *registry,
        uint32_t name, const char *interface, uint32_t version)
{
    if (strcmp(interface, wl_compositor_interface.name) == 0) {
        compositor =
                wl_registry_bind(registry, name, &wl_compositor_interface, 4);
    } else if (strcmp(interface, wl_shm_interface.name) == 0) {
        shm = wl_registry_bind(registry, name, &wl_shm_interface, 1);
    } else if (strcmp(interface, wl_seat_interface.name) == 0 && !seat) {
        seat = wl_registry_bind(registry, name, &wl_seat_interface, 5);
        wl_seat_add_listener(seat, &seat_listener, NULL);
    } else if (strcmp(interface, xdg_wm_base_interface.name) == 0) {
        base = wl_registry_bind(registry, name, &xdg_wm_base_interface, 1);
        xdg_wm_base_add_listener(base, &base_listener, NULL);
    }
}

static void handle_global_remove(
        void *data, struct wl_registry *registry, uint32_t name)
{
}

static const struct wl_registry_listener registry_listener = {
        .global = handle_global,
        .global_remove = handle_global_remove,
};

static void command(const char *line)
{
    uint32_t n[5];
    if (strncmp(line, "rect ", 5) == 0 && patch_numbers(line + 5, n, 5, true)) {
        fill(n[0], n[1], n[2], n[3], n[4]);
    } else if (strncmp(line, "echo ", 5) == 0 &&
            patch_numbers(line + 5, n, 2, false) && n[0] + 8 <= width &&
            n[1] + 8 <= height) {
        echo = true;
        echo_at[0] = n[0];
        echo_at[1] = n[1];
    } else if (strcmp(line, "patches") == 0) {
        patches();
    } else if (strcmp(line, "commit") == 0) {
        commit();
    } else if (strncmp(line, "scene ", 6) == 0) {
        start_scene(line + 6);
    } else if (strcmp(line, "step") == 0) {
        step_scene();
    } else if (strcmp(line, "quit") == 0) {
        exit(0);
    } else {
        fprintf(stderr, "wl_patch: unknown command: %s\n", line);
        exit(2);
    }
}

static void read_commands(void)
{
    static char text[4096];
    static size_t used;
    ssize_t n = read(STDIN_FILENO, text + used, sizeof(text) - 1 - used);
    if (n <= 0) {
        exit(0);
    }
    used += (size_t)n;
    text[used] = '\0';
    char *line = text;
    for (char *end; (end = strchr(line, '\n')); line = end + 1) {
        *end = '\0';
        command(line);
    }
    used = strlen(line);
    memmove(text, line, used + 1);
}

int main(int argc, char **argv)
{
    bool fullscreen = argc > 1 && !strcmp(argv[1], "fullscreen");
    setvbuf(stdout, NULL, _IOLBF, 0);
    display = wl_display_connect(NULL);
    if (!display) {
        die("connect");
    }
    struct wl_registry *registry = wl_display_get_registry(display);
    wl_registry_add_listener(registry, &registry_listener, NULL);
    wl_display_roundtrip(display);
    if (!compositor || !shm || !base || !seat) {
        fprintf(stderr, "wl_patch: the compositor lacks something\n");
        return 1;
    }
    surface = wl_compositor_create_surface(compositor);
    struct xdg_surface *xdg = xdg_wm_base_get_xdg_surface(base, surface);
    xdg_surface_add_listener(xdg, &surface_listener, NULL);
    struct xdg_toplevel *toplevel = xdg_surface_get_toplevel(xdg);
    xdg_toplevel_add_listener(toplevel, &toplevel_listener, NULL);
    xdg_toplevel_set_title(toplevel, "wl_patch");
    xdg_toplevel_set_app_id(toplevel, "wl_patch");
    if (fullscreen) {
        xdg_toplevel_set_fullscreen(toplevel, NULL);
    }
    wl_surface_commit(surface);
    struct pollfd fds[2] = {
            {wl_display_get_fd(display), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    for (;;) {
        if (wl_display_dispatch_pending(display) < 0 ||
                wl_display_flush(display) < 0 || poll(fds, 2, -1) < 0) {
            die("compositor");
        }
        if (fds[0].revents && wl_display_dispatch(display) < 0) {
            die("compositor");
        }
        if (fds[1].revents) {
            read_commands();
        }
    }
}
