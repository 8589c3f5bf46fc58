/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Capture of a real X server: run under xvfb.sh, with its size at most. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <xcb/damage.h>
#include <xcb/xfixes.h>

#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "deskd/desktop_x11.h"
#include "deskd/x11_picture.h"
#include "seen.h"
#include "unit/check.h"

#define WAIT_MS 20000
#define WIDTH 1280
#define HEIGHT 720

/* A client of the same server. */
struct client {
    struct ph_x11 x;
    xcb_window_t window;
    xcb_gcontext_t gc;
};

/* Serves until the pointer is so. */
static bool cursor_at(struct seen *s, int32_t x, int32_t y)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (!(s->cursor.x == x && s->cursor.y == y)) {
        if (!seen_serve(s, deadline)) {
            return false;
        }
    }
    return true;
}

static void fill(struct client *c, int16_t x, int16_t y, uint16_t w, uint16_t h,
        uint32_t colour)
{
    const xcb_rectangle_t r = {x, y, w, h};
    xcb_change_gc(c->x.conn, c->gc, XCB_GC_FOREGROUND, &colour);
    xcb_poly_fill_rectangle(c->x.conn, c->window, c->gc, 1, &r);
    xcb_flush(c->x.conn);
}

static void open_window(struct client *c)
{
    const uint32_t values[] = {0, true};
    c->window = xcb_generate_id(c->x.conn);
    xcb_create_window(c->x.conn, XCB_COPY_FROM_PARENT, c->window, c->x.root, 0,
            0, WIDTH, HEIGHT, 0, XCB_WINDOW_CLASS_INPUT_OUTPUT,
            XCB_COPY_FROM_PARENT, XCB_CW_BACK_PIXEL | XCB_CW_OVERRIDE_REDIRECT,
            values);
    xcb_map_window(c->x.conn, c->window);
    c->gc = xcb_generate_id(c->x.conn);
    xcb_create_gc(c->x.conn, c->gc, c->window, 0, NULL);
    xcb_flush(c->x.conn);
}

static void test_frames(struct seen *s, struct client *c)
{
    CHECK(seen_frame(s, true, WAIT_MS));
    CHECK_EQ(s->width, WIDTH);
    CHECK_EQ(s->height, HEIGHT);
    CHECK_EQ(ph_region_pixels(&s->damage), (uint64_t)WIDTH * HEIGHT);
    open_window(c);
    seen_settle(s);
    /* A static screen: no frame at all. */
    CHECK(!seen_frame(s, false, 500));
    s->probe[0] = 100;
    s->probe[1] = 100;
    fill(c, 96, 96, 9, 7, 0xff2010);
    CHECK(seen_frame(s, false, WAIT_MS));
    CHECK_EQ(s->probed, 0xff2010);
    CHECK_EQ(ph_region_pixels(&s->damage), 9 * 7);
    /* What changed while nothing was asked for, in opposite corners. */
    fill(c, 0, 0, 8, 8, 0x00ff00);
    fill(c, WIDTH - 8, HEIGHT - 8, 8, 8, 0x0000ff);
    fill(c, 100, 100, 1, 1, 0x123456);
    CHECK(seen_frame(s, false, WAIT_MS));
    while (s->probed != 0x123456 && seen_frame(s, false, WAIT_MS)) {
    }
    CHECK_EQ(s->probed, 0x123456);
    CHECK(ph_region_pixels(&s->damage) <= 2 * 8 * 8 + 1);
    /* After cancel everything counts as changed. */
    s->capture->ops->request(s->capture, false);
    s->capture->ops->cancel(s->capture);
    CHECK(seen_frame(s, false, WAIT_MS));
    CHECK_EQ(ph_region_pixels(&s->damage), (uint64_t)WIDTH * HEIGHT);
}

/* Never more often than fps times a second, and the last change is seen. */
static void test_rate(struct seen *s, struct client *c)
{
    int64_t last = 0;
    uint32_t colour = 0;
    seen_settle(s);
    unsigned before = s->frames;
    int64_t begun = ph_clock_ns();
    while (s->frames < before + 20) {
        fill(c, 100, 100, 4, 4, ++colour);
        CHECK(seen_frame(s, false, WAIT_MS));
        /* Every second one may be nearer when the one before was late. */
        CHECK(s->time_ns - last > PH_NS_PER_S / 60 / 3);
        last = s->time_ns;
    }
    CHECK(ph_clock_ns() - begun >= 18 * PH_NS_PER_S / 60);
    while (s->probed != colour && seen_frame(s, false, WAIT_MS)) {
    }
    CHECK_EQ(s->probed, colour);
}

