/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_compositor.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <wayland-server.h>

#include "common/macros.h"
#include "ext-image-capture-source-v1-server-protocol.h"
#include "ext-image-copy-capture-v1-server-protocol.h"

enum {
    MAX_PIXELS = FAKE_MAX_SIDE * FAKE_MAX_SIDE
};

struct fake_compositor {
    struct wl_display *display;
    struct wl_global *output;
    pthread_t thread;
    int wake;
    struct wl_event_source *on_wake;
    pthread_mutex_t lock; /* of order */
    pthread_cond_t done;
    void (*order)(struct fake_compositor *f);
    bool over;

    /* An order's arguments, and what the orders see; while none is under way
     * whoever gave it may look. */
    uint32_t args[5];
    uint32_t sessions;
    uint32_t failures; /* to come */
    uint32_t width;
    uint32_t height;
    uint32_t pixels[MAX_PIXELS];
    bool changed[MAX_PIXELS]; /* since the session's copy before */
    bool stale[MAX_PIXELS]; /* in the frame's buffer, says its client */
    struct wl_resource *session;
    struct wl_resource *frame;
    struct wl_resource *buffer; /* of the frame */
    bool capturing;
};

static void destroy_resource(
        struct wl_client *client, struct wl_resource *resource)
{
    wl_resource_destroy(resource);
}

static void mark(struct fake_compositor *f, bool *pixels, uint32_t x,
        uint32_t y, uint32_t width, uint32_t height)
{
    for (uint32_t row = y; row < y + height && row < f->height; row++) {
        for (uint32_t i = x; i < x + width && i < f->width; i++) {
            pixels[row * f->width + i] = true;
        }
    }
}

/* --- frames --- */

static void fail(struct fake_compositor *f, uint32_t reason)
{
    f->capturing = false;
    ext_image_copy_capture_frame_v1_send_failed(f->frame, reason);
}

/* A box a row of what changed. */
static void send_damage(struct fake_compositor *f)
{
    for (uint32_t y = 0; y < f->height; y++) {
        const bool *row = f->changed + (size_t)y * f->width;
        uint32_t first = 0;
        uint32_t end = f->width;
        while (first < end && !row[first]) {
            first++;
        }
        while (end > first && !row[end - 1]) {
            end--;
        }
        if (end > first) {
            ext_image_copy_capture_frame_v1_send_damage(f->frame,
                    (int32_t)first, (int32_t)y, (int32_t)(end - first), 1);
        }
    }
}

static void send_ready(struct fake_compositor *f)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    send_damage(f);
    ext_image_copy_capture_frame_v1_send_transform(f->frame, 0);
    ext_image_copy_capture_frame_v1_send_presentation_time(f->frame,
            (uint32_t)((uint64_t)now.tv_sec >> 32), (uint32_t)now.tv_sec,
            (uint32_t)now.tv_nsec);
    ext_image_copy_capture_frame_v1_send_ready(f->frame);
    f->capturing = false;
}

static void copy(struct fake_compositor *f)
{
    struct wl_shm_buffer *shm = wl_shm_buffer_get(f->buffer);
    if (!shm || wl_shm_buffer_get_format(shm) != WL_SHM_FORMAT_XRGB8888 ||
            wl_shm_buffer_get_width(shm) != (int32_t)f->width ||
            wl_shm_buffer_get_height(shm) != (int32_t)f->height) {
        fail(f, EXT_IMAGE_COPY_CAPTURE_FRAME_V1_FAILURE_REASON_BUFFER_CONSTRAINTS);
        return;
    }
    wl_shm_buffer_begin_access(shm);
    uint8_t *data = wl_shm_buffer_get_data(shm);
    size_t stride = (size_t)wl_shm_buffer_get_stride(shm);
    for (uint32_t i = 0; i < f->width * f->height; i++) {
        if (f->changed[i] || f->stale[i]) {
            memcpy(data + i / f->width * stride + (size_t)(i % f->width) * 4,
                    &f->pixels[i], 4);
        }
    }
    wl_shm_buffer_end_access(shm);
    send_ready(f);
    memset(f->changed, 0, sizeof(f->changed));
}

static void copy_if_changed(struct fake_compositor *f)
{
    if (!f->capturing || !memchr(f->changed, true, f->width * f->height)) {
        return;
    }
    if (f->failures > 0) {
        f->failures--;
        fail(f, EXT_IMAGE_COPY_CAPTURE_FRAME_V1_FAILURE_REASON_UNKNOWN);
        return;
    }
    copy(f);
}

static void attach(struct wl_client *client, struct wl_resource *resource,
        struct wl_resource *buffer)
{
    struct fake_compositor *f = wl_resource_get_user_data(resource);
    f->buffer = buffer;
}

static void damage(struct wl_client *client, struct wl_resource *resource,
        int32_t x, int32_t y, int32_t width, int32_t height)
{
    if (x < 0 || y < 0 || width <= 0 || height <= 0) {
        wl_resource_post_error(resource,
                EXT_IMAGE_COPY_CAPTURE_FRAME_V1_ERROR_INVALID_BUFFER_DAMAGE,
                "%d,%d %dx%d", x, y, width, height);
        return;
    }
    struct fake_compositor *f = wl_resource_get_user_data(resource);
    mark(f, f->stale, (uint32_t)x, (uint32_t)y, (uint32_t)width,
            (uint32_t)height);
}

