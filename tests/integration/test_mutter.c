/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mutter as a desktop: run under mutter.sh 1280x720, with wl_patch's path. */
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "common/clock.h"
#include "common/parse.h"
#include "deskd/desktop.h"
#include "deskd/mutter_session.h"
#include "deskd/mutter_stream.h"
#include "seen.h"
#include "unit/check.h"

#define WAIT_MS 20000
#define UNWATCHED_MS 5000
#define WIDTH 1280
#define HEIGHT 720

static const char *patch_path;

/* Waits for a line while the input's sources are served. */
static bool expect(struct child *child, const char *prefix)
{
    char line[CHILD_LINE];
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (!child_try(child, prefix, line, 20)) {
        if (ph_clock_ns() >= deadline) {
            fprintf(stderr, "no '%s'\n", prefix);
            return false;
        }
        while (g_main_context_iteration(NULL, FALSE)) {
        }
    }
    return true;
}

static struct ph_desktop *open_desktop(
        const struct ph_desktop_options *options, struct seen *seen)
{
    char error[256] = "";
    struct ph_desktop *d = ph_desktop_open(options, error, sizeof(error));
    memset(seen, 0, sizeof(*seen));
    if (!CHECK(d)) {
        fprintf(stderr, "%s\n", error);
        return NULL;
    }
    seen->capture =
            d->ops->capture(d, &seen_events, seen, error, sizeof(error));
    if (!CHECK(seen->capture)) {
        fprintf(stderr, "%s\n", error);
        ph_desktop_close(d);
        return NULL;
    }
    return d;
}

/* The first frame; a session that gives none is made anew, as the pipeline
 * does: on a loaded machine that happens. */
static bool first_frame(struct ph_desktop *d, struct seen *s)
{
    char error[256] = "";
    int64_t deadline = ph_deadline_ms(2 * WAIT_MS);
    while (!s->capture || !seen_frame(s, true, WAIT_MS)) {
        if (ph_clock_ns() > deadline) {
            fprintf(stderr, "no first frame: %s %s\n", s->reason, error);
            return false;
        }
        if (s->capture) {
            s->capture->ops->destroy(s->capture);
        }
        s->lost = 0;
        s->cursor.serial = 0;
        s->capture = d->ops->capture(d, &seen_events, s, error, sizeof(error));
    }
    return true;
}

static bool start_patch(struct child *patch)
{
    const char *const argv[] = {patch_path, "fullscreen", NULL};
    return child_start(patch, argv);
}

static bool pointer_is_seen(const struct seen *s)
{
    return s->cursor.visible && s->cursor.x == 600 && s->cursor.y == 300 &&
            s->cursor.width > 0;
}

static bool pointer_is_hidden(const struct seen *s)
{
    return !s->cursor.visible;
}

static void test_first_frame(struct ph_desktop *d, struct seen *s)
{
    CHECK(first_frame(d, s));
    CHECK_EQ(s->width, WIDTH);
    CHECK_EQ(s->height, HEIGHT);
    CHECK_EQ(ph_region_pixels(&s->damage), WIDTH * HEIGHT);
}

static void test_pointer_shape(struct seen *s, struct ph_input *input)
{
    input->ops->pointer(input, 600, 300, WIDTH, HEIGHT);
    CHECK(seen_until(s, pointer_is_seen, WAIT_MS));
    CHECK(s->cursor.serial > 0);
    CHECK(s->cursor.hot_x < s->cursor.width);
}

static bool pointer_is_at(struct seen *s, int32_t x)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (s->cursor.x != x && ph_clock_ns() < deadline) {
        seen_frame(s, false, 20);
    }
    return s->cursor.x == x;
}

/* Main loop and frames, until there are as many or too much time is gone. The
 * other's buffers go back meanwhile: else it misses where the pointer is. */
static unsigned frames_until(
        struct seen *s, struct seen *other, unsigned wanted)
{
    unsigned frames = 0;
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (frames < wanted && ph_clock_ns() < deadline) {
        frames += seen_frame(s, false, 20);
        seen_frame(other, false, 0);
    }
    return frames;
}

