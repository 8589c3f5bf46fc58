/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/vsockenc.h"

#include <gst/allocators/allocators.h>

#include "common/cleanup.h"
#include "vsockenc/caps.h"
#include "vsockenc/output.h"
#include "vsockenc/resource_linux.h"
#define LOG_MODULE "vsockenc"
#include "common/log.h"

GST_DEBUG_CATEGORY(ph_vsockenc_debug);

#define FORMATS "{ NV12, I420, BGRx, BGRA, RGBx, RGBA }"
#define RATES "framerate = (fraction) [ 0/1, 2147483647/1 ]"
#define SIDES "width = (int) [ 1, 8192 ], height = (int) [ 1, 8192 ]"

static GstStaticPadTemplate sink_template =
        GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS,
                GST_STATIC_CAPS("video/x-raw, format = " FORMATS ", " SIDES
                                ", " RATES "; "
                                "video/x-raw(memory:DMABuf), format = " FORMATS
                                ", " SIDES ", " RATES));
static GstStaticPadTemplate src_template =
        GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS,
                GST_STATIC_CAPS("video/x-h264, " SIDES ", " RATES ", "
                                "stream-format = byte-stream, alignment = au"));

G_DEFINE_TYPE(PhVsockenc, ph_vsockenc, GST_TYPE_VIDEO_ENCODER)
GST_ELEMENT_REGISTER_DEFINE(
        vsockenc, "vsockenc", GST_RANK_MARGINAL, PH_TYPE_VSOCKENC)

/* --- properties --- */