static void test_cursor(struct seen *s, struct client *c)
{
    xcb_warp_pointer(c->x.conn, XCB_NONE, c->x.root, 0, 0, 0, 0, 200, 150);
    fill(c, 0, 0, 4, 4, 0xabcdef); /* a warp alone makes no event */
    CHECK(cursor_at(s, 200, 150));
    /* A cursor of our own: 16x16, all of it one colour, hotspot 3,5. */
    xcb_pixmap_t all = xcb_generate_id(c->x.conn);
    xcb_gcontext_t gc = xcb_generate_id(c->x.conn);
    xcb_cursor_t cursor = xcb_generate_id(c->x.conn);
    const xcb_rectangle_t r = {0, 0, 16, 16};
    const uint32_t one = 1;
    xcb_create_pixmap(c->x.conn, 1, all, c->x.root, 16, 16);
    xcb_create_gc(c->x.conn, gc, all, XCB_GC_FOREGROUND, &one);
    xcb_poly_fill_rectangle(c->x.conn, all, gc, 1, &r);
    xcb_create_cursor(
            c->x.conn, cursor, all, all, 0xffff, 0x8000, 0, 0, 0, 0, 3, 5);
    xcb_change_window_attributes(c->x.conn, c->window, XCB_CW_CURSOR, &cursor);
    xcb_flush(c->x.conn);
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (s->first_pixel != 0xff8000ff && seen_serve(s, deadline)) {
    }
    CHECK_EQ(s->first_pixel, 0xff8000ff);
    CHECK_EQ(s->cursor.width, 16);
    CHECK_EQ(s->cursor.height, 16);
    CHECK_EQ(s->cursor.hot_x, 3);
    CHECK_EQ(s->cursor.hot_y, 5);
    CHECK(s->cursor.visible);
    CHECK_EQ(s->cursor.x, 200);
    xcb_free_gc(c->x.conn, gc);
    xcb_free_pixmap(c->x.conn, all);
}

/* In the picture, where that is wished: there, and gone when it moves on. */
static void test_embedded(struct client *c)
{
    char error[256] = "";
    struct seen s = {.probe = {500, 400}};
    s.capture = ph_capture_x11_create(
            NULL, 60, true, &seen_events, &s, error, sizeof(error));
    if (!CHECK(s.capture)) {
        return;
    }
    fill(c, 490, 390, 40, 40, 0x102030);
    ph_x11_warp(&c->x, 600, 500);
    CHECK(seen_frame(&s, true, WAIT_MS));
    seen_settle(&s);
    CHECK_EQ(s.probed, 0x102030);
    for (int i = 0; i < 2; i++) {
        ph_x11_warp(&c->x, 500, 400);
        fill(c, 0, 0, 1, 1, 0x111111 * (uint32_t)(i + 1));
        while (s.probed != 0xff8000 && seen_frame(&s, false, WAIT_MS)) {
        }
        CHECK_EQ(s.probed, 0xff8000);
        ph_x11_warp(&c->x, 600, 500);
        fill(c, 0, 0, 1, 1, 0x222222 * (uint32_t)(i + 1));
        while (s.probed != 0x102030 && seen_frame(&s, false, WAIT_MS)) {
        }
        CHECK_EQ(s.probed, 0x102030);
    }
    /* Partly outside. */
    ph_x11_warp(&c->x, 0, 0);
    fill(c, 500, 400, 1, 1, 0x00ff00);
    CHECK(seen_frame(&s, false, WAIT_MS));
    ph_x11_warp(&c->x, WIDTH - 1, HEIGHT - 1);
    fill(c, 500, 400, 1, 1, 0x0000ff);
    while (s.probed != 0x0000ff && seen_frame(&s, false, WAIT_MS)) {
    }
    CHECK_EQ(s.probed, 0x0000ff);
    CHECK_EQ(s.cursors, 0);
    s.capture->ops->destroy(s.capture);
}

static void test_resize(struct seen *s)
{
    static const uint32_t sizes[][2] = {{800, 600}, {1001, 577}, {640, 480},
            {WIDTH, HEIGHT}, {100000, 100000}, {1, 1}, {WIDTH, HEIGHT}};
    seen_settle(s);
    s->probe[0] = 0;
    s->probe[1] = 0;
    for (size_t i = 0; i < PH_LEN(sizes); i++) {
        uint32_t w = PH_MIN(sizes[i][0], WIDTH);
        uint32_t h = PH_MIN(sizes[i][1], HEIGHT);
        s->capture->ops->resize(s->capture, sizes[i][0], sizes[i][1], 120);
        for (int k = 0; k < 20 && (s->width != w || s->height != h); k++) {
            CHECK(seen_frame(s, false, WAIT_MS) || w * h == WIDTH * HEIGHT);
        }
        CHECK_EQ(s->width, w);
        CHECK_EQ(s->height, h);
        CHECK_EQ(ph_region_pixels(&s->damage), (uint64_t)w * h);
    }
}