/* The pointer steps aside and back: pictures without a change; yet it is
 * where the user left it, whatever was under way. plain: sees where. */
static void test_keepalive(struct seen *plain)
{
    const struct ph_desktop_options options = {
            .capture = "mutter",
            .cursor = PH_DESKTOP_CURSOR_EMBEDDED,
            .keepalive = PH_DESKTOP_KEEPALIVE_POINTER,
    };
    char error[256] = "";
    struct seen s;
    struct ph_desktop *d = open_desktop(&options, &s);
    if (!d) {
        return;
    }
    CHECK(first_frame(d, &s));
    struct ph_input *input = d->ops->input(d, error, sizeof(error));
    input->ops->pointer(input, 600, 300, WIDTH, HEIGHT);
    CHECK_EQ(frames_until(&s, plain, 6), 6);
    input->ops->motion(input, 10 * 256, 0);
    CHECK(pointer_is_at(plain, 610));
    CHECK_EQ(frames_until(&s, plain, 3), 3);
    input->ops->pointer(input, WIDTH - 1, 300, WIDTH, HEIGHT);
    CHECK_EQ(frames_until(&s, plain, 5), 5);
    input->ops->destroy(input);
    CHECK(pointer_is_at(plain, WIDTH - 1));
    s.capture->ops->destroy(s.capture);
    ph_desktop_close(d);
}

static void test_changes(struct seen *s, struct child *patch)
{
    s->probe[0] = 100;
    s->probe[1] = 100;
    /* More than once: a window that becomes fullscreen begins anew. */
    bool drawn = false;
    for (int i = 0; i < 10 && !drawn; i++) {
        CHECK(child_send(patch, "rect 0 0 1280 720 203040"));
        CHECK(child_send(patch, "commit"));
        drawn = seen_pixel(s, 0x203040, WAIT_MS / 10);
    }
    CHECK(drawn);
    seen_settle(s);
    CHECK(!seen_frame(s, false, 700)); /* a static screen: none */
    CHECK(child_send(patch, "rect 96 96 8 8 ff2010"));
    CHECK(child_send(patch, "commit"));
    CHECK(seen_pixel(s, 0xff2010, WAIT_MS));
    /* Mutter may have drawn something else in the same frame: once more. */
    for (int i = 0; i < 5 && ph_region_pixels(&s->damage) > 64 * 64; i++) {
        seen_settle(s);
        CHECK(child_send(patch, "rect 96 96 8 8 %s", i % 2 ? "ff2010" : "0"));
        CHECK(child_send(patch, "commit"));
        CHECK(seen_pixel(s, i % 2 ? 0xff2010 : 0, WAIT_MS));
    }
    CHECK(ph_region_pixels(&s->damage) <= 64 * 64);
    CHECK(child_send(patch, "rect 96 96 8 8 ff2010"));
    CHECK(child_send(patch, "commit"));
    CHECK(s->probed == 0xff2010 || seen_pixel(s, 0xff2010, WAIT_MS));
    /* Static, but the whole is wanted; and after nobody looked for long. */
    CHECK(seen_frame(s, true, WAIT_MS));
    CHECK_EQ(ph_region_pixels(&s->damage), WIDTH * HEIGHT);
    CHECK_EQ(s->probed, 0xff2010);
    s->capture->ops->cancel(s->capture);
    int64_t enough = ph_deadline_ms(1500);
    while (ph_clock_ns() < enough) {
        s->capture->ops->dispatch(s->capture);
        g_usleep(20000);
    }
    CHECK(child_send(patch, "rect 96 96 8 8 00ff00"));
    CHECK(child_send(patch, "commit"));
    CHECK(expect(patch, "committed"));
    CHECK(seen_frame(s, false, WAIT_MS));
    CHECK_EQ(ph_region_pixels(&s->damage), WIDTH * HEIGHT);
    CHECK(s->probed == 0x00ff00 || seen_pixel(s, 0x00ff00, WAIT_MS));
}