static void set_property(
        GObject *object, guint id, const GValue *value, GParamSpec *spec)
{
    PhVsockenc *self = PH_VSOCKENC(object);
    GST_OBJECT_LOCK(self);
    gboolean known = ph_settings_set(&self->settings, id, value);
    if (id == PH_PROP_BITRATE && self->transit) {
        ph_transit_set_bitrate(self->transit, (uint32_t)self->settings.bitrate);
    }
    GST_OBJECT_UNLOCK(self);
    if (!known) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

static GstStructure *make_stats(const struct ph_transit_stats *s)
{
    return gst_structure_new("vsockenc-stats", "frames", G_TYPE_UINT64,
            s->frames, "units", G_TYPE_UINT64, s->units, "keyframes",
            G_TYPE_UINT64, s->keyframes, "repeats", G_TYPE_UINT64, s->repeats,
            "resources", G_TYPE_UINT64, s->resources, "bytes", G_TYPE_UINT64,
            s->bytes, "bytes-sent", G_TYPE_UINT64, s->bytes_sent, "lost",
            G_TYPE_UINT64, s->lost, "switches", G_TYPE_UINT, s->switches,
            "in-flight", G_TYPE_UINT, s->in_flight, "own-host", G_TYPE_BOOLEAN,
            s->own, "shared-memory", G_TYPE_BOOLEAN, s->shared, "protocol",
            G_TYPE_INT, s->version, "host", G_TYPE_STRING, s->host, "round-us",
            G_TYPE_UINT, s->round_us, "encode-us", G_TYPE_UINT, s->encode_us,
            NULL);
}

static void get_property(
        GObject *object, guint id, GValue *value, GParamSpec *spec)
{
    PhVsockenc *self = PH_VSOCKENC(object);
    struct ph_transit_stats stats = {0};
    gboolean known = TRUE;
    GST_OBJECT_LOCK(self);
    if (id == PH_PROP_STATS) {
        if (self->transit) {
            ph_transit_get_stats(self->transit, &stats);
        }
        g_value_take_boxed(value, make_stats(&stats));
    } else {
        known = ph_settings_get(&self->settings, id, value);
    }
    GST_OBJECT_UNLOCK(self);
    if (!known) {
        G_OBJECT_WARN_INVALID_PROPERTY_ID(object, id, spec);
    }
}

/* --- start and stop --- */

static void release_frame(void *frame)
{
    gst_video_codec_frame_unref(frame);
}

/* Finds our own hostd where it is wanted. Where no host is named it is if it is
 * installed: the host of a virtual machine is looked for first. */
static void find_own(PhVsockenc *self, gboolean named, gboolean fallback)
{
    char error[256] = "";
    if (named && !fallback) {
        return;
    }
    self->own = ph_host_spawn_create(NULL, NULL, error, sizeof(error));
    if (!self->own && fallback) {
        GST_ELEMENT_WARNING(self, LIBRARY, INIT,
                ("There is no host of our own to fall back to."),
                ("%s", error));
    }
}

/* Not the base class's start and stop: a failure there gets an error of its
 * own, which says nothing, besides the one that says what is wrong. */
static gboolean start(PhVsockenc *self)
{
    struct ph_transit_options options = {
            .link = {.name = "vsockenc " PH_VERSION}, .release = release_frame};
    char error[PH_ENDPOINT_TEXT_MAX + 64] = "";
    GST_OBJECT_LOCK(self);
    const struct ph_settings *s = &self->settings;
    enum ph_settings_host host = ph_settings_endpoint(
            s, &options.link.endpoint, error, sizeof(error));
    gboolean fallback = s->fallback;
    options.link.window = s->max_in_flight;
    options.link.bitrate = (uint32_t)s->bitrate;
    options.link.v1_format = s->v1_format == PH_V1_NV12 ? PH_HXFR_NV12 : 0;
    options.timeout_ms = s->timeout;
    GST_OBJECT_UNLOCK(self);
    if (host == PH_SETTINGS_WRONG) {
        GST_ELEMENT_ERROR(self, RESOURCE, SETTINGS,
                ("Where the host is cannot be understood."), ("%s", error));
        return FALSE;
    }
    if (host == PH_SETTINGS_NONE) {
        options.link.endpoint.kind = PH_ENDPOINT_AUTO;
    }
    find_own(self, host == PH_SETTINGS_NAMED, fallback);
    options.own = self->own;
    self->node = ph_resource_open();
    options.link.resources = self->node >= 0;
    struct ph_transit *transit = ph_transit_create(&options);
    GST_OBJECT_LOCK(self);
    self->transit = transit;
    ph_transit_set_bitrate(transit, (uint32_t)self->settings.bitrate);
    GST_OBJECT_UNLOCK(self);
    g_atomic_int_set(&self->flow_return, GST_FLOW_OK);
    self->since_keyframe = 0;
    return TRUE;
}

static void stop(PhVsockenc *self)
{
    struct ph_transit *transit = self->transit;
    if (transit) {
        ph_transit_stop(transit);
        gst_pad_stop_task(GST_VIDEO_ENCODER_SRC_PAD(self)); /* which uses it */
        GST_OBJECT_LOCK(self);
        self->transit = NULL;
        GST_OBJECT_UNLOCK(self);
        ph_transit_destroy(transit);
    }
    ph_close(&self->node);
    ph_host_spawn_destroy(self->own);
    self->own = NULL;
    ph_pictures_finish(&self->pictures);
    g_clear_pointer(&self->input, gst_video_codec_state_unref);
    g_clear_pointer(&self->sps, g_bytes_unref);
}

static GstStateChangeReturn change_state(
        GstElement *element, GstStateChange transition)
{
    PhVsockenc *self = PH_VSOCKENC(element);
    if (transition == GST_STATE_CHANGE_READY_TO_PAUSED && !start(self)) {
        return GST_STATE_CHANGE_FAILURE;
    }
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY) {
        /* Who waits must return before the pads can be deactivated. */
        ph_transit_stop(self->transit);
    }
    GstStateChangeReturn r = GST_ELEMENT_CLASS(ph_vsockenc_parent_class)
                                     ->change_state(element, transition);
    if (transition == GST_STATE_CHANGE_PAUSED_TO_READY ||
            (transition == GST_STATE_CHANGE_READY_TO_PAUSED &&
                    r == GST_STATE_CHANGE_FAILURE)) {
        stop(self);
    }
    return r;
}

/* --- frames --- */

static GstFlowReturn why_stopped(PhVsockenc *self)
{
    GstFlowReturn r = g_atomic_int_get(&self->flow_return);
    return r == GST_FLOW_OK ? GST_FLOW_FLUSHING : r;
}

/* Until all access units have left. With the stream lock held, which is given
 * up meanwhile. */
static GstFlowReturn drain(PhVsockenc *self)
{
    GstVideoEncoder *encoder = GST_VIDEO_ENCODER(self);
    GST_VIDEO_ENCODER_STREAM_UNLOCK(encoder);
    bool ok = ph_transit_drain(self->transit);
    GST_VIDEO_ENCODER_STREAM_LOCK(encoder);
    return ok ? GST_FLOW_OK : why_stopped(self);
}

static void set_latency(PhVsockenc *self, const GstVideoInfo *info)
{
    guint64 most = GST_CLOCK_TIME_NONE;
    guint64 least = 0;
    if (info->fps_n > 0) {
        GST_OBJECT_LOCK(self);
        guint in_flight = self->settings.max_in_flight;
        GST_OBJECT_UNLOCK(self);
        least = gst_util_uint64_scale(
                GST_SECOND, (guint64)info->fps_d, (guint64)info->fps_n);
        most = least * in_flight;
    }
    gst_video_encoder_set_latency(GST_VIDEO_ENCODER(self), least, most);
}

