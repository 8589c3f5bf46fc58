/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What viewers and the desktop share besides the picture: the pointer, the
 * clipboard, who drives and how large it is; and held keys. */
#include <glib/gstdio.h>

#include "hub_fakes.h"

#include "deskd/clipboard_hub.h"

static uint8_t buf[4096];

static void say_piece(struct pipe *p, uint8_t type,
        const struct ph_stream_piece *piece, const void *data)
{
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_stream_write_piece(&w, type, piece);
    ph_write_bytes(&w, data, piece->size);
    CHECK(w.ok);
    say(p, &w);
}

static void say_resize(struct pipe *p, uint16_t width, uint16_t height)
{
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_resize r = {width, height, width ? 120 : 60};
    ph_stream_write_resize(&w, 0, &r);
    say(p, &w);
}

static void test_rarer_input(void)
{
    struct pipe p, view;
    struct ph_hub *hub = start(4);
    connect(hub, &view);
    say_auth(&view, VIEW);
    join(hub, &p);
    struct pipe *both[] = {&view, &p};
    for (size_t i = 0; i < 2; i++) {
        struct ph_writer w = ph_writer(buf, sizeof(buf));
        ph_stream_write_typed(&w, 0, "\xc3\xa9", 2);
        say(both[i], &w);
        w = ph_writer(buf, sizeof(buf));
        struct ph_stream_motion m = {-3, 4};
        ph_stream_write_motion(&w, 0, &m);
        say(both[i], &w);
        w = ph_writer(buf, sizeof(buf));
        struct ph_stream_locks l = {true, false};
        ph_stream_write_locks(&w, 0, &l);
        say(both[i], &w);
    }
    expect_input("t2 m-3,4 l10 ");
    stop(hub);
}

static void say_touch(struct pipe *p, uint8_t what, uint16_t finger)
{
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_touch t = {what, finger, {9, 19, 100, 100}};
    ph_stream_write_touch(&w, 0, &t);
    say(p, &w);
}

/* A finger is its viewer's until it is up, or the viewer away. */
static void test_fingers(void)
{
    struct pipe a, b;
    struct ph_hub *hub = start(4);
    join(hub, &a);
    join(hub, &b);
    say_touch(&a, PH_INPUT_TOUCH_DOWN, 0);
    say_touch(&b, PH_INPUT_TOUCH_DOWN, 0);
    say_touch(&b, PH_INPUT_TOUCH_MOVE, 0);
    say_touch(&b, PH_INPUT_TOUCH_UP, 0);
    say_touch(&a, PH_INPUT_TOUCH_MOVE, 0);
    say_touch(&b, PH_INPUT_TOUCH_DOWN, 1);
    expect_input("f0D9,19 f0M9,19 f1D9,19 ");
    say_touch(&a, PH_INPUT_TOUCH_UP, 0);
    hang_up(&b);
    expect_input("f0U0,0 f1C0,0 ");
    stop(hub);
}

static void test_held(void)
{
    struct pipe p;
    struct ph_hub *hub = start(4);
    join(hub, &p);
    struct ph_viewer *v = p.base.data;
    CHECK(!ph_viewer_check_held(v));
    say_press(&p, KEY_A, true);
    CHECK(v->held_timer);
    advance(PH_VIEWER_HELD_MS - 1);
    CHECK(ph_viewer_check_held(v));
    say_empty(&p, PH_STREAM_HELD);
    advance(PH_VIEWER_HELD_MS - 1);
    CHECK(ph_viewer_check_held(v));
    expect_input("+30 ");
    advance(1);
    CHECK(!ph_viewer_check_held(v));
    expect_input("-30 ");
    stop(hub);
}

static uint32_t shape_serial;

static void show_cursor(struct ph_hub *hub, int32_t x, bool news)
{
    static struct ph_unit *shape;
    if (news) {
        shape = ph_unit_create(16);
        shape_serial++;
    }
    struct ph_source_cursor c = {.visible = true,
            .x = x,
            .y = 5,
            .serial = shape_serial,
            .width = 2,
            .height = 2,
            .shape = shape};
    ph_hub_source_events.cursor(hub, &c);
    if (news) {
        ph_unit_unref(shape);
    }
}

/* A shape goes once to each viewer, also to one that comes late; moves that
 * a viewer was too slow for are one. */