static void test_keys(struct ph_input *input, struct child *patch)
{
    input->ops->key(input, 30, true);
    CHECK(expect(patch, "key 30 1"));
    input->ops->key(input, 30, true); /* held already: nothing */
    input->ops->key(input, 30, false);
    CHECK(expect(patch, "key 30 0"));
    input->ops->key(input, 42, true);
    CHECK(expect(patch, "modifiers 1 0 0"));
    input->ops->release_all(input);
    CHECK(expect(patch, "modifiers 0 0 0"));
    /* The locks of the viewer's keyboard, before its next key. */
    input->ops->locks(input, true, false);
    CHECK(expect(patch, "modifiers 0 2 0"));
    input->ops->locks(input, true, false);
    input->ops->key(input, 31, true);
    CHECK(expect(patch, "key 31 1"));
    input->ops->key(input, 31, false);
    input->ops->locks(input, false, false);
    CHECK(expect(patch, "modifiers 0 0 0"));
    /* Text of the layout is typed, with Shift where it needs that. */
    input->ops->text(input, "a\nB", 3);
    CHECK(expect(patch, "key 30 1"));
    CHECK(expect(patch, "key 28 1"));
    CHECK(expect(patch, "modifiers 1 0 0"));
    CHECK(expect(patch, "key 48 1"));
    CHECK(expect(patch, "modifiers 0 0 0"));
    /* What it has not is offered to be pasted; keys wait until then. */
    input->ops->text(input, "\xf0\x9f\x8c\xb5", 4);
    input->ops->key(input, 32, true);
    CHECK(expect(patch, "key 135 1"));
    CHECK(expect(patch, "key 47 1"));
    CHECK(expect(patch, "key 47 1"));
    CHECK(expect(patch, "key 32 1"));
    input->ops->key(input, 32, false);
}

static void test_pointer(struct ph_input *input, struct child *patch)
{
    const uint32_t points[][2] = {
            {0, 0}, {1, 1}, {301, 77}, {WIDTH - 1, HEIGHT - 1}};
    char want[64];
    for (size_t i = 0; i < PH_LEN(points); i++) {
        input->ops->pointer(input, points[i][0], points[i][1], WIDTH, HEIGHT);
        snprintf(
                want, sizeof(want), "motion %u %u", points[i][0], points[i][1]);
        CHECK(expect(patch, want));
    }
    input->ops->pointer(input, 100, 200, WIDTH, HEIGHT);
    CHECK(expect(patch, "motion 100 200"));
    input->ops->motion(input, 5 * 256, -3 * 256);
    CHECK(expect(patch, "motion 105 197"));
    input->ops->button(input, 0x110, true);
    CHECK(expect(patch, "button 272 1"));
    input->ops->button(input, 0x113, true);
    CHECK(expect(patch, "button 275 1"));
    input->ops->release_all(input);
    CHECK(expect(patch, "button 272 0"));
    CHECK(expect(patch, "button 275 0"));
    input->ops->wheel(input, 0, 120, false);
    CHECK(expect(patch, "discrete 0 1"));
    input->ops->wheel(input, -240, 0, false);
    CHECK(expect(patch, "discrete 1 -"));
    input->ops->wheel(input, 0, 24, true);
    CHECK(expect(patch, "axis 0 51"));
}

