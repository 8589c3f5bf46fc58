/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/bench_scene.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"

enum {
    LINE = PH_SCENE_LINE,
    CELL = PH_SCENE_CELL,
    LINE_MAX_CHARS = 1024,
    DARK = 0x101418,
    GREY = 0xd0d4d8,
    WHITE = 0xf8f8f8,
    BLACK = 0x202020,
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * UINT32_C(1664525) + UINT32_C(1013904223);
    return *state >> 8;
}

static uint8_t *row_of(const struct ph_scene *s, uint32_t x, uint32_t y)
{
    return s->pixels + ((size_t)y * s->width + x) * 4;
}

/* --- what is on the desktop --- */

/* Random words behind a number, one word in eight coloured, as listings and
 * logs look. */
static void draw_line(struct ph_scene *s, const struct ph_rect *box, uint32_t y,
        uint32_t number, uint32_t ink, uint32_t paper)
{
    static const uint32_t colours[] = {0x88c0d0, 0xa3be8c, 0xebcb8b, 0xbf616a};
    char word[16];
    uint32_t random = number * UINT32_C(2654435761) + 77;
    uint32_t columns = box->width / CELL;
    int n = snprintf(word, sizeof(word), "%06u", (unsigned)number % 1000000);
    ph_scene_text(s, box, box->x, y, word, (size_t)n, ink, paper);
    uint32_t end = columns * (3 + next_random(&random) % 5) / 8;
    for (uint32_t at = 8; at < end;) {
        uint32_t len = 2 + next_random(&random) % 8;
        uint32_t kind = next_random(&random) % 32;
        len = PH_MIN(len, end - at);
        for (uint32_t i = 0; i < len; i++) {
            word[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"[next_random(
                                                                     &random) %
                    36];
        }
        ph_scene_text(s, box, box->x + at * CELL, y, word, len,
                kind < 4 ? colours[kind] : ink, paper);
        at += len + 1;
    }
}

static void draw_window(struct ph_scene *s, const struct ph_rect *frame,
        uint32_t number, uint32_t ink, uint32_t paper)
{
    static const char title[] = "DOCUMENT";
    struct ph_rect bar = {frame->x, frame->y, frame->width, LINE + 7};
    ph_scene_fill(s, frame, paper);
    ph_scene_fill(s, &bar, 0x3b4252);
    ph_scene_text(s, &bar, bar.x + 8u, bar.y + 4u, title, sizeof(title) - 1,
            WHITE, 0x3b4252);
    struct ph_rect inside = {(uint16_t)(frame->x + 8),
            (uint16_t)(frame->y + bar.height + 4),
            (uint16_t)(frame->width - 16),
            (uint16_t)(frame->height - bar.height - 8)};
    for (uint32_t y = 0; y + LINE <= inside.height; y += LINE) {
        draw_line(s, &inside, inside.y + y, number++, ink, paper);
    }
}

static struct ph_rect part(const struct ph_scene *s, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height) /* in 64ths of the screen */
{
    return (struct ph_rect){(uint16_t)(s->width * x / 64),
            (uint16_t)(s->height * y / 64), (uint16_t)(s->width * width / 64),
            (uint16_t)(s->height * height / 64)};
}

/* A wallpaper that changes from pixel to pixel, a panel, two windows. */
static void draw_desktop(struct ph_scene *s)
{
    for (uint32_t y = 0; y < s->height; y++) {
        uint8_t *row = row_of(s, 0, y);
        for (uint32_t x = 0; x < s->width; x++) {
            uint32_t a = x * 120 / s->width + y * 60 / s->height;
            uint32_t b = 120 - y * 90 / s->height;
            ph_store_u32(row + (size_t)x * 4,
                    UINT32_C(0xff000000) | (a + 20) << 16 | (b / 2 + 40) << 8 |
                            (b + 60));
        }
    }
    struct ph_rect panel = {0, 0, (uint16_t)s->width, LINE + 9};
    static const char menu[] = "APPLICATIONS  PLACES  SYSTEM";
    ph_scene_fill(s, &panel, 0x20242b);
    ph_scene_text(s, &panel, 12, 5, menu, sizeof(menu) - 1, WHITE, 0x20242b);
    struct ph_rect left = part(s, 3, 4, 28, 56);
    struct ph_rect right = part(s, 33, 6, 28, 50);
    draw_window(s, &left, 1000, GREY, DARK);
    draw_window(s, &right, 2000, BLACK, WHITE);
}

