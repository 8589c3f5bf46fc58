/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The clipboard of a real X server against xclip: run under xvfb.sh. */
#include <glib.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/macros.h"
#include "deskd/desktop_x11.h"
#include "unit/check.h"
#include "x11/x11.h"

#define WAIT_MS 20000
#define TEXT "text/plain;charset=utf-8"
#define PNG "image/png"
#define LARGE (3u << 20)
#define LIMIT (16u << 20)

struct seen {
    unsigned changes;
    char types[256]; /* with commas */
    unsigned reads;
    GByteArray *data; /* NULL: the newest read had none */
    char reason[128];
};

static void on_changed(void *data, const char *const *types, size_t count)
{
    struct seen *s = data;
    s->changes++;
    s->types[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        g_strlcat(s->types, types[i], sizeof(s->types));
        g_strlcat(s->types, ",", sizeof(s->types));
    }
}

static void on_read(void *user, const char *type, const uint8_t *data,
        size_t size, const char *reason)
{
    struct seen *s = user;
    s->reads++;
    g_clear_pointer(&s->data, g_byte_array_unref);
    g_strlcpy(s->reason, reason, sizeof(s->reason));
    if (data) {
        s->data = g_byte_array_new();
        g_byte_array_append(s->data, data, (guint)size);
    }
}

static const struct ph_clipboard_events events = {.changed = on_changed};

static void serve(void)
{
    while (g_main_context_iteration(NULL, FALSE)) {
    }
    g_usleep(2000);
}

static bool until_types(struct seen *s, const char *types)
{
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    while (strcmp(s->types, types) != 0 && ph_clock_ns() < deadline) {
        serve();
    }
    return CHECK_STR(s->types, types);
}

static bool read_now(
        struct ph_clipboard *c, struct seen *s, const char *type, size_t most)
{
    unsigned before = s->reads;
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    c->ops->read(c, type, most, on_read, s);
    while (s->reads == before && ph_clock_ns() < deadline) {
        serve();
    }
    return CHECK_EQ(s->reads, before + 1);
}

static bool is_done(const char *name)
{
    g_autofree char *path = g_build_filename(getenv("HOME"), name, NULL);
    return access(path, F_OK) == 0 && unlink(path) == 0;
}

/* Runs a command in the private folder while the clipboard is served. */
static void run(const char *command)
{
    g_autofree char *line = g_strdup_printf(
            "cd \"$HOME\" && { %s ; echo >done.new; mv done.new done; } &",
            command);
    int64_t deadline = ph_deadline_ms(WAIT_MS);
    CHECK_EQ(system(line), 0);
    while (!is_done("done")) {
        serve();
        if (!CHECK(ph_clock_ns() < deadline)) {
            fprintf(stderr, "%s\n", command);
            return;
        }
    }
}

static void write_file(const char *name, const uint8_t *data, size_t size)
{
    g_autofree char *path = g_build_filename(getenv("HOME"), name, NULL);
    CHECK(g_file_set_contents(path, (const char *)data, (gssize)size, NULL));
}

static void check_file(const char *name, const void *want, size_t size)
{
    g_autofree char *path = g_build_filename(getenv("HOME"), name, NULL);
    g_autofree char *text = NULL;
    gsize len = 0;
    CHECK(g_file_get_contents(path, &text, &len, NULL));
    if (CHECK_EQ(len, size)) {
        CHECK_MEM(text, want, size);
    }
}

static uint8_t *make_large(void)
{
    uint8_t *data = g_malloc(LARGE);
    for (uint32_t i = 0; i < LARGE; i++) {
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    }
    return data;
}

/* What other programs copy. */
static void test_from_desktop(
        struct ph_clipboard *c, struct seen *s, const uint8_t *large)
{
    static const char text[] = "Grüße 🎉\nzwei";
    write_file("text", (const uint8_t *)text, strlen(text));
    write_file("large", large, LARGE);
    run("xclip -selection clipboard -i text");
    CHECK(until_types(s, TEXT ","));
    CHECK(read_now(c, s, TEXT, LIMIT));
    if (CHECK(s->data) && CHECK_EQ(s->data->len, strlen(text))) {
        CHECK_MEM(s->data->data, text, strlen(text));
    }
    CHECK(read_now(c, s, PNG, LIMIT));
    CHECK(!s->data);
    CHECK(read_now(c, s, TEXT, 3));
    CHECK(!s->data);
    CHECK_STR(s->reason, "it is too large");
    /* In pieces. */
    run("xclip -selection clipboard -t image/png -i large");
    CHECK(until_types(s, PNG ","));
    CHECK(read_now(c, s, PNG, LIMIT));
    if (CHECK(s->data) && CHECK_EQ(s->data->len, LARGE)) {
        CHECK_MEM(s->data->data, large, LARGE);
    }
    CHECK(read_now(c, s, PNG, LARGE - 1));
    CHECK(!s->data);
    CHECK_STR(s->reason, "it is too large");
    /* And once more after that was broken off. */
    CHECK(read_now(c, s, PNG, LARGE));
    CHECK(s->data);
}

