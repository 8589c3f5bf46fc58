/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * A source without a desktop and without an encoder, behind source.h, for a
 * porthole-deskd whose serving is tested: units of known sizes at a known
 * rate on the main loop. The picture's size and the rate are those of the
 * command line, of an output called WxH that; bytes that a decoder would want
 * are not in there.
 *
 * FAKE_SOURCE_KEY and FAKE_SOURCE_DELTA: bytes of a unit (60000, 8000);
 * FAKE_SOURCE_STATIC: set, nothing moves.
 */
#include "deskd/source.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "common/parse.h"
#include "deskd/input.h"
#include "link/host_spawn.h"

enum {
    STAGE_US = 100, /* of each stage but QUEUE */
};

struct ph_source {
    const struct ph_source_events *events;
    void *data;
    uint32_t width;
    uint32_t height;
    uint32_t interval_ms;
    uint32_t key_size;
    uint32_t delta_size;
    bool still;
    bool active;
    bool keyframe;
    uint32_t sequence;
    guint timer;
    struct ph_source_stats stats;
};

static uint32_t number(const char *name, uint32_t fallback)
{
    const char *text = getenv(name);
    uint32_t v = fallback;
    if (text && !ph_parse_u32(text, 1, 8 << 20, &v)) {
        fprintf(stderr, "%s is not a number\n", name);
        exit(2);
    }
    return v;
}

struct ph_unit *ph_unit_ref(struct ph_unit *unit)
{
    g_atomic_ref_count_inc(&unit->refs);
    return unit;
}

void ph_unit_unref(struct ph_unit *unit)
{
    if (g_atomic_ref_count_dec(&unit->refs)) {
        g_free(unit);
    }
}

struct ph_unit *ph_unit_create(size_t size)
{
    struct ph_unit *unit = g_malloc0(sizeof(*unit) + size);
    g_atomic_ref_count_init(&unit->refs);
    unit->size = size;
    return unit;
}

static void give(struct ph_source *s)
{
    struct ph_unit *unit =
            ph_unit_create(s->keyframe ? s->key_size : s->delta_size);
    unit->sequence = s->sequence++;
    unit->keyframe = s->keyframe;
    unit->width = s->width;
    unit->height = s->height;
    snprintf(unit->codec, sizeof(unit->codec), "%s", "avc1.42E02A");
    unit->received_ns = ph_clock_ns();
    unit->captured_ns = unit->received_ns - 6 * STAGE_US * PH_NS_PER_US;
    for (int i = 0; i < PH_STREAM_STAGE_QUEUE; i++) {
        unit->stage_us[i] = STAGE_US;
    }
    unit->data[3] = 1;
    unit->data[4] = s->keyframe ? 0x65 : 0x41;
    s->keyframe = false;
    s->stats.frames++;
    s->stats.units++;
    s->stats.pixels_converted += (uint64_t)s->width * s->height;
    s->events->unit(s->data, unit);
    ph_unit_unref(unit);
}

static gboolean on_tick(gpointer data)
{
    struct ph_source *s = data;
    if (s->still) { /* one only, because it was asked for */
        s->timer = 0;
    }
    give(s);
    return s->still ? G_SOURCE_REMOVE : G_SOURCE_CONTINUE;
}

static void run(struct ph_source *s)
{
    if (s->active && !s->timer) {
        s->timer = g_timeout_add(s->interval_ms, on_tick, s);
    }
}

struct fake_desktop {
    struct ph_desktop base;
    struct ph_input input;
    char output[64]; /* "WxH", or "" */
    uint32_t width;
    uint32_t height;
};