/* --- the steps --- */

static bool step_static(struct ph_scene *s, uint32_t n, struct ph_rect *damage)
{
    *damage = (struct ph_rect){0};
    return true;
}

/* A letter appears in the left window, the cursor behind it moves on. */
static bool step_typing(struct ph_scene *s, uint32_t n, struct ph_rect *damage)
{
    const struct ph_rect *w = &s->window;
    uint32_t columns = w->width / CELL - 1;
    uint32_t lines = w->height / LINE;
    uint32_t x = w->x + (n - 1) % columns * CELL;
    uint32_t y = w->y + (n - 1) / columns % lines * LINE;
    char letter = (char)('A' + next_random(&s->random) % 26);
    struct ph_rect cells = {(uint16_t)x, (uint16_t)y, 2 * CELL, LINE};
    struct ph_rect cursor = {
            (uint16_t)(x + CELL), (uint16_t)(y + 1), 2, LINE - 2};
    ph_scene_fill(s, &cells, DARK);
    ph_scene_text(s, &cells, x, y, &letter, 1, GREY, DARK);
    ph_scene_fill(s, &cursor, WHITE);
    *damage = cells;
    return true;
}

/* A terminal of the whole screen runs up by a line. */
static bool step_scroll(struct ph_scene *s, uint32_t n, struct ph_rect *damage)
{
    const struct ph_rect *w = &s->window;
    uint32_t last = w->y + w->height / LINE * LINE - LINE;
    for (uint32_t y = w->y; y < last; y++) {
        memcpy(row_of(s, w->x, y), row_of(s, w->x, y + LINE),
                (size_t)w->width * 4);
    }
    struct ph_rect line = {w->x, (uint16_t)last, w->width, LINE};
    ph_scene_fill(s, &line, DARK);
    draw_line(s, w, last, s->line++, GREY, DARK);
    *damage = *w;
    return true;
}

static void copy_rect(struct ph_scene *s, const uint8_t *from,
        uint32_t from_stride, const struct ph_rect *to)
{
    for (uint32_t y = 0; y < to->height; y++) {
        memcpy(row_of(s, to->x, to->y + y), from + (size_t)y * from_stride,
                (size_t)to->width * 4);
    }
}

/* 0..most and back, as n grows. */
static uint32_t swing(uint32_t n, uint32_t most)
{
    uint32_t at = n % (2 * most);
    return at < most ? at : 2 * most - at;
}

/* The upper left part of the desktop is dragged over the rest as a window. */
static bool step_drag(struct ph_scene *s, uint32_t n, struct ph_rect *damage)
{
    struct ph_rect was = s->window;
    struct ph_rect *w = &s->window;
    size_t stride = (size_t)s->width * 4;
    const uint8_t *picture = s->base + stride * s->height;
    w->x = (uint16_t)swing(n * 11, s->width - w->width);
    w->y = (uint16_t)swing(n * 5, s->height - w->height);
    copy_rect(s, s->base + was.y * stride + (size_t)was.x * 4, (uint32_t)stride,
            &was);
    copy_rect(s, picture, (uint32_t)w->width * 4, w);
    damage->x = PH_MIN(was.x, w->x);
    damage->y = PH_MIN(was.y, w->y);
    damage->width = (uint16_t)(PH_MAX(was.x, w->x) + w->width - damage->x);
    damage->height = (uint16_t)(PH_MAX(was.y, w->y) + w->height - damage->y);
    return true;
}

/* A film in a window: slow waves with noise on every pixel. */
static bool step_video(struct ph_scene *s, uint32_t n, struct ph_rect *damage)
{
    const struct ph_rect *w = &s->window;
    uint32_t random = n * UINT32_C(2654435761) + 1;
    for (uint32_t y = 0; y < w->height; y++) {
        uint8_t *at = row_of(s, w->x, w->y + y);
        for (uint32_t x = 0; x < w->width; x++, at += 4) {
            random ^= random << 13;
            random ^= random >> 17;
            random ^= random << 5;
            uint32_t light =
                    60 + swing(x + n * 3, 100) / 2 + swing(y * 2 + n, 140) / 2;
            at[0] = (uint8_t)(light + (random & 15));
            at[1] = (uint8_t)(light / 2 + 40 + (random >> 4 & 15));
            at[2] = (uint8_t)(200 - light + (random >> 8 & 15));
        }
    }
    *damage = *w;
    return true;
}

