/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Pictures of a GStreamer source. Its thread copies each picture as it comes
 * and gives the buffer back at once, for a source may have but two. Three
 * copies take turns: the newest, the one that is compared and shown, and the
 * one that was shown before. The source plays while somebody watches.
 */
#include "deskd/desktop_gst.h"

#include <gst/app/gstappsink.h>
#include <gst/gst.h>
#include <gst/video/video.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#define LOG_MODULE "capture"
#include "common/log.h"
#include "video/damage.h"

#define SINK                                                                   \
    " ! videoconvert ! video/x-raw,format=(string){BGRx,BGRA,RGBx,RGBA} ! "    \
    "appsink name=porthole max-buffers=1 drop=true"
#define START_TIMEOUT (5 * GST_SECOND)

struct picture {
    uint8_t *pixels;
    uint32_t width;
    uint32_t height;
    uint32_t format;
    int64_t time_ns;
};

struct gst {
    struct ph_capture base;
    GstElement *pipeline;
    GstElement *sink;
    GstBus *bus;
    int wake; /* an eventfd: there is a newer picture, or it is wanted */
    int epoll; /* of it and of the bus */
    bool playing;
    bool requested;
    bool whole;
    struct picture now; /* shown last, to be compared with */
    struct picture next;
    char lost[256];

    GMutex lock; /* of what follows: the source's thread writes it */
    struct picture newest;
    bool fresh; /* newest was not taken yet */
};

static struct gst *from_base(struct ph_capture *capture)
{
    return PH_CONTAINER(capture, struct gst, base);
}

static bool same_shape(const struct picture *a, const struct picture *b)
{
    return a->pixels && b->pixels && a->width == b->width &&
            a->height == b->height && a->format == b->format;
}

static void wake(struct gst *c)
{
    const uint64_t one = 1;
    (void)!write(c->wake, &one, sizeof(one));
}

/* Makes room for a picture of that size; false: it has none. */
static bool fit(struct picture *p, const GstVideoInfo *info)
{
    uint32_t width = (uint32_t)GST_VIDEO_INFO_WIDTH(info);
    uint32_t height = (uint32_t)GST_VIDEO_INFO_HEIGHT(info);
    GstVideoFormat format = GST_VIDEO_INFO_FORMAT(info);
    if (width == 0 || width > PH_HXFR_MAX_SIDE || height == 0 ||
            height > PH_HXFR_MAX_SIDE) {
        return false;
    }
    if (!p->pixels || p->width != width || p->height != height) {
        free(p->pixels);
        p->pixels = malloc((size_t)width * height * 4);
    }
    p->width = width;
    p->height = height;
    p->format =
            format == GST_VIDEO_FORMAT_BGRx || format == GST_VIDEO_FORMAT_BGRA
            ? PH_HXFR_BGRA
            : PH_HXFR_RGBA;
    return p->pixels;
}

static void copy(struct picture *p, const GstVideoFrame *frame)
{
    const uint8_t *from = GST_VIDEO_FRAME_PLANE_DATA(frame, 0);
    int stride = GST_VIDEO_FRAME_PLANE_STRIDE(frame, 0);
    size_t row = (size_t)p->width * 4;
    for (uint32_t y = 0; y < p->height; y++) {
        memcpy(p->pixels + y * row, from + (ptrdiff_t)y * stride, row);
    }
    p->time_ns = ph_clock_ns();
}

/* On the source's thread. */
static GstFlowReturn on_sample(GstAppSink *sink, gpointer data)
{
    struct gst *c = data;
    g_autoptr(GstSample) sample = gst_app_sink_pull_sample(sink);
    GstBuffer *buffer = sample ? gst_sample_get_buffer(sample) : NULL;
    GstVideoInfo info;
    GstVideoFrame frame;
    if (!buffer ||
            !gst_video_info_from_caps(&info, gst_sample_get_caps(sample))) {
        return GST_FLOW_ERROR;
    }
    if (gst_buffer_get_size(buffer) == 0 ||
            GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED) ||
            !gst_video_frame_map(&frame, &info, buffer, GST_MAP_READ)) {
        return GST_FLOW_OK; /* the next one will do */
    }
    g_mutex_lock(&c->lock);
    bool fits = fit(&c->newest, &info);
    if (fits) {
        copy(&c->newest, &frame);
        c->fresh = true;
    }
    g_mutex_unlock(&c->lock);
    gst_video_frame_unmap(&frame);
    if (fits) {
        wake(c);
    }
    return GST_FLOW_OK;
}