static void capture(struct wl_client *client, struct wl_resource *resource)
{
    struct fake_compositor *f = wl_resource_get_user_data(resource);
    if (!f->buffer || f->capturing) {
        wl_resource_post_error(resource,
                EXT_IMAGE_COPY_CAPTURE_FRAME_V1_ERROR_NO_BUFFER,
                "no buffer, or twice");
        return;
    }
    f->capturing = true;
    copy_if_changed(f);
}

static const struct ext_image_copy_capture_frame_v1_interface frame_ops = {
        .destroy = destroy_resource,
        .attach_buffer = attach,
        .damage_buffer = damage,
        .capture = capture,
};

static void forget_frame(struct wl_resource *resource)
{
    struct fake_compositor *f = wl_resource_get_user_data(resource);
    f->frame = NULL;
    f->capturing = false;
}

/* --- sessions --- */

static void create_frame(
        struct wl_client *client, struct wl_resource *resource, uint32_t id)
{
    struct fake_compositor *f = wl_resource_get_user_data(resource);
    if (f->frame) {
        wl_resource_post_error(resource,
                EXT_IMAGE_COPY_CAPTURE_SESSION_V1_ERROR_DUPLICATE_FRAME,
                "a second frame");
        return;
    }
    f->frame = wl_resource_create(
            client, &ext_image_copy_capture_frame_v1_interface, 1, id);
    wl_resource_set_implementation(f->frame, &frame_ops, f, forget_frame);
    f->buffer = NULL;
    memset(f->stale, 0, sizeof(f->stale));
}

static const struct ext_image_copy_capture_session_v1_interface session_ops = {
        .create_frame = create_frame,
        .destroy = destroy_resource,
};

static void forget_session(struct wl_resource *resource)
{
    struct fake_compositor *f = wl_resource_get_user_data(resource);
    f->session = f->session == resource ? NULL : f->session;
}

static void send_constraints(struct fake_compositor *f)
{
    ext_image_copy_capture_session_v1_send_shm_format(
            f->session, WL_SHM_FORMAT_RGB565);
    ext_image_copy_capture_session_v1_send_buffer_size(
            f->session, f->width, f->height);
    ext_image_copy_capture_session_v1_send_shm_format(
            f->session, WL_SHM_FORMAT_XRGB8888);
    ext_image_copy_capture_session_v1_send_shm_format(
            f->session, WL_SHM_FORMAT_XBGR8888);
    ext_image_copy_capture_session_v1_send_done(f->session);
}

static void create_session(struct wl_client *client,
        struct wl_resource *resource, uint32_t id, struct wl_resource *source,
        uint32_t options)
{
    struct fake_compositor *f = wl_resource_get_user_data(resource);
    f->session = wl_resource_create(
            client, &ext_image_copy_capture_session_v1_interface, 1, id);
    wl_resource_set_implementation(f->session, &session_ops, f, forget_session);
    f->sessions++;
    mark(f, f->changed, 0, 0, f->width, f->height);
    send_constraints(f);
}

static const struct ext_image_copy_capture_manager_v1_interface copy_ops = {
        .create_session = create_session,
        .destroy = destroy_resource,
};

/* --- sources and outputs --- */

static const struct ext_image_capture_source_v1_interface source_ops = {
        .destroy = destroy_resource,
};

static void create_source(struct wl_client *client,
        struct wl_resource *resource, uint32_t id, struct wl_resource *output)
{
    struct wl_resource *source = wl_resource_create(
            client, &ext_image_capture_source_v1_interface, 1, id);
    wl_resource_set_implementation(source, &source_ops, NULL, NULL);
}

static const struct ext_output_image_capture_source_manager_v1_interface
        sources_ops = {
                .create_source = create_source,
                .destroy = destroy_resource,
};

static const struct wl_output_interface output_ops = {
        .release = destroy_resource,
};

static void bind_copy(
        struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
    struct wl_resource *resource = wl_resource_create(client,
            &ext_image_copy_capture_manager_v1_interface, (int)version, id);
    wl_resource_set_implementation(resource, &copy_ops, data, NULL);
}

static void bind_sources(
        struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
    struct wl_resource *resource = wl_resource_create(client,
            &ext_output_image_capture_source_manager_v1_interface, (int)version,
            id);
    wl_resource_set_implementation(resource, &sources_ops, data, NULL);
}

static void bind_output(
        struct wl_client *client, void *data, uint32_t version, uint32_t id)
{
    struct wl_resource *resource =
            wl_resource_create(client, &wl_output_interface, (int)version, id);
    wl_resource_set_implementation(resource, &output_ops, data, NULL);
    wl_output_send_name(resource, "FAKE-1");
    wl_output_send_done(resource);
}

/* --- the thread, and its orders --- */