struct ph_source *ph_source_create(const struct ph_source_options *options,
        const struct ph_source_events *events, void *data, char *error,
        size_t size)
{
    const struct fake_desktop *desktop =
            PH_CONTAINER(options->desktop, struct fake_desktop, base);
    struct ph_source *s = g_new0(struct ph_source, 1);
    s->events = events;
    s->data = data;
    s->width = desktop->width;
    s->height = desktop->height;
    s->interval_ms = 1000 / options->max_fps;
    s->key_size = number("FAKE_SOURCE_KEY", 60000);
    s->delta_size = number("FAKE_SOURCE_DELTA", 8000);
    s->still = getenv("FAKE_SOURCE_STATIC") != NULL;
    return s;
}

void ph_source_destroy(struct ph_source *s)
{
    if (s) {
        ph_source_set_active(s, false);
        g_free(s);
    }
}

void ph_source_set_active(struct ph_source *s, bool active)
{
    s->active = active;
    s->keyframe = active;
    if (!active && s->timer) {
        g_source_remove(s->timer);
        s->timer = 0;
    }
    run(s);
}

void ph_source_request_keyframe(struct ph_source *s)
{
    s->keyframe = true;
    run(s);
}

void ph_source_set_steady_fps(struct ph_source *s, uint32_t fps)
{
}

void ph_source_set_bitrate(struct ph_source *s, uint32_t bitrate)
{
}

bool ph_source_can_resize(const struct ph_source *s)
{
    return true;
}

void ph_source_resize(
        struct ph_source *s, uint32_t width, uint32_t height, uint32_t scale)
{
    s->width = width;
    s->height = height;
    printf("resize %u %u %u\n", width, height, scale);
    fflush(stdout);
}

void ph_source_get_stats(struct ph_source *s, struct ph_source_stats *out)
{
    *out = s->stats;
}

/* Input goes to stdout, a line an event, for the test to read; behind the name
 * of the output, if it has one. */
static void say(struct ph_input *input, const char *format, ...)
        G_GNUC_PRINTF(2, 3);
static void say(struct ph_input *input, const char *format, ...)
{
    const struct fake_desktop *desktop =
            PH_CONTAINER(input, struct fake_desktop, input);
    va_list args;
    va_start(args, format);
    printf("%s%s", desktop->output, desktop->output[0] ? " " : "");
    vprintf(format, args);
    va_end(args);
    putchar('\n');
    fflush(stdout);
}

static void key(struct ph_input *input, uint16_t code, bool pressed)
{
    say(input, "key %u %d", (unsigned)code, pressed);
}

static void button(struct ph_input *input, uint16_t code, bool pressed)
{
    say(input, "button %u %d", (unsigned)code, pressed);
}

static void pointer(struct ph_input *input, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
    say(input, "pointer %u %u %u %u", x, y, width, height);
}

static void wheel(struct ph_input *input, int dx, int dy, bool smooth)
{
    say(input, "wheel %d %d %d", dx, dy, smooth);
}

static void motion(struct ph_input *input, int32_t dx, int32_t dy)
{
    say(input, "motion %d %d", dx, dy);
}

static void type_text(struct ph_input *input, const char *text, size_t len)
{
    say(input, "text %.*s", (int)len, text);
}

static void touch(struct ph_input *input, enum ph_input_touch what,
        uint8_t finger, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    say(input, "touch %d %u %u %u", what, finger, x, y);
}

static void locks(struct ph_input *input, bool caps, bool num)
{
    say(input, "locks %d %d", caps, num);
}

static void release_all(struct ph_input *input)
{
    say(input, "release_all");
}

static void destroy(struct ph_input *input)
{
}

static const struct ph_input_ops input_ops = {
        .name = "fake",
        .key = key,
        .button = button,
        .pointer = pointer,
        .wheel = wheel,
        .motion = motion,
        .text = type_text,
        .touch = touch,
        .locks = locks,
        .release_all = release_all,
        .destroy = destroy,
};

static struct ph_input *make_input(
        struct ph_desktop *desktop, char *error, size_t size)
{
    return &PH_CONTAINER(desktop, struct fake_desktop, base)->input;
}

/* A clipboard that says to the test what it was offered, and gives it back
 * as another program would when that is "again". */
static struct {
    struct ph_clipboard base;
    char type[64];
    GByteArray *content;
} fake_clipboard;

