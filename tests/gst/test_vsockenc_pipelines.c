/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pipelines as people write them, with a host that the element starts. */
#include <glib/gstdio.h>

#include "pipeline.h"

static unsigned run(const char *text, const char *name)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GstElement) pipeline = gst_parse_launch(text, &error);
    if (!CHECK(pipeline && !error)) {
        fprintf(stderr, "%s\n", error ? error->message : text);
        return 0;
    }
    unsigned count = gst_test_run(pipeline, name);
    gst_element_set_state(pipeline, GST_STATE_NULL);
    return count;
}

static void test_file(void)
{
    char path[] = "/tmp/porthole-gst-XXXXXX";
    int fd = g_mkstemp(path);
    CHECK(fd >= 0);
    g_close(fd, NULL);
    g_autofree char *write = g_strdup_printf(
            "videotestsrc num-buffers=60 ! vsockenc name=encoder ! h264parse ! "
            "mp4mux ! filesink location=%s",
            path);
    g_autofree char *read = g_strdup_printf(
            "filesrc location=%s ! qtdemux ! h264parse ! avdec_h264 ! "
            "fakesink name=sink",
            path);
    CHECK_EQ(run(write, "encoder"), 60);
    CHECK_EQ(run(read, "sink"), 60);
    g_unlink(path);
}

/* A queue that drops: as many come out as went in behind it. */
static void test_live(void)
{
    unsigned count = run(
            "videotestsrc is-live=true num-buffers=30 ! videoconvert ! "
            "videoscale ! video/x-raw,format=BGRA,width=960,height=540 ! "
            "queue leaky=downstream max-size-buffers=1 ! vsockenc ! h264parse "
            "! fakesink name=sink sync=false",
            "sink");
    CHECK(count > 0 && count <= 30);
}

int main(int argc, char **argv)
{
    static const char *const plugins[] = {"coreelements", "isomp4", "libav",
            "videoconvertscale", "videoparsersbad", "videotestsrc", NULL};
    gst_test_init(argc, argv, plugins);
    test_file();
    test_live();
    return CHECK_DONE();
}
