/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A Wayland compositor with one output, "FAKE-1", which ext-image-copy-capture
 * copies; it is as strict and as lazy as the protocol lets it be: a buffer gets
 * only what changed or what its client called stale. On a thread of its own;
 * each function returns when that did it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct fake_compositor;

enum {
    FAKE_SIDE = 100, /* of the output at first */
    FAKE_MAX_SIDE = 256,
};

/* display: the socket's name, below XDG_RUNTIME_DIR. */
struct fake_compositor *fake_compositor_start(const char *display);
void fake_compositor_stop(struct fake_compositor *f);

/* Pixels of the output, XRGB8888 without a gap. Valid until the next call. */
const uint32_t *fake_compositor_pixels(struct fake_compositor *f);
void fake_compositor_draw(struct fake_compositor *f, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height, uint32_t color);
/* late: a copy fails before the new constraints are told. */
void fake_compositor_resize(
        struct fake_compositor *f, uint32_t width, uint32_t height, bool late);
/* So many copies that are to come fail. */
void fake_compositor_fail(struct fake_compositor *f, uint32_t copies);
/* The session stops; the next one works. */
void fake_compositor_end_session(struct fake_compositor *f);
void fake_compositor_remove_output(struct fake_compositor *f);
/* Sessions so far. */
uint32_t fake_compositor_sessions(struct fake_compositor *f);