/* Takes the newest picture. False: there is none but the one we have. */
static bool take(struct gst *c)
{
    g_mutex_lock(&c->lock);
    bool fresh = c->fresh;
    if (fresh) {
        struct picture p = c->next;
        c->next = c->newest;
        c->newest = p;
        c->fresh = false;
    }
    g_mutex_unlock(&c->lock);
    return fresh;
}

static void deliver(struct gst *c, const struct picture *p,
        const struct ph_region *damage, bool again)
{
    int64_t ready = ph_clock_ns();
    const struct ph_capture_frame event = {
            .data = p->pixels,
            .stride = p->width * 4,
            .width = p->width,
            .height = p->height,
            .format = p->format,
            .time_ns = again ? ready : p->time_ns,
            .ready_ns = ready,
            .damage = damage,
    };
    c->requested = false;
    c->whole = false;
    c->base.events->frame(c->base.data, &event);
}

static void show(struct gst *c)
{
    struct ph_region damage;
    bool fresh = take(c);
    const struct picture *p = fresh ? &c->next : &c->now;
    if (!p->pixels || (!fresh && !c->whole)) {
        return;
    }
    ph_region_clear(&damage);
    if (c->whole || !same_shape(&c->now, p)) {
        ph_region_set(&damage, (uint16_t)p->width, (uint16_t)p->height);
    } else {
        const struct ph_damage_pictures pictures = {
                .before = c->now.pixels,
                .now = p->pixels,
                .stride = p->width * 4,
                .width = (uint16_t)p->width,
                .height = (uint16_t)p->height,
        };
        const struct ph_rect all = {0, 0, pictures.width, pictures.height};
        ph_damage_compare(&pictures, all, &damage);
    }
    if (fresh) {
        struct picture before = c->now;
        c->now = c->next;
        c->next = before;
    }
    if (!ph_region_is_empty(&damage)) {
        deliver(c, &c->now, &damage, !fresh);
    }
}

static void play(struct gst *c, bool playing)
{
    if (c->playing != playing) {
        c->playing = playing;
        gst_element_set_state(
                c->pipeline, playing ? GST_STATE_PLAYING : GST_STATE_PAUSED);
    }
}

static int fd(struct ph_capture *capture)
{
    return from_base(capture)->epoll;
}

static void request(struct ph_capture *capture, bool whole)
{
    struct gst *c = from_base(capture);
    c->requested = true;
    c->whole = c->whole || whole;
    play(c, true);
    wake(c);
}

static void cancel(struct ph_capture *capture)
{
    struct gst *c = from_base(capture);
    c->requested = false;
    c->whole = true;
    play(c, false);
}

static void describe(GstMessage *message, char *out, size_t size)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *detail = NULL;
    gst_message_parse_error(message, &error, &detail);
    snprintf(
            out, size, "%s: %s", GST_MESSAGE_SRC_NAME(message), error->message);
    LOG_DBG("%s", detail ? detail : "no detail");
}

/* What the pipeline has to say; true: it is over, and why is in out. */
static bool take_messages(struct gst *c, char *out, size_t size)
{
    for (;;) {
        g_autoptr(GstMessage) message = gst_bus_pop_filtered(
                c->bus, GST_MESSAGE_ERROR | GST_MESSAGE_EOS);
        if (!message) {
            return false;
        }
        if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR) {
            describe(message, out, size);
            return true;
        }
        snprintf(out, size, "the GStreamer source has come to its end");
        return true;
    }
}