static void test_touch(struct ph_input *input, struct child *patch)
{
    /* Applications learn of fingers with the first one. */
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    char line[CHILD_LINE];
    bool felt = false;
    while (!felt && ph_clock_ns() < deadline) {
        input->ops->touch(input, PH_INPUT_TOUCH_DOWN, 0, 50, 60, WIDTH, HEIGHT);
        felt = child_try(patch, "touch ", line, 300);
        input->ops->touch(input, PH_INPUT_TOUCH_UP, 0, 0, 0, 0, 0);
    }
    CHECK(felt && strstr(line, " 50 60"));
    CHECK(expect(patch, "lifted"));
    input->ops->touch(input, PH_INPUT_TOUCH_DOWN, 0, 50, 60, WIDTH, HEIGHT);
    CHECK(expect(patch, "touch "));
    input->ops->touch(input, PH_INPUT_TOUCH_DOWN, 1, 70, 80, WIDTH, HEIGHT);
    CHECK(expect(patch, "touch "));
    input->ops->touch(input, PH_INPUT_TOUCH_MOVE, 0, 55, 66, WIDTH, HEIGHT);
    CHECK(expect(patch, "moved "));
    input->ops->release_all(input);
    CHECK(expect(patch, "lifted"));
    CHECK(expect(patch, "lifted"));
}

/* Two buffers, and a reader that looks now and then: never a stall, and the
 * last change arrives. */
static void test_slow_reader(struct child *patch)
{
    char error[256] = "";
    const struct ph_mutter_wish wish = {.embed_cursor = true};
    struct ph_mutter_session *session =
            ph_mutter_session_open(&wish, error, sizeof(error));
    if (!CHECK(session)) {
        return;
    }
    const struct ph_mutter_stream_wish two = {
            .node = ph_mutter_session_node(session), .buffers = 2};
    struct ph_mutter_stream *stream =
            ph_mutter_stream_create(&two, NULL, NULL, error, sizeof(error));
    struct ph_mutter_picture p = {0};
    unsigned seen = 0;
    uint32_t last = 0;
    CHECK(stream);
    for (unsigned i = 0; i < 60; i++) {
        CHECK(child_send(patch, "rect 0 0 64 64 %06x", i));
        CHECK(child_send(patch, "commit"));
        CHECK(expect(patch, "committed"));
        ph_mutter_stream_dispatch(stream);
        if (i % 7 == 0 && ph_mutter_stream_peek(stream, &p)) {
            seen++;
            ph_mutter_stream_release(stream);
        }
        g_usleep(20000);
    }
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (last != 59 && ph_clock_ns() < deadline) {
        CHECK(child_send(patch, "rect 0 0 64 64 00003b"));
        CHECK(child_send(patch, "commit"));
        ph_mutter_stream_dispatch(stream);
        if (ph_mutter_stream_peek(stream, &p)) {
            last = p.data[8 * p.stride + 32];
            ph_mutter_stream_release(stream);
        }
        g_usleep(20000);
    }
    CHECK_EQ(last, 59);
    CHECK(seen > 0);
    CHECK(!ph_mutter_stream_failure(stream));
    ph_mutter_stream_destroy(stream);
    ph_mutter_session_close(session);
    ph_mutter_session_unref(session);
}

static bool is_small(const struct seen *s)
{
    return s->width == 640 && s->height == 480;
}

/* A monitor that is made for us has the size that we ask for. */
static void test_virtual(void)
{
    const struct ph_desktop_options options = {
            .capture = "mutter:virtual", .width = 800, .height = 600};
    struct seen seen;
    struct ph_desktop *d = open_desktop(&options, &seen);
    if (!d) {
        return;
    }
    seen.capture->ops->resize(seen.capture, 700, 500, 120); /* not begun yet */
    /* Nobody looks for longer than a first picture may take. */
    int64_t deadline = ph_deadline_ms(UNWATCHED_MS);
    while (seen_serve(&seen, deadline)) {
    }
    CHECK_EQ(seen.lost, 0);
    CHECK(first_frame(d, &seen));
    CHECK(seen.width == 700 && seen.height == 500);
    seen_settle(&seen);
    seen.capture->ops->resize(seen.capture, 640, 480, 120);
    while (!is_small(&seen) && seen_frame(&seen, false, WAIT_MS)) {
    }
    CHECK(is_small(&seen));
    CHECK_EQ(ph_region_pixels(&seen.damage), 640 * 480);
    CHECK_EQ(seen.bad + seen.empty, 0);
    seen.capture->ops->destroy(seen.capture);
    ph_desktop_close(d);
}

/* --- clipboard: between two sessions --- */