static void read_clipboard(struct ph_clipboard *clipboard, const char *type,
        size_t most, ph_clipboard_read_done *done, void *user)
{
    done(user, type, fake_clipboard.content->data, fake_clipboard.content->len,
            NULL);
}

static void offer(struct ph_clipboard *clipboard, const char *type,
        const uint8_t *data, size_t size)
{
    const char *types[] = {fake_clipboard.type};
    g_byte_array_set_size(fake_clipboard.content, 0);
    g_byte_array_append(fake_clipboard.content, data, (guint)size);
    snprintf(fake_clipboard.type, sizeof(fake_clipboard.type), "%s", type);
    printf("offer %s %zu\n", type, size);
    fflush(stdout);
    if (size >= 5 && memcmp(data, "again", 5) == 0) {
        clipboard->events->changed(clipboard->data, types, 1);
    }
}

static void destroy_clipboard(struct ph_clipboard *clipboard)
{
    g_byte_array_unref(fake_clipboard.content);
}

static struct ph_clipboard *make_clipboard(struct ph_desktop *desktop,
        const struct ph_clipboard_events *events, void *data, char *error,
        size_t size)
{
    static const struct ph_clipboard_ops clipboard_ops = {
            .name = "fake",
            .read = read_clipboard,
            .offer = offer,
            .destroy = destroy_clipboard,
    };
    fake_clipboard.base = (struct ph_clipboard){&clipboard_ops, events, data};
    fake_clipboard.content = g_byte_array_new();
    return &fake_clipboard.base;
}

static size_t list_outputs(const struct ph_desktop_options *options,
        char (*names)[PH_DESKTOP_OUTPUT_TEXT], char *error, size_t size)
{
    g_strlcpy(names[0], "640x480", sizeof(names[0]));
    g_strlcpy(names[1], "320x200", sizeof(names[1]));
    return 2;
}

static void close_desktop(struct ph_desktop *desktop)
{
    g_free(PH_CONTAINER(desktop, struct fake_desktop, base));
}

static const struct ph_desktop_ops desktop_ops = {
        .name = "test",
        .outputs = list_outputs,
        .input = make_input,
        .clipboard = make_clipboard,
        .close = close_desktop,
};

const struct ph_desktop_ops *ph_desktop_find(const char *capture)
{
    return strcmp(capture, "test") == 0 ? &desktop_ops : NULL;
}

void ph_desktop_names(char *out, size_t size)
{
    snprintf(out, size, "test");
}

struct ph_desktop *ph_desktop_open(
        const struct ph_desktop_options *options, char *error, size_t size)
{
    struct fake_desktop *desktop = g_new0(struct fake_desktop, 1);
    desktop->base.ops = &desktop_ops;
    desktop->input.ops = &input_ops;
    desktop->width = options->width;
    desktop->height = options->height;
    if (options->output) {
        g_auto(GStrv) sides = g_strsplit(options->output, "x", 2);
        g_strlcpy(desktop->output, options->output, sizeof(desktop->output));
        if (!sides[0] || !ph_parse_u32(sides[0], 1, 4096, &desktop->width) ||
                !ph_parse_u32(sides[1], 1, 4096, &desktop->height)) {
            snprintf(error, size, "there is no output %s", options->output);
            g_free(desktop);
            return NULL;
        }
    }
    return &desktop->base;
}

void ph_desktop_close(struct ph_desktop *desktop)
{
    if (desktop) {
        desktop->ops->close(desktop);
    }
}

/* No host: there is nothing to encode. */
struct ph_host_spawn *ph_host_spawn_create(
        const char *program, const char *const args[], char *error, size_t size)
{
    static char none;
    return (struct ph_host_spawn *)(void *)&none;
}

int ph_host_spawn_connect(void *spawn, int64_t deadline_ns)
{
    return -1;
}

void ph_host_spawn_destroy(struct ph_host_spawn *spawn)
{
}