static void dispatch(struct ph_capture *capture)
{
    struct gst *c = from_base(capture);
    uint64_t count;
    (void)!read(c->wake, &count, sizeof(count));
    if (c->lost[0]) {
        return;
    }
    if (take_messages(c, c->lost, sizeof(c->lost))) {
        c->base.events->lost(c->base.data, c->lost);
        return;
    }
    if (c->requested) {
        show(c);
    }
}

static void destroy(struct ph_capture *capture)
{
    struct gst *c = from_base(capture);
    if (c->pipeline) { /* ends its threads */
        gst_element_set_state(c->pipeline, GST_STATE_NULL);
    }
    g_clear_pointer(&c->bus, gst_object_unref);
    g_clear_pointer(&c->sink, gst_object_unref);
    g_clear_pointer(&c->pipeline, gst_object_unref);
    ph_close(&c->wake);
    ph_close(&c->epoll);
    free(c->now.pixels);
    free(c->next.pixels);
    free(c->newest.pixels);
    g_mutex_clear(&c->lock);
    free(c);
}

static const struct ph_capture_ops ops = {
        .name = "gst",
        .fd = fd,
        .request = request,
        .cancel = cancel,
        .dispatch = dispatch,
        .destroy = destroy,
};

static bool make_pipeline(
        struct gst *c, const char *source, char *error, size_t size)
{
    g_autoptr(GError) why = NULL;
    g_autofree char *line = g_strconcat(source, SINK, NULL);
    c->pipeline = gst_parse_launch_full(
            line, NULL, GST_PARSE_FLAG_FATAL_ERRORS, &why);
    if (!c->pipeline) {
        snprintf(error, size, "--capture gst: %s", why->message);
        return false;
    }
    c->sink = gst_bin_get_by_name(GST_BIN(c->pipeline), "porthole");
    c->bus = gst_element_get_bus(c->pipeline);
    GstAppSinkCallbacks callbacks = {.new_sample = on_sample};
    gst_app_sink_set_callbacks(GST_APP_SINK(c->sink), &callbacks, c, NULL);
    return true;
}

static bool make_descriptors(struct gst *c)
{
    struct epoll_event readable = {.events = EPOLLIN};
    GPollFD bus;
    gst_bus_get_pollfd(c->bus, &bus);
    c->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    c->epoll = epoll_create1(EPOLL_CLOEXEC);
    return c->wake >= 0 && c->epoll >= 0 &&
            epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->wake, &readable) == 0 &&
            epoll_ctl(c->epoll, EPOLL_CTL_ADD, bus.fd, &readable) == 0;
}

/* Up to where it could play. A source that is not live is shown by its time
 * stamps; one that is, as soon as a picture is there. */
static bool start(struct gst *c, char *error, size_t size)
{
    GstStateChangeReturn result =
            gst_element_set_state(c->pipeline, GST_STATE_PAUSED);
    if (result == GST_STATE_CHANGE_ASYNC) {
        result = gst_element_get_state(c->pipeline, NULL, NULL, START_TIMEOUT);
    }
    snprintf(error, size, "the GStreamer source does not start");
    if (result == GST_STATE_CHANGE_FAILURE) {
        take_messages(c, error, size);
        return false;
    }
    g_object_set(c->sink, "sync", result != GST_STATE_CHANGE_NO_PREROLL, NULL);
    return true;
}

struct ph_capture *ph_capture_gst_create(const char *source,
        const struct ph_capture_events *events, void *data, char *error,
        size_t size)
{
    struct gst *c = ph_xcalloc(1, sizeof(*c));
    c->base = (struct ph_capture){&ops, events, data};
    c->wake = c->epoll = -1;
    c->whole = true;
    g_mutex_init(&c->lock);
    if (!make_pipeline(c, source, error, size)) {
        goto fail;
    }
    if (!make_descriptors(c)) {
        snprintf(error, size, "no descriptors for GStreamer");
        goto fail;
    }
    if (!start(c, error, size)) {
        goto fail;
    }
    return &c->base;
fail:
    destroy(&c->base);
    return NULL;
}