static gboolean set_format(GstVideoEncoder *encoder, GstVideoCodecState *state)
{
    PhVsockenc *self = PH_VSOCKENC(encoder);
    if (drain(self) != GST_FLOW_OK) {
        return FALSE;
    }
    g_clear_pointer(&self->input, gst_video_codec_state_unref);
    self->input = gst_video_codec_state_ref(state);
    g_clear_pointer(&self->sps, g_bytes_unref); /* new caps in any case */
    struct ph_hxfr_colour colour = ph_caps_colour(&state->info);
    GST_OBJECT_LOCK(self);
    guint count = self->settings.max_in_flight + 1;
    GST_OBJECT_UNLOCK(self);
    ph_pictures_finish(&self->pictures);
    if (!ph_pictures_init(&self->pictures, &state->info, count)) {
        GST_ELEMENT_ERROR(self, RESOURCE, NO_SPACE_LEFT,
                ("No memory for pictures of %dx%d.", state->info.width,
                        state->info.height),
                (NULL));
        return FALSE;
    }
    ph_transit_set_surface(self->transit, self->pictures.width,
            self->pictures.height, &colour);
    self->since_keyframe = 0;
    set_latency(self, &state->info);
    return TRUE;
}

/* Upstream gets its buffer back now; what it says besides pixels is kept. */
static void give_back(GstVideoCodecFrame *frame)
{
    GstBuffer *without = gst_buffer_new();
    gst_buffer_copy_into(without, frame->input_buffer,
            GST_BUFFER_COPY_FLAGS | GST_BUFFER_COPY_TIMESTAMPS |
                    GST_BUFFER_COPY_META,
            0, (gsize)-1);
    gst_buffer_unref(frame->input_buffer);
    frame->input_buffer = without;
}

static bool is_keyframe(PhVsockenc *self, GstVideoCodecFrame *frame)
{
    GST_OBJECT_LOCK(self);
    guint interval = self->settings.keyframe_interval;
    GST_OBJECT_UNLOCK(self);
    bool key = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame) ||
            (interval && self->since_keyframe >= interval);
    self->since_keyframe = key ? 1 : self->since_keyframe + 1;
    return key;
}

/* What a dma-buf is to the host; id 0: nothing. */
static struct ph_link_resource find_resource(
        PhVsockenc *self, const GstVideoFrame *pixels)
{
    struct ph_link_resource r = {0};
    GstVideoFormat format = GST_VIDEO_FRAME_FORMAT(pixels);
    GstMemory *memory = gst_buffer_peek_memory(pixels->buffer, 0);
    if (gst_buffer_n_memory(pixels->buffer) != 1 ||
            !gst_is_dmabuf_memory(memory) ||
            memory->offset + GST_VIDEO_FRAME_PLANE_OFFSET(pixels, 0) != 0 ||
            self->node < 0 || !ph_transit_takes_resources(self->transit)) {
        return r;
    }
    r.format = ph_caps_format(format);
    r.id = r.format
            ? ph_resource_id(self->node, gst_dmabuf_memory_get_fd(memory))
            : 0;
    r.width = (uint32_t)GST_VIDEO_FRAME_WIDTH(pixels);
    r.height = (uint32_t)GST_VIDEO_FRAME_HEIGHT(pixels);
    r.stride = (uint32_t)GST_VIDEO_FRAME_PLANE_STRIDE(pixels, 0);
    return r;
}

/* Draws and sends. False: its pixels cannot be read. */
static bool take(PhVsockenc *self, GstVideoCodecFrame *frame)
{
    struct ph_pictures *p = &self->pictures;
    struct ph_transit_frame out = {.frame = frame};
    GstVideoFrame pixels;
    if (!gst_video_frame_map(&pixels, &self->input->info, frame->input_buffer,
                GST_MAP_READ)) {
        return false;
    }
    out.index = ph_transit_free_picture(self->transit, p->count, p->newest);
    out.picture = &p->items[out.index];
    ph_pictures_draw(p, out.index, &pixels, &out.changed);
    out.resource = find_resource(self, &pixels);
    gst_video_frame_unmap(&pixels);
    if (out.resource.id == 0) { /* else the host reads it */
        give_back(frame);
    }
    out.pts = GST_CLOCK_TIME_IS_VALID(frame->pts)
            ? (int64_t)frame->pts
            : (int64_t)frame->system_frame_number * GST_MSECOND;
    out.keyframe = is_keyframe(self, frame);
    ph_transit_push(self->transit, &out);
    return true;
}

