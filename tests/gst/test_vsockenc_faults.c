/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element with hosts that are not there, go away, are slow, talk nonsense:
 * every frame comes out, or one error says why, in time.
 */
#include "gst_test.h"

#include <glib/gstdio.h>
#include <signal.h>

#include "common/clock.h"
#include "integration/child.h"
#include "integration/decode.h"

enum {
    FRAMES = 12,
    AT = 5, /* the frame that meets the trick */
    WIDTH = 322,
    HEIGHT = 178,
};

static const char *hostd;

/* A host that fails once: the frames are sent again. told: whether the bus
 * hears of it. */
static void test_trick(
        enum fake_kind kind, enum fake_trick trick, unsigned timeout, bool told)
{
    struct gst_test_host host;
    struct gst_test t;
    char text[256] = "";
    gst_test_host_start(&host, kind, trick, AT);
    gst_test_begin(&t, &host, timeout);
    gst_test_set_caps(&t, "BGRx", WIDTH, HEIGHT);
    CHECK_EQ(gst_test_push(&t, FRAMES), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(gst_test_messages(&t, GST_MESSAGE_WARNING, text, sizeof(text)),
            told);
    CHECK_EQ(gst_test_messages(&t, GST_MESSAGE_ERROR, text, sizeof(text)), 0);
    if (told) {
        CHECK(gst_test_stat(&t, "lost") > 0);
        CHECK(t.keyframes >= 2);
    }
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static void test_tricks(void)
{
    static const enum fake_trick tricks[] = {TRICK_HANG_UP, TRICK_GARBAGE,
            TRICK_HUGE, TRICK_WRONG_SEQUENCE, TRICK_FAIL, TRICK_EMPTY};
    for (size_t i = 0; i < G_N_ELEMENTS(tricks); i++) {
        test_trick(FAKE_MEMFD, tricks[i], 20000, true);
        test_trick(FAKE_TILES, tricks[i], 20000, true);
    }
    test_trick(FAKE_TILES, TRICK_MUTE, 1000, true);
    test_trick(FAKE_V1_PONG, TRICK_FAIL, 20000, true);
    test_trick(FAKE_V1_PONG, TRICK_GARBAGE, 20000, true);
    /* A version 1 host may close what is idle: no event. */
    test_trick(FAKE_V1_PONG, TRICK_HANG_UP, 20000, false);
}

/* One error that says why, not much later than it should. */
static void check_error(struct gst_test *t, unsigned timeout, const char *why)
{
    char text[256] = "";
    int64_t begin = ph_clock_ns();
    gst_test_set_caps(t, "NV12", 64, 48);
    GstFlowReturn r = gst_test_push(t, 10);
    CHECK_EQ(r, GST_FLOW_ERROR);
    int64_t took_ms = (ph_clock_ns() - begin) / PH_NS_PER_MS;
    CHECK(took_ms >= timeout - 1 && took_ms < timeout + 10000);
    CHECK_EQ(gst_test_messages(t, GST_MESSAGE_ERROR, text, sizeof(text)), 1);
    if (!CHECK(strstr(text, why) != NULL)) {
        fprintf(stderr, "not '%s' but: %s\n", why, text);
    }
    CHECK_EQ(gst_test_messages(t, GST_MESSAGE_WARNING, text, sizeof(text)), 0);
    /* And it stays so. */
    CHECK_EQ(gst_test_push(t, 1), GST_FLOW_ERROR);
}

static void test_never_there(void)
{
    struct gst_test t;
    gst_test_begin(&t, NULL, 400);
    gst_element_set_state(t.harness->element, GST_STATE_NULL);
    g_object_set(
            t.harness->element, "socket-path", "/nonexistent/socket", NULL);
    gst_harness_play(t.harness);
    check_error(&t, 400, "cannot reach unix:/nonexistent/socket");
    gst_test_end(&t);
}

static void test_silent(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_MEMFD, TRICK_NO_SLOTS, 0);
    gst_test_begin(&t, &host, 600);
    check_error(&t, 600, "did not answer");
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* Nothing hangs when it is taken down while it waits for a host. */
static gpointer push_all(gpointer data)
{
    return GINT_TO_POINTER(gst_test_push(data, 10));
}

static void test_down_while_waiting(void)
{
    struct gst_test t;
    gst_test_begin(&t, NULL, 0);
    gst_element_set_state(t.harness->element, GST_STATE_NULL);
    g_object_set(
            t.harness->element, "endpoint", "unix:/nonexistent/socket", NULL);
    gst_harness_play(t.harness);
    gst_test_set_caps(&t, "NV12", 64, 48);
    GThread *thread = g_thread_new("push", push_all, &t);
    while (gst_test_stat(&t, "frames") < 2) {
        g_usleep(1000);
    }
    gst_element_set_state(t.harness->element, GST_STATE_NULL);
    CHECK_EQ(GPOINTER_TO_INT(g_thread_join(thread)), GST_FLOW_FLUSHING);
    gst_test_end(&t);
}

static void test_wrong_settings(void)
{
    struct gst_test t;
    char text[256] = "";
    gst_test_begin(&t, NULL, 0);
    gst_element_set_state(t.harness->element, GST_STATE_NULL);
    g_object_set(t.harness->element, "endpoint", "somewhere", NULL);
    CHECK_EQ(gst_element_set_state(t.harness->element, GST_STATE_PAUSED),
            GST_STATE_CHANGE_FAILURE);
    CHECK_EQ(gst_test_messages(&t, GST_MESSAGE_ERROR, text, sizeof(text)), 1);
    gst_test_end(&t);
}

/* --- a host of our own takes over --- */

struct relay {
    struct gst_test t;
    struct decoder *decoder;
    unsigned decoded;
};

/* One frame in, its unit out and decoded. */
static void pass(struct relay *r)
{
    CHECK_EQ(gst_test_push(&r->t, 1), GST_FLOW_OK);
    GstBuffer *buffer = gst_harness_pull(r->t.harness);
    GstMapInfo map;
    if (!CHECK(buffer && gst_buffer_map(buffer, &map, GST_MAP_READ))) {
        return;
    }
    r->decoded += decoder_push(r->decoder, map.data, map.size);
    gst_buffer_unmap(buffer, &map);
    r->t.keyframes +=
            !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
    r->t.pulled++;
    gst_buffer_unref(buffer);
}

static bool own_host_encodes(struct relay *r)
{
    GstStructure *stats = NULL;
    gboolean own = FALSE;
    g_object_get(r->t.harness->element, "stats", &stats, NULL);
    gst_structure_get_boolean(stats, "own-host", &own);
    gst_structure_free(stats);
    return own;
}

/* Passes frames until the other one encodes, and some more. */
static void pass_until(struct relay *r, bool own)
{
    int64_t deadline = ph_deadline_ms(60000);
    do {
        pass(r);
    } while (own_host_encodes(r) != own && CHECK(ph_clock_ns() < deadline));
    for (int i = 0; i < 5; i++) {
        pass(r);
    }
}

static void start_hostd(struct child *child, const char *endpoint)
{
    char line[CHILD_LINE];
    const char *argv[] = {
            hostd, "--listen", endpoint, "--encoder", "x264", NULL};
    CHECK(child_start(child, argv));
    CHECK(child_expect(child, "listening", line, 60000));
}

static void test_fallback(void)
{
    char folder[] = "/tmp/porthole-gst-XXXXXX";
    struct relay r = {.decoder = decoder_create()};
    struct child child = {0};
    char text[256];
    if (!CHECK(mkdtemp(folder) != NULL)) {
        return;
    }
    g_autofree char *endpoint = g_strdup_printf("unix:%s/socket", folder);
    gst_test_begin(&r.t, NULL, 60000);
    gst_element_set_state(r.t.harness->element, GST_STATE_NULL);
    g_object_set(
            r.t.harness->element, "endpoint", endpoint, "fallback", TRUE, NULL);
    gst_harness_play(r.t.harness);
    gst_test_set_caps(&r.t, "BGRx", WIDTH, HEIGHT);
    for (int i = 0; i < 5; i++) {
        pass_until(&r, true);
        start_hostd(&child, endpoint);
        pass_until(&r, false);
        kill(child.pid, SIGKILL); /* says no goodbye */
        child_stop(&child);
    }
    pass_until(&r, true);
    CHECK_EQ(gst_test_stat(&r.t, "switches"), 10);
    CHECK(r.t.keyframes >= 11);
    CHECK_EQ(r.decoded, r.t.pushed);
    CHECK_EQ(gst_test_messages(&r.t, GST_MESSAGE_WARNING, text, sizeof(text)),
            6); /* the first, and each loss */
    CHECK_EQ(gst_test_messages(&r.t, GST_MESSAGE_ERROR, text, sizeof(text)), 0);
    gst_test_eos(&r.t);
    gst_test_end(&r.t);
    decoder_destroy(r.decoder);
    g_unlink(endpoint + strlen("unix:"));
    CHECK_EQ(rmdir(folder), 0);
}

int main(int argc, char **argv)
{
    static const char *const plugins[] = {NULL};
    gst_test_init(argc, argv, plugins);
    hostd = argv[2];
    test_tricks();
    test_never_there();
    test_silent();
    test_down_while_waiting();
    test_wrong_settings();
    test_fallback();
    return CHECK_DONE();
}
