/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What tests of the element share: the plugin that was built and the few
 * others that are named, without registry or scanner; frames to push; a host
 * that plays tricks.
 */
#pragma once

#include <gst/check/gstharness.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/hxfr.h"
#include "unit/check.h"
#include "unit/fake_host.h"

enum {
    FRAME_MS = 40,
};

/* A fake host in a folder of its own. */
struct gst_test_host {
    struct fake_host host;
    char folder[64];
};

/* The element alone, at this socket (NULL: set it up yourself), with a bus. */
struct gst_test {
    GstHarness *harness;
    GstBus *bus;
    char format[8];
    int width;
    int height;
    unsigned pushed;
    unsigned pulled;
    unsigned keyframes; /* of those pulled */
};

static inline void load(const char *path)
{
    GError *error = NULL;
    GstPlugin *plugin = gst_plugin_load_file(path, &error);
    if (!plugin) {
        g_error("%s: %s", path, error->message);
    }
    gst_registry_add_plugin(gst_registry_get(), plugin);
}

/* LeakSanitizer trips over a thread that is just ending: none is left then, or
 * only such as stay (GLib's own), after two seconds. */
static inline void end_threads(void)
{
    gst_deinit();
    g_thread_pool_stop_unused_threads();
    for (int i = 0; i < 200; i++) {
        g_autoptr(GDir) tasks = g_dir_open("/proc/self/task", 0, NULL);
        int count = 0;
        while (tasks && g_dir_read_name(tasks)) {
            count++;
        }
        if (count <= 1) {
            break;
        }
        g_usleep(10000);
    }
}

/* argv[1]: the plugin; argv[2]: porthole-hostd. others: names of GStreamer's
 * own plugins, NULL-terminated. */
static inline void gst_test_init(
        int argc, char **argv, const char *const others[])
{
    if (argc < 3) {
        g_error("usage: %s PLUGIN HOSTD", argv[0]);
    }
    g_autofree char *folder = g_path_get_dirname(argv[2]);
    g_setenv("PORTHOLE_LIBEXEC", folder, TRUE);
    g_setenv("PORTHOLE_LOG", "warn", FALSE);
    g_setenv("GST_REGISTRY_DISABLE", "yes", TRUE);
    gst_init(NULL, NULL);
    atexit(end_threads);
    load(argv[1]);
    for (size_t i = 0; others[i]; i++) {
        g_autofree char *path =
                g_strdup_printf("%s/libgst%s.so", GST_PLUGINS, others[i]);
        load(path);
    }
}

static inline void gst_test_host_start(struct gst_test_host *h,
        enum fake_kind kind, enum fake_trick trick, uint32_t at)
{
    *h = (struct gst_test_host){
            .host = {.kind = kind, .trick = trick, .trick_at = at}};
    snprintf(h->folder, sizeof(h->folder), "/tmp/porthole-gst-XXXXXX");
    if (!mkdtemp(h->folder)) {
        abort();
    }
    h->host.endpoint.kind = PH_ENDPOINT_UNIX;
    snprintf(h->host.endpoint.address, sizeof(h->host.endpoint.address),
            "%s/socket", h->folder);
    CHECK(fake_host_start(&h->host));
}

static inline void gst_test_host_stop(struct gst_test_host *h)
{
    fake_host_stop(&h->host);
    unlink(h->host.endpoint.address);
    CHECK_EQ(rmdir(h->folder), 0);
}

static inline void gst_test_begin(
        struct gst_test *t, const struct gst_test_host *host, unsigned timeout)
{
    *t = (struct gst_test){.harness = gst_harness_new("vsockenc")};
    t->bus = gst_bus_new();
    gst_element_set_bus(t->harness->element, t->bus);
    g_object_set(t->harness->element, "timeout", timeout, NULL);
    if (host) {
        gst_element_set_state(t->harness->element, GST_STATE_NULL);
        g_object_set(t->harness->element, "socket-path",
                host->host.endpoint.address, NULL);
        gst_harness_play(t->harness);
    }
}

static inline void gst_test_end(struct gst_test *t)
{
    gst_element_set_bus(t->harness->element, NULL);
    gst_harness_teardown(t->harness);
    gst_object_unref(t->bus);
}

static inline void gst_test_set_caps(
        struct gst_test *t, const char *format, int width, int height)
{
    g_autofree char *caps = g_strdup_printf(
            "video/x-raw,format=%s,width=%d,height=%d,framerate=25/1", format,
            width, height);
    snprintf(t->format, sizeof(t->format), "%s", format);
    t->width = width;
    t->height = height;
    gst_harness_set_src_caps_str(t->harness, caps);
}

