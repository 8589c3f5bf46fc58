/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/x11_picture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xcb/damage.h>
#include <xcb/shm.h>
#include <xcb/xfixes.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#define LOG_MODULE "x11"
#include "common/log.h"
#include "proto/hxfr.h"

/* A piece that the server sends at once is not larger: it and XCB hold it in
 * memory as a whole. */
#define PIECE_BYTES (1u << 20)
#define ALL_PLANES 0xFFFFFFFFu

struct ph_x11_picture {
    struct ph_x11 *x;
    enum ph_x11_way way;
    uint16_t width;
    uint16_t height;
    uint32_t stride;
    uint32_t format;
    uint8_t *pixels;
    size_t bytes; /* of the picture */
    /* PH_X11_WAY_SHM: as much again behind the picture, for rectangles as the
     * server packs them. */
    size_t mapped;
    xcb_shm_seg_t segment;
    xcb_pixmap_t pixmap;
    xcb_gcontext_t gc;
    xcb_xfixes_region_t region;
};

/* The bytes of a pixel; 0: not such a screen as we can read. */
static uint32_t pixel_format(const struct ph_x11 *x)
{
    const xcb_setup_t *setup = xcb_get_setup(x->conn);
    xcb_format_iterator_t f = xcb_setup_pixmap_formats_iterator(setup);
    for (; f.rem > 0; xcb_format_next(&f)) {
        if (f.data->depth == x->screen->root_depth &&
                f.data->bits_per_pixel != 32) {
            return 0;
        }
    }
    xcb_depth_iterator_t d = xcb_screen_allowed_depths_iterator(x->screen);
    for (; d.rem > 0; xcb_depth_next(&d)) {
        xcb_visualtype_iterator_t v = xcb_depth_visuals_iterator(d.data);
        for (; v.rem > 0; xcb_visualtype_next(&v)) {
            if (v.data->visual_id != x->screen->root_visual) {
                continue;
            }
            bool lsb = setup->image_byte_order == XCB_IMAGE_ORDER_LSB_FIRST;
            return !lsb || v.data->green_mask != 0xFF00 ? 0
                    : v.data->red_mask == 0xFF0000      ? PH_HXFR_BGRA
                    : v.data->red_mask == 0xFF          ? PH_HXFR_RGBA
                                                        : 0;
        }
    }
    return 0;
}

static bool failed(struct ph_x11_picture *p, xcb_void_cookie_t cookie)
{
    AUTOFREE xcb_generic_error_t *error = xcb_request_check(p->x->conn, cookie);
    return error || xcb_connection_has_error(p->x->conn);
}

static bool map(struct ph_x11_picture *p, int fd, size_t size)
{
    void *memory = fd < 0
            ? mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
            : mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED) {
        return false;
    }
    p->pixels = memory;
    p->mapped = size;
    return true;
}

/* Memory that the server shares; false: it does not (or is elsewhere). */
static bool share(struct ph_x11_picture *p, size_t size)
{
    xcb_connection_t *conn = p->x->conn;
    if (!ph_x11_has(p->x, &xcb_shm_id, "MIT-SHM", NULL, 0)) {
        return false;
    }
    AUTOFREE xcb_shm_query_version_reply_t *version =
            xcb_shm_query_version_reply(
                    conn, xcb_shm_query_version(conn), NULL);
    if (!version ||
            (version->major_version == 1 && version->minor_version < 2)) {
        return false; /* no descriptors */
    }
    AUTOCLOSE int fd = memfd_create("porthole-x11", MFD_CLOEXEC);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || !map(p, fd, size)) {
        LOG_ERRNO("memory for %ux%u pixels", p->width, p->height);
        return false;
    }
    p->segment = xcb_generate_id(conn);
    if (failed(p,
                xcb_shm_attach_fd_checked(
                        conn, p->segment, ph_steal_fd(&fd), false))) {
        p->segment = 0;
        munmap(p->pixels, p->mapped);
        p->pixels = NULL;
        return false;
    }
    return true;
}

/* The server's own view of the memory, and what copies into it. False: it
 * has no such pixmaps. */
