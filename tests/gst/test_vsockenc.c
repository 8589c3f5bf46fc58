/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The element against hosts that encode nothing: what goes in comes out. */
#include <gst/allocators/allocators.h>
#include <sys/mman.h>

#include "gst_test.h"

static void test_n_in_n_out(enum fake_kind kind)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, kind, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "BGRx", 322, 178);
    CHECK_EQ(gst_test_push(&t, 20), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(t.pulled, 20);
    CHECK_EQ(t.keyframes, 1);
    GstCaps *caps = gst_pad_get_current_caps(t.harness->sinkpad);
    const GstStructure *s = gst_caps_get_structure(caps, 0);
    CHECK_STR(gst_structure_get_string(s, "profile"), "constrained-baseline");
    CHECK_STR(gst_structure_get_string(s, "level"), "2.1");
    gst_caps_unref(caps);
    gst_test_end(&t);
    CHECK_EQ(host.host.frames, 20);
    gst_test_host_stop(&host);
}

static void test_eos_first(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_MEMFD, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    gst_test_eos(&t);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static void test_reuse(void)
{
    struct gst_test_host host;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    g_autofree char *text = g_strdup_printf(
            "videotestsrc num-buffers=5 ! video/x-raw,format=I420,width=64,"
            "height=48 ! vsockenc name=e timeout=20000 socket-path=%s ! "
            "fakesink name=s",
            host.host.endpoint.address);
    GstElement *pipeline = gst_parse_launch(text, NULL);
    for (unsigned i = 1; i <= 3; i++) {
        CHECK_EQ(gst_test_run(pipeline, "s"), 5);
        gst_element_set_state(
                pipeline, i == 2 ? GST_STATE_READY : GST_STATE_NULL);
    }
    gst_object_unref(pipeline);
    CHECK_EQ(host.host.connections, 3);
    gst_test_host_stop(&host);
}

/* Down while the host answers nothing, with frames on their way. */
static void test_down_in_the_middle(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_MEMFD, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    fake_host_hold(&host.host, true);
    gst_test_set_caps(&t, "RGBA", 64, 48);
    CHECK_EQ(gst_test_push(&t, 2), GST_FLOW_OK);
    gst_element_set_state(t.harness->element, GST_STATE_NULL);
    fake_host_hold(&host.host, false);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static void test_caps_change(void)
{
    static const struct {
        const char *format;
        int width;
        int height;
    } kinds[] = {{"BGRA", 64, 48}, {"BGRA", 322, 178}, {"NV12", 322, 178},
            {"I420", 33, 17}, {"RGBx", 1, 1}};
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_MEMFD, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        gst_test_set_caps(&t, kinds[i].format, kinds[i].width, kinds[i].height);
        CHECK_EQ(gst_test_push(&t, 4), GST_FLOW_OK);
    }
    gst_test_eos(&t);
    CHECK_EQ(t.pulled, 4 * G_N_ELEMENTS(kinds));
    /* Such a host takes any whole picture for one, and 1x1 is always whole. */
    CHECK_EQ(t.keyframes, G_N_ELEMENTS(kinds) + 3);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* What did not change is not sent; a frame like the one before is repeated. */
static void test_damage(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "BGRx", 640, 480);
    GstBuffer *first = gst_test_buffer(&t, 0);
    for (unsigned i = 0; i < 10; i++) {
        GstBuffer *b = gst_buffer_copy_deep(first);
        GST_BUFFER_PTS(b) += GST_BUFFER_DURATION(b) * i;
        if (i == 5) {
            gst_buffer_memset(b, 4 * (640 * 240 + 320), 0xff, 4 * 8);
        }
        CHECK_EQ(gst_harness_push(t.harness, b), GST_FLOW_OK);
        t.pushed++;
    }
    gst_buffer_unref(first);
    gst_test_eos(&t);
    CHECK_EQ(gst_test_stat(&t, "repeats"), 7);
    CHECK_EQ(fake_host_get(&host.host, &host.host.whole), 1);
    /* One whole picture, and two small tiles. */
    CHECK(gst_test_stat(&t, "bytes-sent") < 640 * 480 * 3 / 2 + 16384);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static void test_live_properties(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    g_object_set(t.harness->element, "keyframe-interval", 0, NULL);
    CHECK_EQ(gst_test_push(&t, 70), GST_FLOW_OK);
    gst_test_pull(&t, 70);
    CHECK_EQ(fake_host_get(&host.host, &host.host.bitrate), 4000000);
    CHECK_EQ(t.keyframes, 1);
    g_object_set(t.harness->element, "bitrate", 1234567, "keyframe-interval", 5,
            NULL);
    CHECK_EQ(gst_test_push(&t, 20), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(fake_host_get(&host.host, &host.host.bitrate), 1234567);
    CHECK_EQ(t.keyframes, 1 + 4);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static void test_force_key_unit(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_MEMFD, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    CHECK_EQ(gst_test_push(&t, 3), GST_FLOW_OK);
    gst_test_pull(&t, 3);
    gst_harness_push_upstream_event(t.harness,
            gst_video_event_new_upstream_force_key_unit(
                    GST_CLOCK_TIME_NONE, TRUE, 1));
    CHECK_EQ(gst_test_push(&t, 3), GST_FLOW_OK);
    gst_test_pull(&t, 3);
    CHECK_EQ(t.keyframes, 2);
    gst_harness_push_event(t.harness,
            gst_video_event_new_downstream_force_key_unit(GST_CLOCK_TIME_NONE,
                    GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, TRUE, 2));
    CHECK_EQ(gst_test_push(&t, 3), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(t.keyframes, 3);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* What was on its way is dropped, and what comes then can be decoded. */
static void test_flush(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_MEMFD, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "BGRx", 64, 48);
    CHECK_EQ(gst_test_push(&t, 3), GST_FLOW_OK);
    gst_test_pull(&t, 3);
    fake_host_hold(&host.host, true);
    CHECK_EQ(gst_test_push(&t, 2), GST_FLOW_OK);
    CHECK(gst_harness_push_event(t.harness, gst_event_new_flush_start()));
    CHECK(gst_harness_push_event(t.harness, gst_event_new_flush_stop(TRUE)));
    fake_host_hold(&host.host, false);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(t.harness, gst_event_new_segment(&segment));
    t.pulled = t.pushed;
    t.keyframes = 0;
    CHECK_EQ(gst_test_push(&t, 3), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(t.keyframes, 1);
    CHECK_EQ(gst_test_stat(&t, "units"), 6);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static gpointer push_one(gpointer data)
{
    return GINT_TO_POINTER(gst_test_push(data, 1));
}

/* No more than max-in-flight at the host; each unit leaves before the next
 * frame comes. */
static void test_window(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    for (int i = 0; i < 20; i++) {
        CHECK_EQ(gst_test_push(&t, 1), GST_FLOW_OK);
        gst_test_pull(&t, 1);
    }
    fake_host_hold(&host.host, true);
    CHECK_EQ(gst_test_push(&t, 2), GST_FLOW_OK);
    CHECK_EQ(gst_test_stat(&t, "in-flight"), 2);
    GThread *thread = g_thread_new("push", push_one, &t);
    CHECK_EQ(gst_test_stat(&t, "frames"), 22);
    fake_host_hold(&host.host, false);
    CHECK_EQ(GPOINTER_TO_INT(g_thread_join(thread)), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(t.pulled, 23);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static void test_v1_format(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_V1_PONG, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_element_set_state(t.harness->element, GST_STATE_NULL);
    gst_util_set_object_arg(G_OBJECT(t.harness->element), "v1-format", "nv12");
    gst_harness_play(t.harness);
    gst_test_set_caps(&t, "NV12", 65, 47);
    CHECK_EQ(gst_test_push(&t, 4), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(fake_host_get(&host.host, &host.host.v1_format), PH_HXFR_NV12);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* Without a virtio-gpu a dma-buf is read like other memory. A memory file does
 * for one, but that its owner need not be told. */
static void test_dmabuf(void)
{
    struct gst_test_host host;
    struct gst_test t;
    GstVideoInfo info;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    gst_harness_set_src_caps_str(t.harness,
            "video/x-raw(memory:DMABuf),format=NV12,width=64,height=48,"
            "framerate=25/1");
    gst_video_info_set_format(&info, GST_VIDEO_FORMAT_NV12, 64, 48);
    g_autoptr(GstAllocator) allocator = gst_dmabuf_allocator_new();
    for (unsigned i = 0; i < 4; i++) {
        GstBuffer *from = gst_test_buffer(&t, i);
        int fd = memfd_create("frame", MFD_CLOEXEC);
        GstMapInfo map;
        gst_buffer_map(from, &map, GST_MAP_READ);
        CHECK_EQ(write(fd, map.data, map.size), map.size);
        gst_buffer_unmap(from, &map);
        GstBuffer *b = gst_buffer_new();
        gst_buffer_append_memory(
                b, gst_dmabuf_allocator_alloc(allocator, fd, info.size));
        gst_buffer_copy_into(b, from, GST_BUFFER_COPY_TIMESTAMPS, 0, 0);
        gst_buffer_unref(from);
        CHECK_EQ(gst_harness_push(t.harness, b), GST_FLOW_OK);
        t.pushed++;
    }
    gst_test_eos(&t);
    CHECK_EQ(t.pulled, 4);
    CHECK_EQ(gst_test_stat(&t, "resources"), 0);
    CHECK_EQ(gst_test_stat(&t, "repeats"), 0);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

static void test_latency(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_MEMFD, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    CHECK_EQ(gst_test_push(&t, 1), GST_FLOW_OK);
    gst_test_pull(&t, 1);
    CHECK_EQ(gst_harness_query_latency(t.harness), 40 * GST_MSECOND);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

int main(int argc, char **argv)
{
    static const char *const plugins[] = {"coreelements", "videotestsrc", NULL};
    gst_test_init(argc, argv, plugins);
    test_n_in_n_out(FAKE_MEMFD);
    test_n_in_n_out(FAKE_TILES);
    test_n_in_n_out(FAKE_V1_PONG);
    test_n_in_n_out(FAKE_V1_ERROR);
    test_n_in_n_out(FAKE_V1_SILENT);
    test_eos_first();
    test_reuse();
    test_down_in_the_middle();
    test_caps_change();
    test_damage();
    test_live_properties();
    test_force_key_unit();
    test_flush();
    test_window();
    test_v1_format();
    test_dmabuf();
    test_latency();
    return CHECK_DONE();
}