static GstFlowReturn handle_frame(
        GstVideoEncoder *encoder, GstVideoCodecFrame *frame)
{
    PhVsockenc *self = PH_VSOCKENC(encoder);
    GstFlowReturn r = GST_FLOW_OK;
    ph_output_start(self);
    GST_VIDEO_ENCODER_STREAM_UNLOCK(encoder);
    if (!ph_transit_wait_room(self->transit)) {
        r = why_stopped(self);
    } else if (!take(self, frame)) {
        GST_ELEMENT_ERROR(self, RESOURCE, READ,
                ("The pixels of a frame cannot be read."), (NULL));
        r = GST_FLOW_ERROR;
    }
    GST_VIDEO_ENCODER_STREAM_LOCK(encoder);
    if (r != GST_FLOW_OK) {
        gst_video_codec_frame_unref(frame);
    }
    return r;
}

static GstFlowReturn finish(GstVideoEncoder *encoder)
{
    return drain(PH_VSOCKENC(encoder));
}

static gboolean flush(GstVideoEncoder *encoder)
{
    PhVsockenc *self = PH_VSOCKENC(encoder);
    ph_transit_flush(self->transit);
    ph_transit_start(self->transit);
    g_atomic_int_set(&self->flow_return, GST_FLOW_OK);
    return TRUE;
}

static gboolean sink_event(GstVideoEncoder *encoder, GstEvent *event)
{
    PhVsockenc *self = PH_VSOCKENC(encoder);
    bool flushes = GST_EVENT_TYPE(event) == GST_EVENT_FLUSH_START;
    if (flushes && self->transit) {
        ph_transit_stop(self->transit);
    }
    gboolean ok = GST_VIDEO_ENCODER_CLASS(ph_vsockenc_parent_class)
                          ->sink_event(encoder, event);
    if (flushes) {
        gst_pad_pause_task(encoder->srcpad);
    }
    return ok;
}

static gboolean propose_allocation(GstVideoEncoder *encoder, GstQuery *query)
{
    gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    return GST_VIDEO_ENCODER_CLASS(ph_vsockenc_parent_class)
            ->propose_allocation(encoder, query);
}

/* --- class --- */

static void finalize(GObject *object)
{
    ph_settings_finish(&PH_VSOCKENC(object)->settings);
    G_OBJECT_CLASS(ph_vsockenc_parent_class)->finalize(object);
}

static void ph_vsockenc_init(PhVsockenc *self)
{
    ph_settings_init(&self->settings);
    self->pictures.newest = -1;
    self->node = -1;
}

/* What the libraries below log goes where GStreamer's own does. */
static void log_line(
        enum ph_log_level level, const char *module, const char *text)
{
    static const GstDebugLevel levels[] = {
            [PH_LOG_ERROR] = GST_LEVEL_WARNING, /* the bus has the errors */
            [PH_LOG_WARN] = GST_LEVEL_INFO,
            [PH_LOG_INFO] = GST_LEVEL_INFO,
            [PH_LOG_DEBUG] = GST_LEVEL_DEBUG,
    };
    GST_CAT_LEVEL_LOG(
            ph_vsockenc_debug, levels[level], NULL, "%s: %s", module, text);
}

static void ph_vsockenc_class_init(PhVsockencClass *klass)
{
    GObjectClass *object = G_OBJECT_CLASS(klass);
    GstElementClass *element = GST_ELEMENT_CLASS(klass);
    GstVideoEncoderClass *encoder = GST_VIDEO_ENCODER_CLASS(klass);
    GST_DEBUG_CATEGORY_INIT(
            ph_vsockenc_debug, "vsockenc", 0, "encoder on the host");
    ph_log_set_level(PH_LOG_DEBUG);
    ph_log_set_sink(log_line);
    object->set_property = set_property;
    object->get_property = get_property;
    object->finalize = finalize;
    ph_settings_install(object);
    element->change_state = change_state;
    gst_element_class_add_static_pad_template(element, &sink_template);
    gst_element_class_add_static_pad_template(element, &src_template);
    gst_element_class_set_static_metadata(element, "H.264 encoder on the host",
            "Codec/Encoder/Video",
            "Has frames encoded by the host of this virtual machine or "
            "container",
            "Porthole");
    encoder->set_format = set_format;
    encoder->handle_frame = handle_frame;
    encoder->finish = finish;
    encoder->flush = flush;
    encoder->sink_event = sink_event;
    encoder->propose_allocation = propose_allocation;
}