static void test_cursor(void)
{
    struct pipe a, b;
    struct ph_hub *hub = start(4);
    join(hub, &a);
    CHECK_STR(a.log, "W");
    show_cursor(hub, 1, true);
    show_cursor(hub, 2, false);
    CHECK_STR(a.log, "WNM");
    join(hub, &b);
    CHECK_STR(b.log, "WN");
    a.stuck = true;
    show_cursor(hub, 3, false);
    show_cursor(hub, 4, false);
    show_cursor(hub, 5, true);
    show_cursor(hub, 6, true);
    CHECK_STR(a.log, "WNMM");
    drain(&a);
    CHECK_STR(a.log, "WNMMN");
    CHECK_STR(b.log, "WNMMNN");
    stop(hub);
}

/* --- the clipboard --- */

static struct {
    struct ph_clipboard base;
    char offered[64];
    int offers;
    ph_clipboard_read_done *done;
    void *user;
    char type[64];
} desktop;

static void clip_read(struct ph_clipboard *clipboard, const char *type,
        size_t most, ph_clipboard_read_done *done, void *user)
{
    CHECK_EQ(most, PH_STREAM_MAX_CLIPBOARD);
    desktop.done = done;
    desktop.user = user;
    g_strlcpy(desktop.type, type, sizeof(desktop.type));
}

static void clip_offer(struct ph_clipboard *clipboard, const char *type,
        const uint8_t *data, size_t size)
{
    desktop.offers++;
    snprintf(desktop.offered, sizeof(desktop.offered), "%s %.*s", type,
            (int)PH_MIN(size, 20U), (const char *)data);
}

static void clip_destroy(struct ph_clipboard *clipboard)
{
}

static struct ph_hub *start_clipboard(void)
{
    static const struct ph_clipboard_ops ops = {
            "test", clip_read, clip_offer, clip_destroy};
    memset(&desktop, 0, sizeof(desktop));
    shared_clipboard = ph_clipboard_hub_create();
    desktop.base = (struct ph_clipboard){
            &ops, &ph_clipboard_hub_events, shared_clipboard};
    ph_clipboard_hub_attach(shared_clipboard, &desktop.base);
    return start(4);
}

static void copy_there(const char *type, const void *data, size_t size)
{
    const char *types[] = {"text/html", type};
    desktop.base.events->changed(desktop.base.data, types, 2);
    CHECK_STR(desktop.type, type);
    desktop.done(desktop.user, type, data, size, data ? NULL : "a test");
}

/* To who drives only; large ones in pieces, behind frames. */
static void test_copy_there(void)
{
    struct pipe a, b, view;
    struct ph_hub *hub = start_clipboard();
    GByteArray *got = g_byte_array_new();
    g_autofree char *large = g_strnfill(100000, 'x');
    join(hub, &a);
    a.pasted = got;
    join(hub, &b);
    connect(hub, &view);
    say_auth(&view, VIEW);
    copy_there("UTF8_STRING", "hello", 5);
    say_press(&a, KEY_A, true);
    CHECK_STR(a.log, "W"); /* first of all a picture */
    give_unit(hub, true, 10);
    CHECK_STR(a.log, "WCKB");
    CHECK_EQ(got->len, 5);
    say_press(&a, KEY_A, false);
    CHECK_STR(a.log, "WCKB");

    g_byte_array_set_size(got, 0);
    a.stuck = true;
    copy_there("image/png", large, 100000);
    CHECK_STR(a.log, "WCKBB");
    give_unit(hub, false, 10);
    a.busy = false;
    a.base.events->writable(a.base.data);
    CHECK_STR(a.log, "WCKBBF"); /* before the next piece */
    drain(&a);
    CHECK_STR(a.log, "WCKBBFBBBBBB");
    CHECK_EQ(got->len, 100000);
    CHECK(memcmp(got->data, large, 100000) == 0);

    copy_there("image/png", NULL, 0); /* could not be read */
    copy_there("STRING", "\xff", 1); /* nor is that text */
    const char *secret[] = {"text/plain", "x-kde-passwordManagerHint"};
    desktop.type[0] = 0;
    desktop.base.events->changed(desktop.base.data, secret, 2);
    CHECK_STR(desktop.type, "");
    CHECK_STR(a.log, "WCKBBFBBBBBB");
    CHECK_STR(view.log, "WCKF");
    stop(hub);
    g_byte_array_unref(got);
}