static void carry_out(struct fake_compositor *f)
{
    pthread_mutex_lock(&f->lock);
    if (f->order) {
        f->order(f);
        f->order = NULL;
        pthread_cond_signal(&f->done);
    }
    pthread_mutex_unlock(&f->lock);
}

static int on_wake(int fd, uint32_t mask, void *data)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    if (n == sizeof(count)) {
        carry_out(data);
    }
    return 0;
}

static void *serve(void *data)
{
    struct fake_compositor *f = data;
    while (!f->over) {
        wl_display_flush_clients(f->display);
        wl_event_loop_dispatch(wl_display_get_event_loop(f->display), -1);
    }
    return NULL;
}

static void give(
        struct fake_compositor *f, void (*order)(struct fake_compositor *f))
{
    const uint64_t one = 1;
    pthread_mutex_lock(&f->lock);
    f->order = order;
    while (write(f->wake, &one, sizeof(one)) != sizeof(one)) {
    }
    while (f->order) {
        pthread_cond_wait(&f->done, &f->lock);
    }
    pthread_mutex_unlock(&f->lock);
}

static void order_nothing(struct fake_compositor *f)
{
}

const uint32_t *fake_compositor_pixels(struct fake_compositor *f)
{
    give(f, order_nothing);
    return f->pixels;
}

uint32_t fake_compositor_sessions(struct fake_compositor *f)
{
    give(f, order_nothing);
    return f->sessions;
}

static void order_draw(struct fake_compositor *f)
{
    uint32_t right = PH_MIN(f->args[0] + f->args[2], f->width);
    uint32_t bottom = PH_MIN(f->args[1] + f->args[3], f->height);
    for (uint32_t y = f->args[1]; y < bottom; y++) {
        for (uint32_t x = f->args[0]; x < right; x++) {
            f->pixels[y * f->width + x] = f->args[4];
        }
    }
    mark(f, f->changed, f->args[0], f->args[1], f->args[2], f->args[3]);
    copy_if_changed(f);
}

void fake_compositor_draw(struct fake_compositor *f, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height, uint32_t color)
{
    const uint32_t args[] = {x, y, width, height, color};
    memcpy(f->args, args, sizeof(args));
    give(f, order_draw);
}

static void order_resize(struct fake_compositor *f)
{
    f->width = f->args[0];
    f->height = f->args[1];
    mark(f, f->changed, 0, 0, f->width, f->height);
    if (f->args[2]) {
        copy_if_changed(f);
    }
    if (f->session) {
        send_constraints(f);
    }
    copy_if_changed(f);
}

void fake_compositor_resize(
        struct fake_compositor *f, uint32_t width, uint32_t height, bool late)
{
    const uint32_t args[] = {width, height, late};
    memcpy(f->args, args, sizeof(args));
    give(f, order_resize);
}

static void order_fail(struct fake_compositor *f)
{
    f->failures = f->args[0];
}

void fake_compositor_fail(struct fake_compositor *f, uint32_t copies)
{
    f->args[0] = copies;
    give(f, order_fail);
}

static void order_end_session(struct fake_compositor *f)
{
    if (f->capturing) {
        fail(f, EXT_IMAGE_COPY_CAPTURE_FRAME_V1_FAILURE_REASON_STOPPED);
    }
    if (f->session) {
        ext_image_copy_capture_session_v1_send_stopped(f->session);
        f->session = NULL;
    }
}

void fake_compositor_end_session(struct fake_compositor *f)
{
    give(f, order_end_session);
}

static void order_remove_output(struct fake_compositor *f)
{
    order_end_session(f);
    wl_global_destroy(f->output);
}

void fake_compositor_remove_output(struct fake_compositor *f)
{
    give(f, order_remove_output);
}

struct fake_compositor *fake_compositor_start(const char *display)
{
    struct fake_compositor *f = calloc(1, sizeof(*f));
    f->width = FAKE_SIDE;
    f->height = FAKE_SIDE;
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->done, NULL);
    f->display = wl_display_create();
    wl_display_init_shm(f->display);
    f->output = wl_global_create(
            f->display, &wl_output_interface, 4, f, bind_output);
    wl_global_create(f->display, &ext_image_copy_capture_manager_v1_interface,
            1, f, bind_copy);
    wl_global_create(f->display,
            &ext_output_image_capture_source_manager_v1_interface, 1, f,
            bind_sources);
    f->wake = eventfd(0, EFD_CLOEXEC);
    f->on_wake = wl_event_loop_add_fd(wl_display_get_event_loop(f->display),
            f->wake, WL_EVENT_READABLE, on_wake, f);
    if (wl_display_add_socket(f->display, display) < 0 ||
            pthread_create(&f->thread, NULL, serve, f) != 0) {
        abort();
    }
    return f;
}

static void order_end(struct fake_compositor *f)
{
    f->over = true;
}

void fake_compositor_stop(struct fake_compositor *f)
{
    give(f, order_end);
    pthread_join(f->thread, NULL);
    wl_display_destroy_clients(f->display);
    wl_event_source_remove(f->on_wake);
    wl_display_destroy(f->display);
    close(f->wake);
    pthread_cond_destroy(&f->done);
    pthread_mutex_destroy(&f->lock);
    free(f);
}