struct clip {
    struct ph_clipboard *clipboard;
    char types[512];
    unsigned changes;
    GBytes *got;
    char *reason;
    bool done;
};

static void on_changed(void *data, const char *const *types, size_t count)
{
    struct clip *c = data;
    g_autofree char **copy = g_new0(char *, count + 1);
    memcpy(copy, types, count * sizeof(*copy));
    g_autofree char *joined = g_strjoinv(" ", copy);
    snprintf(c->types, sizeof(c->types), "%s", joined);
    c->changes++;
}

static void on_read(void *user, const char *type, const uint8_t *data,
        size_t size, const char *reason)
{
    struct clip *c = user;
    g_clear_pointer(&c->got, g_bytes_unref);
    g_free(c->reason);
    c->got = data ? g_bytes_new(data, size) : NULL;
    c->reason = g_strdup(reason);
    c->done = true;
}

static const struct ph_clipboard_events clip_events = {on_changed};

static bool spin(const bool *flag, const unsigned *count)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (!(flag ? *flag : *count > 0)) {
        if (ph_clock_ns() > deadline) {
            return false;
        }
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    return true;
}

static void read_clip(struct clip *c, const char *type, size_t most)
{
    c->done = false;
    c->clipboard->ops->read(c->clipboard, type, most, on_read, c);
    CHECK(spin(&c->done, NULL));
}

static void test_clipboard(struct ph_desktop *a, struct ph_desktop *b)
{
    enum {
        LARGE = 3 << 20
    };
    char error[256];
    struct clip from = {0};
    struct clip to = {0};
    from.clipboard =
            a->ops->clipboard(a, &clip_events, &from, error, sizeof(error));
    to.clipboard =
            b->ops->clipboard(b, &clip_events, &to, error, sizeof(error));
    from.clipboard->ops->offer(from.clipboard, "text/plain;charset=utf-8",
            (const uint8_t *)"gr\xc3\xbc\xc3\x9f dich", 11);
    CHECK(spin(NULL, &to.changes));
    CHECK(strstr(to.types, "text/plain;charset=utf-8"));
    CHECK(strstr(to.types, "UTF8_STRING"));
    CHECK_EQ(from.changes, 0);
    read_clip(&to, "text/plain", 100);
    if (CHECK(to.got)) {
        CHECK_EQ(g_bytes_get_size(to.got), 11);
    }
    read_clip(&to, "text/plain", 4);
    CHECK(!to.got && to.reason);
    read_clip(&to, "image/png", 100);
    CHECK(!to.got && to.reason);
    to.changes = 0;
    g_autofree uint8_t *large = g_malloc(LARGE);
    for (size_t i = 0; i < LARGE; i++) {
        large[i] = (uint8_t)(i * 7 + (i >> 9));
    }
    from.clipboard->ops->offer(from.clipboard, "image/png", large, LARGE);
    CHECK(spin(NULL, &to.changes));
    CHECK_STR(to.types, "image/png");
    read_clip(&to, "image/png", LARGE);
    if (CHECK(to.got) && CHECK_EQ(g_bytes_get_size(to.got), LARGE)) {
        CHECK_MEM(g_bytes_get_data(to.got, NULL), large, LARGE);
    }
    /* One that is not over when the clipboard goes ends, too. */
    to.done = false;
    to.clipboard->ops->read(to.clipboard, "image/png", LARGE, on_read, &to);
    to.clipboard->ops->destroy(to.clipboard);
    CHECK(to.done);
    from.clipboard->ops->destroy(from.clipboard);
    g_clear_pointer(&to.got, g_bytes_unref);
    g_free(to.reason);
}

static bool is_lost(const struct seen *s)
{
    return s->lost > 0;
}