/* A picture that differs from one number to the next, 40 ms later each. */
static inline GstBuffer *gst_test_buffer(
        const struct gst_test *t, unsigned number)
{
    GstVideoInfo info;
    GstVideoFrame frame;
    gst_video_info_set_format(&info, gst_video_format_from_string(t->format),
            (guint)t->width, (guint)t->height);
    GstBuffer *buffer = gst_buffer_new_allocate(NULL, info.size, NULL);
    gst_buffer_memset(buffer, 0, 128, info.size);
    if (gst_video_frame_map(&frame, &info, buffer, GST_MAP_WRITE)) {
        guint8 *first = GST_VIDEO_FRAME_PLANE_DATA(&frame, 0);
        first[0] = (guint8)(number * 8);
        gst_video_frame_unmap(&frame);
    }
    GST_BUFFER_PTS(buffer) = number * FRAME_MS * GST_MSECOND;
    GST_BUFFER_DURATION(buffer) = FRAME_MS * GST_MSECOND;
    return buffer;
}

/* Pushes the next n. */
static inline GstFlowReturn gst_test_push(struct gst_test *t, unsigned n)
{
    GstFlowReturn r = GST_FLOW_OK;
    for (unsigned i = 0; i < n && r == GST_FLOW_OK; i++) {
        r = gst_harness_push(t->harness, gst_test_buffer(t, t->pushed));
        t->pushed += r == GST_FLOW_OK;
    }
    return r;
}

/* Pulls n and checks that each has the time of its frame. */
static inline void gst_test_pull(struct gst_test *t, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        GstBuffer *buffer = gst_harness_pull(t->harness);
        if (!CHECK(buffer != NULL)) {
            return;
        }
        CHECK_EQ(GST_BUFFER_PTS(buffer), t->pulled * FRAME_MS * GST_MSECOND);
        CHECK_EQ(GST_BUFFER_DTS(buffer), GST_BUFFER_PTS(buffer));
        CHECK(gst_buffer_get_size(buffer) > 0);
        t->keyframes +=
                !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
        t->pulled++;
        gst_buffer_unref(buffer);
    }
}

static inline guint64 gst_test_stat(struct gst_test *t, const char *name)
{
    GstStructure *stats = NULL;
    guint64 value = 0;
    guint small = 0;
    g_object_get(t->harness->element, "stats", &stats, NULL);
    if (!gst_structure_get_uint64(stats, name, &value) &&
            gst_structure_get_uint(stats, name, &small)) {
        value = small;
    }
    gst_structure_free(stats);
    return value;
}

/* Ends the stream; everything that was pushed must have come out. */
static inline void gst_test_eos(struct gst_test *t)
{
    CHECK(gst_harness_push_event(t->harness, gst_event_new_eos()));
    gst_test_pull(t, gst_harness_buffers_in_queue(t->harness));
    CHECK_EQ(t->pulled, t->pushed);
    CHECK_EQ(gst_test_stat(t, "in-flight"), 0);
}

/* Messages of this type on the bus now; text: of the last one. */
static inline unsigned gst_test_messages(
        struct gst_test *t, GstMessageType type, char *text, size_t size)
{
    unsigned count = 0;
    GstMessage *m;
    while ((m = gst_bus_pop_filtered(t->bus, type)) != NULL) {
        g_autoptr(GError) error = NULL;
        if (type == GST_MESSAGE_ERROR) {
            gst_message_parse_error(m, &error, NULL);
        } else {
            gst_message_parse_warning(m, &error, NULL);
        }
        snprintf(text, size, "%s", error->message);
        gst_message_unref(m);
        count++;
    }
    return count;
}

static inline GstPadProbeReturn count_buffer(
        GstPad *pad, GstPadProbeInfo *info, gpointer count)
{
    ++*(unsigned *)count;
    return GST_PAD_PROBE_OK;
}

/* Plays a pipeline to its end; returns how many buffers came to the pad "sink"
 * of this element. */
static inline unsigned gst_test_run(GstElement *pipeline, const char *name)
{
    unsigned count = 0;
    g_autoptr(GstElement) element =
            gst_bin_get_by_name(GST_BIN(pipeline), name);
    g_autoptr(GstPad) pad = gst_element_get_static_pad(element, "sink");
    g_autoptr(GstBus) bus = gst_element_get_bus(pipeline);
    gulong probe = gst_pad_add_probe(
            pad, GST_PAD_PROBE_TYPE_BUFFER, count_buffer, &count, NULL);
    gst_element_set_state(pipeline, GST_STATE_PLAYING);
    GstMessage *m = gst_bus_timed_pop_filtered(
            bus, 120 * GST_SECOND, GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
    CHECK(m && GST_MESSAGE_TYPE(m) == GST_MESSAGE_EOS);
    gst_clear_message(&m);
    gst_pad_remove_probe(pad, probe);
    return count;
}