static bool make_pixmap(struct ph_x11_picture *p)
{
    xcb_connection_t *conn = p->x->conn;
    const uint32_t values[] = {XCB_SUBWINDOW_MODE_INCLUDE_INFERIORS, 0};
    xcb_pixmap_t pixmap = xcb_generate_id(conn);
    if (failed(p,
                xcb_shm_create_pixmap_checked(conn, pixmap, p->x->root,
                        p->width, p->height, p->x->screen->root_depth,
                        p->segment, 0))) {
        return false;
    }
    p->pixmap = pixmap;
    p->gc = xcb_generate_id(conn);
    xcb_create_gc(conn, p->gc, p->x->root,
            XCB_GC_SUBWINDOW_MODE | XCB_GC_GRAPHICS_EXPOSURES, values);
    return true;
}

static void stop_sharing(struct ph_x11_picture *p)
{
    xcb_shm_detach(p->x->conn, p->segment);
    p->segment = 0;
    munmap(p->pixels, p->mapped);
    p->pixels = NULL;
}

static bool choose_way(struct ph_x11_picture *p, enum ph_x11_way best)
{
    if (best == PH_X11_WAY_PIXMAP && share(p, p->bytes)) {
        if (make_pixmap(p)) {
            p->way = PH_X11_WAY_PIXMAP;
            return true;
        }
        stop_sharing(p);
    }
    if (best >= PH_X11_WAY_SHM && share(p, 2 * p->bytes)) {
        p->way = PH_X11_WAY_SHM;
        return true;
    }
    p->way = PH_X11_WAY_IMAGE;
    return map(p, -1, p->bytes);
}

struct ph_x11_picture *ph_x11_picture_create(
        struct ph_x11 *x, enum ph_x11_way best, char *error, size_t size)
{
    struct ph_x11_picture *p = ph_xcalloc(1, sizeof(*p));
    p->x = x;
    p->width = x->width;
    p->height = x->height;
    p->stride = (uint32_t)x->width * 4;
    p->bytes = (size_t)p->stride * p->height;
    p->format = pixel_format(x);
    if (p->format == 0) {
        snprintf(error, size,
                "the X screen has %u bits of colour in an order that is not "
                "supported: start the server with depth 24",
                x->screen->root_depth);
        goto fail;
    }
    if (p->bytes == 0 || p->width > PH_HXFR_MAX_SIDE ||
            p->height > PH_HXFR_MAX_SIDE) {
        snprintf(error, size,
                "the X screen has %ux%u pixels: %u a side is all "
                "that is supported",
                p->width, p->height, PH_HXFR_MAX_SIDE);
        goto fail;
    }
    if (!choose_way(p, best)) {
        snprintf(
                error, size, "no memory for %ux%u pixels", p->width, p->height);
        goto fail;
    }
    p->region = xcb_generate_id(x->conn);
    xcb_xfixes_create_region(x->conn, p->region, 0, NULL);
    return p;
fail:
    ph_x11_picture_destroy(p);
    return NULL;
}

void ph_x11_picture_destroy(struct ph_x11_picture *p)
{
    if (!p) {
        return;
    }
    xcb_connection_t *conn = p->x->conn;
    if (p->pixmap) {
        xcb_free_pixmap(conn, p->pixmap);
        xcb_free_gc(conn, p->gc);
    }
    if (p->segment) {
        xcb_shm_detach(conn, p->segment);
    }
    if (p->region) {
        xcb_xfixes_destroy_region(conn, p->region);
    }
    if (p->pixels) {
        munmap(p->pixels, p->mapped);
    }
    free(p);
}

/* A rectangle's rows, without gaps, to where they belong. */
static void place(struct ph_x11_picture *p, struct ph_rect r,
        const uint8_t *rows, size_t rows_size)
{
    size_t row = (size_t)r.width * 4;
    uint8_t *to = p->pixels + (size_t)r.y * p->stride + (size_t)r.x * 4;
    for (uint16_t y = 0; y < r.height && (y + 1) * row <= rows_size; y++) {
        memcpy(to + (size_t)y * p->stride, rows + y * row, row);
    }
}

static bool read_shm(struct ph_x11_picture *p, const struct ph_region *region)
{
    xcb_connection_t *conn = p->x->conn;
    xcb_shm_get_image_cookie_t cookies[PH_REGION_MAX];
    size_t at = p->bytes;
    bool ok = true;
    for (uint16_t i = 0; i < region->count; i++) {
        struct ph_rect r = region->rects[i];
        cookies[i] = xcb_shm_get_image(conn, p->x->root, (int16_t)r.x,
                (int16_t)r.y, r.width, r.height, ALL_PLANES,
                XCB_IMAGE_FORMAT_Z_PIXMAP, p->segment, (uint32_t)at);
        at += (size_t)r.width * r.height * 4;
    }
    at = p->bytes;
    for (uint16_t i = 0; i < region->count; i++) {
        struct ph_rect r = region->rects[i];
        AUTOFREE xcb_shm_get_image_reply_t *reply =
                xcb_shm_get_image_reply(conn, cookies[i], NULL);
        ok = ok && reply;
        if (ok) {
            place(p, r, p->pixels + at, p->mapped - at);
        }
        at += (size_t)r.width * r.height * 4;
    }
    return ok;
}