static void test_copy_here(void)
{
    struct pipe a, b, view;
    struct ph_hub *hub = start_clipboard();
    join(hub, &a);
    join(hub, &b);
    give_unit(hub, true, 10);
    connect(hub, &view);
    say_auth(&view, VIEW);
    struct ph_stream_piece piece = {.flags = PH_STREAM_PIECE_FIRST,
            .total = 6,
            .name = PH_CLIP_TEXT,
            .size = 3};
    say_piece(&view, PH_STREAM_CLIPBOARD, &piece, "abc");
    CHECK_STR(view.log, "WC");
    say_piece(&a, PH_STREAM_CLIPBOARD, &piece, "abc");
    CHECK_EQ(a.progress.code, PH_STREAM_PROGRESS_MORE);
    CHECK_EQ(a.progress.received, 3);
    CHECK_EQ(desktop.offers, 0);
    piece.flags = PH_STREAM_PIECE_LAST;
    say_piece(&a, PH_STREAM_CLIPBOARD, &piece, "def");
    CHECK_EQ(a.progress.code, PH_STREAM_PROGRESS_DONE);
    CHECK_STR(desktop.offered, PH_CLIP_TEXT " abcdef");
    say_press(&b, KEY_A, true); /* who drives now can paste it as well */
    CHECK_STR(b.log, "WCKB");

    piece.flags = PH_STREAM_PIECE_FIRST | PH_STREAM_PIECE_LAST;
    piece.total = 3;
    g_strlcpy(piece.name, "text/html", sizeof(piece.name));
    say_piece(&a, PH_STREAM_CLIPBOARD, &piece, "<p>");
    CHECK_EQ(a.progress.code, PH_STREAM_PROGRESS_FAILED);
    piece.total = 2;
    say_piece(&a, PH_STREAM_CLIPBOARD, &piece, "<p>");
    CHECK_EQ(a.progress.code, PH_STREAM_PROGRESS_FAILED);
    piece.total = 4;
    say_piece(&a, PH_STREAM_CLIPBOARD, &piece, "<p>");
    CHECK_EQ(a.progress.code, PH_STREAM_PROGRESS_FAILED);
    CHECK_EQ(desktop.offers, 1);
    stop(hub);
}

static void test_resize(void)
{
    struct pipe a, b, view;
    struct ph_hub *hub = start(4);
    join(hub, &a);
    join(hub, &b);
    connect(hub, &view);
    say_auth(&view, VIEW);
    say_resize(&view, 640, 480);
    CHECK_EQ(source.asked[0], 0);
    say_resize(&a, 800, 600); /* nobody drives yet */
    CHECK_EQ(source.asked[0], 800);
    CHECK_EQ(source.asked[2], 120);
    say_press(&b, KEY_A, true);
    say_resize(&a, 1024, 768);
    CHECK_EQ(source.asked[0], 800);
    say_press(&a, KEY_B, true);
    CHECK_EQ(source.asked[0], 1024);
    say_resize(&a, 0, 0);
    CHECK_EQ(source.asked[0], 1024);
    stop(hub);
}

/* Two outputs: their hubs have the clipboard and the number of viewers in
 * common; what is held, and the size, is each one's own. */
static void test_two_outputs(void)
{
    struct pipe a, b, c;
    struct ph_source other_source = {0};
    uint32_t crowd = 0;
    struct ph_hub *one = start_clipboard();
    struct ph_hub_options options = {.auth = &auth,
            .name = "test",
            .output = "second",
            .clipboard = shared_clipboard,
            .max_viewers = 2,
            .crowd = &crowd,
            .clock = test_clock};
    ph_hub_destroy(one);
    one = ph_hub_create(&options);
    struct ph_hub *two = ph_hub_create(&options);
    ph_hub_attach(one, &source, &input);
    ph_hub_attach(two, &other_source, &input);
    join(one, &a);
    join(two, &b);
    CHECK_EQ(crowd, 2);
    connect(two, &c);
    say_auth(&c, VIEW);
    expect_goodbye(&c, PH_STREAM_TOO_MANY);
    give_unit(one, true, 10);
    give_unit(two, true, 10);

    say_press(&a, KEY_A, true);
    say_press(&b, KEY_A, true);
    expect_input("+30 +30 ");
    hang_up(&b);
    expect_input("-30 ");
    CHECK_EQ(crowd, 1);
    advance(1000);
    join(two, &b);
    give_unit(two, true, 10);
    say_resize(&a, 800, 600);
    say_resize(&b, 640, 480);
    CHECK_EQ(source.asked[0], 800);
    CHECK_EQ(other_source.asked[0], 640);

    say_press(&a, KEY_A, false);
    expect_input("-30 ");
    copy_there("UTF8_STRING", "hello", 5); /* to who drove last, of all */
    CHECK_STR(a.log, "WCKB");
    CHECK_STR(b.log, "WCK");
    say_press(&b, KEY_B, true);
    CHECK_STR(b.log, "WCKB");
    say_press(&b, KEY_B, false);
    CHECK_STR(b.log, "WCKB");
    struct ph_stream_piece piece = {
            .flags = PH_STREAM_PIECE_FIRST | PH_STREAM_PIECE_LAST,
            .total = 2,
            .name = PH_CLIP_TEXT,
            .size = 2};
    say_piece(&b, PH_STREAM_CLIPBOARD, &piece, "hi");
    CHECK_EQ(desktop.offers, 1);
    CHECK_STR(a.log, "WCKB");
    ph_hub_destroy(two);
    stop(one);
}