/* The compositor dies and comes back: so do capture and input. */
static void test_restart(
        struct ph_desktop *d, struct seen *s, struct ph_input *input)
{
    char error[256] = "";
    uint32_t pid = 0;
    struct child again = {0};
    struct child patch = {0};
    const char *pid_text = getenv("MUTTER_PID");
    const char *const argv[] = {"sh", "-c", "exec $MUTTER_AGAIN", NULL};
    if (!CHECK(pid_text && ph_parse_u32(pid_text, 2, INT32_MAX, &pid))) {
        return;
    }
    input->ops->key(input, 30, true);
    CHECK_EQ(kill((pid_t)pid, SIGKILL), 0);
    CHECK(seen_until(s, is_lost, WAIT_MS));
    CHECK_EQ(s->lost, 1);
    s->capture->ops->destroy(s->capture);
    s->capture = d->ops->capture(d, &seen_events, s, error, sizeof(error));
    CHECK(!s->capture);
    CHECK(strstr(error, "Mutter"));
    CHECK(child_start(&again, argv));
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (!s->capture && ph_clock_ns() < deadline) {
        g_usleep(50000);
        s->capture = d->ops->capture(d, &seen_events, s, error, sizeof(error));
    }
    if (CHECK(s->capture) && CHECK(start_patch(&patch))) {
        s->lost = 0;
        s->cursor.serial = 0; /* it counts anew */
        CHECK(first_frame(d, s));
        CHECK(expect(&patch, "size 1280 720"));
        CHECK(child_send(&patch, "rect 0 0 1280 720 102030"));
        CHECK(child_send(&patch, "commit"));
        CHECK(expect(&patch, "focus"));
        input->ops->key(input, 30, true);
        CHECK(expect(&patch, "key 30 1"));
    }
    child_stop(&patch);
    if (s->capture) {
        s->capture->ops->destroy(s->capture);
        s->capture = NULL;
    }
    child_stop(&again);
}

static void test_failures(void)
{
    char error[256] = "";
    const struct ph_desktop_options what = {.capture = "mutter:what"};
    CHECK(!ph_desktop_open(&what, error, sizeof(error)));
    CHECK(strstr(error, "mutter:what"));
    const struct ph_desktop_options output = {
            .capture = "mutter", .output = "HDMI-7"};
    struct ph_desktop *d = ph_desktop_open(&output, error, sizeof(error));
    if (CHECK(d)) {
        CHECK(!d->ops->capture(d, &seen_events, NULL, error, sizeof(error)));
        CHECK(strstr(error, "RecordMonitor"));
        ph_desktop_close(d);
    }
}

int main(int argc, char **argv)
{
    char error[256] = "";
    const struct ph_desktop_options options = {.capture = "mutter", .fps = 60};
    struct seen seen;
    struct seen other;
    struct child patch = {0};
    if (argc != 2) {
        return 2;
    }
    patch_path = argv[1];
    test_failures();
    struct ph_desktop *d = open_desktop(&options, &seen);
    if (!d) {
        return CHECK_DONE();
    }
    struct ph_input *input = d->ops->input(d, error, sizeof(error));
    test_first_frame(d, &seen);
    test_pointer_shape(&seen, input);
    test_keepalive(&seen);
    CHECK(start_patch(&patch));
    CHECK(expect(&patch, "size 1280 720"));
    test_changes(&seen, &patch);
    input->ops->pointer(input, 610, 310, WIDTH, HEIGHT);
    CHECK(expect(&patch, "motion 610 310"));
    CHECK(seen_until(&seen, pointer_is_hidden, WAIT_MS));
    test_keys(input, &patch);
    test_pointer(input, &patch);
    test_touch(input, &patch);
    test_slow_reader(&patch);
    test_virtual();
    struct ph_desktop *second = open_desktop(&options, &other);
    if (second) {
        test_clipboard(d, second);
        other.capture->ops->destroy(other.capture);
        ph_desktop_close(second);
    }
    test_restart(d, &seen, input);
    CHECK_EQ(seen.bad + seen.empty, 0);
    child_stop(&patch);
    input->ops->key(input, 30, true); /* nobody there: dropped */
    input->ops->destroy(input);
    ph_desktop_close(d);
    return CHECK_DONE();
}
