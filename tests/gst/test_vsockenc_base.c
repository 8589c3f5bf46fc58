/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The element as its neighbours and the application meet it: events, tags,
 * queries, properties at the wrong time, what a meta says.
 */
#include <gst/allocators/allocators.h>

#include "gst_test.h"

/* --- max-in-flight is that of the start, whatever is set meanwhile --- */

static void test_window_set_while_playing(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_element_set_state(t.harness->element, GST_STATE_NULL);
    g_object_set(t.harness->element, "max-in-flight", 4, NULL);
    gst_harness_play(t.harness);
    g_object_set(t.harness->element, "max-in-flight", 1, NULL);
    gst_test_set_caps(&t, "BGRx", 64, 48);
    fake_host_hold(&host.host, true);
    CHECK_EQ(gst_test_push(&t, 4), GST_FLOW_OK); /* waits for none */
    CHECK_EQ(gst_test_stat(&t, "in-flight"), 4);
    fake_host_hold(&host.host, false);
    CHECK_EQ(gst_test_push(&t, 8), GST_FLOW_OK);
    gst_test_eos(&t);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- a picture larger than its caps --- */

static void push_padded(struct gst_test *t, const char *format, gint offset)
{
    GstVideoInfo info;
    gst_video_info_set_format(&info, gst_video_format_from_string(format),
            (guint)(t->width + offset), (guint)(t->height + offset));
    GstBuffer *b = gst_buffer_new_allocate(NULL, info.size, NULL);
    gst_buffer_memset(b, 0, 90, info.size);
    gst_buffer_add_video_meta_full(b, GST_VIDEO_FRAME_FLAG_NONE,
            GST_VIDEO_INFO_FORMAT(&info), (guint)info.width, (guint)info.height,
            GST_VIDEO_INFO_N_PLANES(&info), info.offset, info.stride);
    GST_BUFFER_PTS(b) = t->pushed * FRAME_MS * GST_MSECOND;
    CHECK_EQ(gst_harness_push(t->harness, b), GST_FLOW_OK);
    t->pushed++;
}

static void test_padded(const char *format)
{
    struct gst_test_host host;
    struct gst_test t;
    char text[256] = "";
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, format, 322, 178);
    push_padded(&t, format, 1000);
    push_padded(&t, format, 0);
    gst_test_eos(&t);
    CHECK_EQ(gst_test_messages(&t, GST_MESSAGE_ERROR, text, sizeof(text)), 0);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- rows from the last to the first: refused, not read from the wrong end ---
 */

static void test_upside_down(void)
{
    enum {
        W = 64,
        H = 48,
    };
    gsize last[GST_VIDEO_MAX_PLANES] = {(H - 1) * W * 4};
    gint up[GST_VIDEO_MAX_PLANES] = {-W * 4};
    struct gst_test_host host;
    struct gst_test t;
    char text[256] = "";
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "BGRx", W, H);
    GstBuffer *b = gst_buffer_new_allocate(NULL, W * H * 4, NULL);
    gst_buffer_memset(b, 0, 80, W * H * 4);
    gst_buffer_add_video_meta_full(b, GST_VIDEO_FRAME_FLAG_NONE,
            GST_VIDEO_FORMAT_BGRx, W, H, 1, last, up);
    GST_BUFFER_PTS(b) = 0;
    CHECK_EQ(gst_harness_push(t.harness, b), GST_FLOW_ERROR);
    CHECK_EQ(gst_test_messages(&t, GST_MESSAGE_ERROR, text, sizeof(text)), 1);
    CHECK(strstr(text, "cannot be read"));
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- no picture: the one before; none before it: it is dropped --- */

static void push_empty(struct gst_test *t)
{
    GstBuffer *b = gst_buffer_new();
    GST_BUFFER_PTS(b) = t->pushed * FRAME_MS * GST_MSECOND;
    CHECK_EQ(gst_harness_push(t->harness, b), GST_FLOW_OK);
}

static void test_empty(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "BGRx", 64, 48);
    push_empty(&t);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(gst_test_push(&t, 2), GST_FLOW_OK);
        push_empty(&t);
        t.pushed++;
    }
    gst_test_eos(&t);
    CHECK_EQ(t.pulled, 15);
    CHECK_EQ(gst_test_stat(&t, "repeats"), 5);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- what upstream may allocate --- */