static bool read_piece(struct ph_x11_picture *p, struct ph_rect r)
{
    AUTOFREE xcb_get_image_reply_t *reply = xcb_get_image_reply(p->x->conn,
            xcb_get_image(p->x->conn, XCB_IMAGE_FORMAT_Z_PIXMAP, p->x->root,
                    (int16_t)r.x, (int16_t)r.y, r.width, r.height, ALL_PLANES),
            NULL);
    if (!reply) {
        return false;
    }
    place(p, r, xcb_get_image_data(reply),
            (size_t)xcb_get_image_data_length(reply));
    return true;
}

static bool read_image(struct ph_x11_picture *p, const struct ph_region *region)
{
    for (uint16_t i = 0; i < region->count; i++) {
        struct ph_rect left = region->rects[i];
        while (left.height > 0) {
            struct ph_rect piece = left;
            uint32_t rows = PH_MAX(1u, PIECE_BYTES / (piece.width * 4u));
            piece.height = (uint16_t)PH_MIN(rows, left.height);
            if (!read_piece(p, piece)) {
                return false;
            }
            left.y = (uint16_t)(left.y + piece.height);
            left.height = (uint16_t)(left.height - piece.height);
        }
    }
    return true;
}

/* Inside the picture: the screen may have grown meanwhile. */
static struct ph_rect clip(
        const struct ph_x11_picture *p, const xcb_rectangle_t *from)
{
    int32_t x0 = PH_MAX(0, from->x);
    int32_t y0 = PH_MAX(0, from->y);
    int32_t x1 = PH_MIN(p->width, from->x + from->width);
    int32_t y1 = PH_MIN(p->height, from->y + from->height);
    if (x0 >= x1 || y0 >= y1) {
        return (struct ph_rect){0, 0, 0, 0};
    }
    return (struct ph_rect){(uint16_t)x0, (uint16_t)y0, (uint16_t)(x1 - x0),
            (uint16_t)(y1 - y0)};
}

bool ph_x11_picture_read(struct ph_x11_picture *p, uint32_t damage, bool whole,
        struct ph_region *out)
{
    xcb_connection_t *conn = p->x->conn;
    ph_region_clear(out);
    xcb_damage_subtract(conn, damage, XCB_NONE, p->region);
    if (p->way == PH_X11_WAY_PIXMAP) {
        xcb_xfixes_set_gc_clip_region(
                conn, p->gc, whole ? XCB_NONE : p->region, 0, 0);
        xcb_copy_area(conn, p->x->root, p->pixmap, p->gc, 0, 0, 0, 0, p->width,
                p->height);
    }
    /* The answer comes when the copy is done. */
    AUTOFREE xcb_xfixes_fetch_region_reply_t *reply =
            xcb_xfixes_fetch_region_reply(
                    conn, xcb_xfixes_fetch_region(conn, p->region), NULL);
    if (!reply) {
        return false;
    }
    const xcb_rectangle_t *rects = xcb_xfixes_fetch_region_rectangles(reply);
    int count = xcb_xfixes_fetch_region_rectangles_length(reply);
    for (int i = 0; i < count && !whole; i++) {
        ph_region_add(out, clip(p, &rects[i]));
    }
    if (whole) {
        ph_region_set(out, p->width, p->height);
    }
    return p->way == PH_X11_WAY_PIXMAP ? true
            : p->way == PH_X11_WAY_SHM ? read_shm(p, out)
                                       : read_image(p, out);
}

uint8_t *ph_x11_picture_data(const struct ph_x11_picture *p, uint32_t *stride)
{
    *stride = p->stride;
    return p->pixels;
}

uint32_t ph_x11_picture_format(const struct ph_x11_picture *p)
{
    return p->format;
}

enum ph_x11_way ph_x11_picture_way(const struct ph_x11_picture *p)
{
    return p->way;
}