/* Every way to read gives the same picture. */
static void test_ways(struct client *c)
{
    char error[256] = "";
    uint32_t stride;
    struct ph_region region;
    xcb_damage_damage_t damage = xcb_generate_id(c->x.conn);
    free(xcb_damage_query_version_reply(
            c->x.conn, xcb_damage_query_version(c->x.conn, 1, 1), NULL));
    free(xcb_xfixes_query_version_reply(
            c->x.conn, xcb_xfixes_query_version(c->x.conn, 2, 0), NULL));
    xcb_damage_create(
            c->x.conn, damage, c->x.root, XCB_DAMAGE_REPORT_LEVEL_NON_EMPTY);
    for (uint32_t way = PH_X11_WAY_IMAGE; way <= PH_X11_WAY_PIXMAP; way++) {
        struct ph_x11_picture *p = ph_x11_picture_create(
                &c->x, (enum ph_x11_way)way, error, sizeof(error));
        if (!CHECK(p)) {
            continue;
        }
        CHECK_EQ(ph_x11_picture_way(p), way);
        CHECK(ph_x11_picture_read(p, damage, true, &region));
        CHECK_EQ(ph_region_pixels(&region), WIDTH * HEIGHT);
        fill(c, 30, 40, 5, 6, 0x102030 + way);
        fill(c, 1200, 700, 11, 3, 0x405060 + way);
        CHECK(ph_x11_picture_read(p, damage, false, &region));
        CHECK_EQ(ph_region_pixels(&region), 5 * 6 + 11 * 3);
        const uint8_t *data = ph_x11_picture_data(p, &stride);
        uint32_t pixel[2];
        memcpy(&pixel[0], data + 45 * (size_t)stride + 34 * 4, 4);
        memcpy(&pixel[1], data + 702 * (size_t)stride + 1210 * 4, 4);
        CHECK_EQ(pixel[0] & 0xffffff, 0x102030 + way);
        CHECK_EQ(pixel[1] & 0xffffff, 0x405060 + way);
        CHECK(ph_x11_picture_read(p, damage, false, &region));
        CHECK(ph_region_is_empty(&region));
        ph_x11_picture_destroy(p);
    }
    xcb_damage_destroy(c->x.conn, damage);
}

static void test_failures(void)
{
    char error[256] = "";
    struct seen s = {0};
    CHECK(!ph_capture_x11_create(
            ":99999", 60, false, &seen_events, &s, error, sizeof(error)));
    CHECK(strstr(error, ":99999"));
    CHECK(strstr(error, "XAUTHORITY"));
    CHECK(!ph_capture_x11_create(
            "x", 60, false, &seen_events, &s, error, sizeof(error)));
    CHECK(strstr(error, "not the name of a display"));
    const struct ph_desktop_options options = {
            .capture = "x11", .output = "screen"};
    CHECK(!ph_desktop_open(&options, error, sizeof(error)));
    CHECK(strstr(error, "--output"));
}

static void test_end(struct seen *s)
{
    uint32_t pid = 0;
    const char *text = getenv("XVFB_PID");
    if (!CHECK(text && ph_parse_u32(text, 2, INT32_MAX, &pid))) {
        return;
    }
    CHECK_EQ(kill((pid_t)pid, SIGKILL), 0);
    CHECK(!seen_frame(s, false, WAIT_MS));
    CHECK_EQ(s->lost, 1);
    s->capture->ops->dispatch(s->capture);
    CHECK_EQ(s->lost, 1);
}

int main(void)
{
    char error[256] = "";
    struct seen seen = {0};
    struct client client = {0};
    test_failures();
    seen.capture = ph_capture_x11_create(
            NULL, 60, false, &seen_events, &seen, error, sizeof(error));
    if (!CHECK(seen.capture) ||
            !CHECK(ph_x11_connect(&client.x, NULL, error, sizeof(error)))) {
        fprintf(stderr, "%s\n", error);
        return CHECK_DONE();
    }
    test_frames(&seen, &client);
    test_rate(&seen, &client);
    test_cursor(&seen, &client);
    test_embedded(&client);
    test_ways(&client);
    test_resize(&seen);
    test_end(&seen);
    seen.capture->ops->destroy(seen.capture);
    ph_x11_finish(&client.x);
    return CHECK_DONE();
}