/* The next picture of the file; from its end on from the beginning. */
static bool step_file(struct ph_scene *s, uint32_t n, struct ph_rect *damage)
{
    size_t size = (size_t)s->width * s->height * 4;
    size_t got = fread(s->pixels, 1, size, s->file);
    if (got < size && !ferror(s->file)) {
        rewind(s->file);
        got = fread(s->pixels, 1, size, s->file);
    }
    *damage = (struct ph_rect){0, 0, (uint16_t)s->width, (uint16_t)s->height};
    if (got < size && !ferror(s->file)) {
        errno = ENODATA;
    }
    return got == size;
}

/* --- the scenes --- */

static void begin_typing(struct ph_scene *s)
{
    struct ph_rect w = part(s, 3, 4, 28, 56);
    s->window =
            (struct ph_rect){(uint16_t)(w.x + 8), (uint16_t)(w.y + LINE + 11),
                    (uint16_t)(w.width - 16), (uint16_t)(w.height - LINE - 15)};
}

static void begin_scroll(struct ph_scene *s)
{
    struct ph_rect panel = {0, 0, (uint16_t)s->width, LINE + 9};
    s->window = (struct ph_rect){
            0, panel.height, panel.width, (uint16_t)(s->height - panel.height)};
    ph_scene_fill(s, &s->window, DARK);
    for (uint32_t y = 0; y + LINE <= s->window.height; y += LINE) {
        draw_line(s, &s->window, s->window.y + y, s->line++, GREY, DARK);
    }
}

static void begin_drag(struct ph_scene *s)
{
    size_t row = (size_t)s->width * 4;
    size_t size = row * s->height;
    struct ph_rect from = part(s, 3, 4, 28, 38);
    s->window = from;
    s->base = ph_xmalloc(size * 2);
    memcpy(s->base, s->pixels, size);
    for (uint32_t y = 0; y < from.height; y++) {
        memcpy(s->base + size + (size_t)y * from.width * 4,
                row_of(s, from.x, from.y + y), (size_t)from.width * 4);
    }
}

static void begin_video(struct ph_scene *s)
{
    struct ph_rect damage;
    s->window = part(s, 11, 8, 42, 42);
    step_video(s, 0, &damage);
}

static const struct {
    struct ph_scene_kind kind;
    void (*begin)(struct ph_scene *scene);
} kinds[] = {
        {{"static", step_static}, NULL},
        {{"typing", step_typing}, begin_typing},
        {{"scroll", step_scroll}, begin_scroll},
        {{"drag", step_drag}, begin_drag},
        {{"video", step_video}, begin_video},
};

static const struct ph_scene_kind file_kind = {"file", step_file};

static bool open_file(
        struct ph_scene *s, const char *path, char *error, size_t size)
{
    struct ph_rect damage;
    s->kind = &file_kind;
    s->file = fopen(path, "rb");
    if (s->file && step_file(s, 0, &damage)) {
        return true;
    }
    snprintf(error, size,
            "%s: %s (contents are static, typing, scroll, drag, "
            "video, or a file of raw BGRx pictures of %ux%u)",
            path, errno == ENODATA ? "not one whole picture" : strerror(errno),
            s->width, s->height);
    return false;
}

struct ph_scene *ph_scene_create(const char *content, uint32_t width,
        uint32_t height, char *error, size_t size)
{
    struct ph_scene *s = ph_xcalloc(1, sizeof(*s));
    s->width = width;
    s->height = height;
    s->random = 1;
    s->pixels = ph_xmalloc((size_t)width * height * 4);
    for (size_t i = 0; i < PH_LEN(kinds); i++) {
        if (strcmp(content, kinds[i].kind.name) == 0) {
            s->kind = &kinds[i].kind;
            draw_desktop(s);
            if (kinds[i].begin) {
                kinds[i].begin(s);
            }
            return s;
        }
    }
    if (!open_file(s, content, error, size)) {
        ph_scene_destroy(s);
        return NULL;
    }
    return s;
}

void ph_scene_destroy(struct ph_scene *s)
{
    if (!s) {
        return;
    }
    if (s->file) {
        fclose(s->file);
    }
    free(s->pixels);
    free(s->base);
    free(s);
}