/* What a viewer copies. */
static void test_to_desktop(
        struct ph_clipboard *c, struct seen *s, const uint8_t *large)
{
    static const char text[] = "von außen €";
    unsigned before = s->changes;
    c->ops->offer(c, TEXT, (const uint8_t *)text, strlen(text));
    run("xclip -selection clipboard -o >got");
    check_file("got", text, strlen(text));
    run("xclip -selection clipboard -o -t STRING >got");
    check_file("got",
            "von au\xdf"
            "en ?",
            11);
    run("xclip -selection clipboard -o -t TARGETS | grep -c UTF8_STRING >got");
    check_file("got", "1\n", 2);
    run("xclip -selection clipboard -o -t image/png >got 2>/dev/null");
    check_file("got", "", 0);
    CHECK(read_now(c, s, TEXT, LIMIT));
    CHECK(s->data && s->data->len == strlen(text));
    /* In pieces, to two at the same time. */
    c->ops->offer(c, PNG, large, LARGE);
    run("xclip -selection clipboard -o -t image/png >got & "
        "xclip -selection clipboard -o -t image/png >got2; wait");
    check_file("got", large, LARGE);
    check_file("got2", large, LARGE);
    c->ops->offer(c, "application/x-unknown", large, 5);
    CHECK_EQ(s->changes, before); /* our own is not told */
    /* Somebody else copies after us. */
    run("xclip -selection clipboard -i text");
    CHECK(until_types(s, TEXT ","));
}

/* An owner that never answers, and one that goes. */
static void test_silence(struct ph_clipboard *c, struct seen *s)
{
    char error[256] = "";
    struct ph_x11 x;
    unsigned reads = s->reads;
    if (!CHECK(ph_x11_connect(&x, NULL, error, sizeof(error)))) {
        return;
    }
    xcb_window_t window = xcb_generate_id(x.conn);
    xcb_create_window(x.conn, XCB_COPY_FROM_PARENT, window, x.root, 0, 0, 1, 1,
            0, XCB_WINDOW_CLASS_INPUT_ONLY, XCB_COPY_FROM_PARENT, 0, NULL);
    g_autofree xcb_intern_atom_reply_t *atom = xcb_intern_atom_reply(x.conn,
            xcb_intern_atom(x.conn, false, strlen("CLIPBOARD"), "CLIPBOARD"),
            NULL);
    c->ops->read(c, TEXT, LIMIT, on_read, s);
    xcb_set_selection_owner(x.conn, window, atom->atom, XCB_CURRENT_TIME);
    xcb_flush(x.conn);
    c->ops->read(c, TEXT, LIMIT, on_read, s);
    for (int i = 0; i < 50; i++) {
        serve();
    }
    c->ops->destroy(c); /* ends what has not come */
    CHECK_EQ(s->reads, reads + 2);
    CHECK(!s->data);
    ph_x11_finish(&x);
}

static void test_owner_ends(struct ph_clipboard *c, struct seen *s)
{
    run("xclip -selection clipboard -l 1 -i text");
    CHECK(until_types(s, TEXT ","));
    run("xclip -selection clipboard -o >got");
    run("xclip -selection clipboard -o >got 2>/dev/null");
    CHECK(until_types(s, ""));
}

int main(void)
{
    char error[256] = "";
    struct seen seen = {0};
    g_autofree uint8_t *large = make_large();
    CHECK(!ph_clipboard_x11_create(
            ":99999", &events, &seen, error, sizeof(error)));
    CHECK(strstr(error, ":99999"));
    struct ph_clipboard *c =
            ph_clipboard_x11_create(NULL, &events, &seen, error, sizeof(error));
    if (!CHECK(c)) {
        fprintf(stderr, "%s\n", error);
        return CHECK_DONE();
    }
    test_from_desktop(c, &seen, large);
    test_to_desktop(c, &seen, large);
    test_owner_ends(c, &seen);
    test_silence(c, &seen);
    g_clear_pointer(&seen.data, g_byte_array_unref);
    return CHECK_DONE();
}
