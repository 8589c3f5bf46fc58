/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* appsrc ! vsockenc ! h264parse ! avdec_h264 ! appsink, frame by frame. */
#pragma once

#include <gst/app/app.h>

#include "gst_test.h"
#include "unit/quarks.h"

struct pipeline {
    GstElement *element;
    GstAppSrc *source;
    GstAppSink *sink;
    unsigned count;
};

static inline void pipeline_init(int argc, char **argv)
{
    static const char *const plugins[] = {
            "app", "coreelements", "libav", "videoparsersbad", NULL};
    gst_test_init(argc, argv, plugins);
}

/* Encodes by a host of our own. */
static inline void pipeline_begin(struct pipeline *p, const char *properties)
{
    g_autofree char *text =
            g_strdup_printf("appsrc name=source format=time ! "
                            "vsockenc name=encoder timeout=60000 %s ! "
                            "h264parse ! avdec_h264 max-threads=1 ! "
                            "appsink name=sink sync=false",
                    properties);
    *p = (struct pipeline){.element = gst_parse_launch(text, NULL)};
    p->source = GST_APP_SRC(gst_bin_get_by_name(GST_BIN(p->element), "source"));
    p->sink = GST_APP_SINK(gst_bin_get_by_name(GST_BIN(p->element), "sink"));
    gst_element_set_state(p->element, GST_STATE_PLAYING);
}

static inline void pipeline_end(struct pipeline *p)
{
    gst_app_src_end_of_stream(p->source);
    CHECK(gst_app_sink_pull_sample(p->sink) == NULL);
    CHECK(gst_app_sink_is_eos(p->sink));
    gst_element_set_state(p->element, GST_STATE_NULL);
    gst_object_unref(p->source);
    gst_object_unref(p->sink);
    gst_object_unref(p->element);
}

/* One frame in (taken), one picture out before the next goes in. */
static inline GstSample *pipeline_pass(
        struct pipeline *p, GstCaps *caps, GstBuffer *buffer)
{
    GST_BUFFER_PTS(buffer) = p->count++ * 40 * GST_MSECOND;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    GstSample *sample = gst_sample_new(buffer, caps, NULL, NULL);
    gst_buffer_unref(buffer);
    gst_app_src_push_sample(p->source, sample);
    gst_sample_unref(sample);
    return gst_app_sink_try_pull_sample(p->sink, 60 * GST_SECOND);
}

/* Of all access units so far. */
static inline guint64 pipeline_bytes(struct pipeline *p)
{
    guint64 bytes = 0;
    GstStructure *stats = NULL;
    g_autoptr(GstElement) encoder =
            gst_bin_get_by_name(GST_BIN(p->element), "encoder");
    g_object_get(encoder, "stats", &stats, NULL);
    gst_structure_get_uint64(stats, "bytes", &bytes);
    gst_structure_free(stats);
    return bytes;
}