/* --- files --- */

static void check_file(const char *folder, const char *name, const char *want)
{
    g_autofree char *path = g_build_filename(folder, name, NULL);
    g_autofree char *text = NULL;
    CHECK(g_file_get_contents(path, &text, NULL, NULL));
    CHECK_STR(text ? text : "", want);
    g_unlink(path);
}

static void test_files(void)
{
    g_autofree char *folder = g_dir_make_tmp("porthole-XXXXXX", NULL);
    struct pipe p, view;
    struct ph_hub_options options = {.auth = &auth,
            .name = "test",
            .downloads = folder,
            .max_viewers = 2,
            .clock = test_clock};
    struct ph_hub *hub = ph_hub_create(&options);
    ph_hub_attach(hub, &source, &input);
    join(hub, &p);
    connect(hub, &view);
    say_auth(&view, VIEW);
    struct ph_stream_piece piece = {
            .flags = PH_STREAM_PIECE_FIRST | PH_STREAM_PIECE_LAST,
            .id = 1,
            .total = 2,
            .name = "../x/a.tar.gz",
            .size = 2};
    say_piece(&view, PH_STREAM_FILE, &piece, "no");
    say_piece(&p, PH_STREAM_FILE, &piece, "hi");
    CHECK_EQ(p.progress.code, PH_STREAM_PROGRESS_DONE);
    CHECK_STR(p.progress.text, "a.tar.gz");
    piece.id = 2;
    say_piece(&p, PH_STREAM_FILE, &piece, "ho");
    CHECK_STR(p.progress.text, "a (1).tar.gz");
    check_file(folder, "a.tar.gz", "hi");
    check_file(folder, "a (1).tar.gz", "ho");

    piece.id = 3;
    piece.total = 1;
    say_piece(&p, PH_STREAM_FILE, &piece, "ho"); /* too much */
    CHECK_EQ(p.progress.code, PH_STREAM_PROGRESS_FAILED);
    piece.total = 3;
    say_piece(&p, PH_STREAM_FILE, &piece, "ho"); /* too little */
    CHECK_EQ(p.progress.code, PH_STREAM_PROGRESS_FAILED);
    piece.flags = PH_STREAM_PIECE_FIRST; /* never ends */
    say_piece(&p, PH_STREAM_FILE, &piece, "ho");
    stop(hub);
    CHECK_EQ(g_rmdir(folder), 0); /* nothing is left */
}

static void test_names(void)
{
    static const char *const names[][2] = {{"a.txt", "a.txt"},
            {"/etc/passwd", "passwd"}, {"..\\..\\boot.ini", "boot.ini"},
            {"..", "_."}, {".bashrc", "_bashrc"}, {"", "file"}, {"a/", "file"},
            {"a\nb\x7f", "a_b_"}, {"\xff", "\xef\xbf\xbd"}};
    char out[PH_DOWNLOAD_MAX_NAME + 1];
    for (size_t i = 0; i < PH_LEN(names); i++) {
        ph_download_safe_name(names[i][0], out);
        CHECK_STR(out, names[i][1]);
    }
    char longest[300 * 2 + 1] = "";
    for (size_t i = 0; i < 600; i += 2) {
        memcpy(longest + i, "\xc3\xa9", 2);
    }
    ph_download_safe_name(longest, out);
    CHECK(g_utf8_validate(out, -1, NULL));
    CHECK(strlen(out) > 200 && strlen(out) <= PH_DOWNLOAD_MAX_NAME - 7);
}

int main(void)
{
    test_rarer_input();
    test_fingers();
    test_held();
    test_cursor();
    test_copy_there();
    test_copy_here();
    test_resize();
    test_two_outputs();
    test_files();
    test_names();
    return CHECK_DONE();
}