static void check_proposal(struct gst_test *t, const char *feature)
{
    g_autofree char *text = g_strdup_printf(
            "video/x-raw%s,format=NV12,width=64,height=48,framerate=25/1",
            feature);
    g_autoptr(GstCaps) caps = gst_caps_from_string(text);
    GstQuery *query = gst_query_new_allocation(caps, TRUE);
    CHECK(gst_pad_peer_query(t->harness->srcpad, query));
    unsigned metas = 0;
    for (guint i = 0; i < gst_query_get_n_allocation_metas(query); i++) {
        metas += gst_query_parse_nth_allocation_meta(query, i, NULL) ==
                GST_VIDEO_META_API_TYPE;
    }
    CHECK_EQ(metas, 1);
    CHECK_EQ(gst_query_get_n_allocation_pools(query), *feature ? 0 : 1);
    gst_query_unref(query);
}

static void test_allocation(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    check_proposal(&t, "");
    check_proposal(&t, "(memory:DMABuf)");
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- tags and events --- */

static guint told_bitrate(struct gst_test *t)
{
    guint bitrate = 0;
    GstEvent *event =
            gst_pad_get_sticky_event(t->harness->sinkpad, GST_EVENT_TAG, 0);
    if (CHECK(event != NULL)) {
        GstTagList *tags = NULL;
        g_autofree char *name = NULL;
        g_autofree char *title = NULL;
        gst_event_parse_tag(event, &tags);
        gst_tag_list_get_string(tags, GST_TAG_ENCODER, &name);
        gst_tag_list_get_string(tags, GST_TAG_TITLE, &title);
        CHECK_STR(name, "vsockenc");
        CHECK_STR(title, "upstream's");
        gst_tag_list_get_uint(tags, GST_TAG_MAXIMUM_BITRATE, &bitrate);
        gst_event_unref(event);
    }
    return bitrate;
}

static void test_tags(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    for (int i = 0; i < 2; i++) { /* and once more, after a stop */
        gst_test_set_caps(&t, "NV12", 64, 48);
        gst_harness_push_event(t.harness,
                gst_event_new_tag(gst_tag_list_new(GST_TAG_TITLE, "upstream's",
                        GST_TAG_MAXIMUM_BITRATE, 1, NULL)));
        g_object_set(t.harness->element, "bitrate", 3000000, NULL);
        CHECK_EQ(gst_test_push(&t, 1), GST_FLOW_OK);
        gst_test_pull(&t, 1);
        CHECK_EQ(told_bitrate(&t), 3000000);
        g_object_set(t.harness->element, "bitrate", 2000000, NULL);
        CHECK_EQ(gst_test_push(&t, 1), GST_FLOW_OK);
        gst_test_pull(&t, 1);
        CHECK_EQ(told_bitrate(&t), 2000000);
        gst_element_set_state(t.harness->element, GST_STATE_NULL);
        gst_harness_play(t.harness);
    }
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* Events come out between the units that they came in between. */
static void test_event_order(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    fake_host_hold(&host.host, true);
    CHECK_EQ(gst_test_push(&t, 1), GST_FLOW_OK);
    gst_harness_push_event(t.harness,
            gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                    gst_structure_new_empty("between")));
    CHECK_EQ(gst_test_push(&t, 1), GST_FLOW_OK);
    GstEvent *event;
    while ((event = gst_harness_try_pull_event(t.harness)) != NULL) {
        CHECK(GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_DOWNSTREAM);
        gst_event_unref(event);
    }
    fake_host_hold(&host.host, false);
    gst_test_eos(&t);
    static const GstEventType order[] = {GST_EVENT_STREAM_START, GST_EVENT_CAPS,
            GST_EVENT_SEGMENT, GST_EVENT_CUSTOM_DOWNSTREAM, GST_EVENT_EOS};
    size_t seen = 0;
    while ((event = gst_harness_try_pull_event(t.harness)) != NULL) {
        seen += seen < G_N_ELEMENTS(order) &&
                GST_EVENT_TYPE(event) == order[seen];
        gst_event_unref(event);
    }
    CHECK_EQ(seen, G_N_ELEMENTS(order));
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- what follows may be taken away and come back --- */

static void test_linked_again(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    gst_test_set_caps(&t, "NV12", 64, 48);
    CHECK_EQ(gst_test_push(&t, 3), GST_FLOW_OK);
    gst_test_pull(&t, 3);
    g_autoptr(GstPad) src =
            gst_element_get_static_pad(t.harness->element, "src");
    CHECK(gst_pad_unlink(src, t.harness->sinkpad));
    GstFlowReturn r = GST_FLOW_OK;
    for (int i = 0; i < 10 && r == GST_FLOW_OK; i++) {
        r = gst_test_push(&t, 1);
    }
    CHECK_EQ(r, GST_FLOW_NOT_LINKED);
    CHECK_EQ(gst_test_push(&t, 1), GST_FLOW_NOT_LINKED);
    CHECK_EQ(gst_pad_link(src, t.harness->sinkpad), GST_PAD_LINK_OK);
    t.pulled = t.pushed;
    t.keyframes = 0;
    CHECK_EQ(gst_test_push(&t, 3), GST_FLOW_OK);
    gst_test_eos(&t);
    CHECK_EQ(t.keyframes, 1);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- a still picture --- */

static void test_refines(void)
{
    struct gst_test_host host;
    struct gst_test t;
    gst_test_host_start(&host, FAKE_TILES, TRICK_NONE, 0);
    gst_test_begin(&t, &host, 20000);
    g_object_set(t.harness->element, "keyframe-interval", 0, NULL);
    gst_test_set_caps(&t, "NV12", 64, 48);
    for (unsigned i = 0; i < 40; i++) {
        GstBuffer *b = gst_test_buffer(&t, i >= 20);
        GST_BUFFER_PTS(b) = i * FRAME_MS * GST_MSECOND;
        CHECK_EQ(gst_harness_push(t.harness, b), GST_FLOW_OK);
        t.pushed++;
        if (i == 3 || i == 23) { /* 120 ms after the change */
            gst_test_pull(&t, t.pushed - t.pulled);
            CHECK_EQ(fake_host_get(&host.host, &host.host.refined),
                    i == 3 ? 0 : 3);
        }
    }
    gst_test_eos(&t);
    CHECK_EQ(fake_host_get(&host.host, &host.host.refined), 6);
    gst_test_end(&t);
    gst_test_host_stop(&host);
}

/* --- what people read --- */

static void test_documented(void)
{
    g_autofree char *text = NULL;
    guint count = 0;
    g_autoptr(GstElement) element = gst_element_factory_make("vsockenc", NULL);
    g_autofree GParamSpec **specs =
            g_object_class_list_properties(G_OBJECT_GET_CLASS(element), &count);
    CHECK(g_file_get_contents(VSOCKENC_DOC, &text, NULL, NULL));
    for (guint i = 0; text && i < count; i++) {
        g_autofree char *quoted = g_strdup_printf("`%s`", specs[i]->name);
        if (specs[i]->owner_type == G_OBJECT_TYPE(element) &&
                !CHECK(strstr(text, quoted) != NULL)) {
            fprintf(stderr, "%s is not in %s\n", quoted, VSOCKENC_DOC);
        }
    }
}

int main(int argc, char **argv)
{
    static const char *const plugins[] = {NULL};
    gst_test_init(argc, argv, plugins);
    test_window_set_while_playing();
    test_padded("NV12");
    test_padded("I420");
    test_padded("BGRx");
    test_upside_down();
    test_empty();
    test_allocation();
    test_tags();
    test_event_order();
    test_linked_again();
    test_refines();
    test_documented();
    return CHECK_DONE();
}
