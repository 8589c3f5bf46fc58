/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/vsockenc.h"

#include <gst/allocators/allocators.h>

#include "common/cleanup.h"
#include "vsockenc/caps.h"
#include "vsockenc/input.h"
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
    self->window = s->max_in_flight;
    options.link.window = self->window;
    options.link.bitrate = (uint32_t)s->bitrate;
    options.link.no_sharing = !s->shared_memory;
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
    g_atomic_int_set(&self->relinked, FALSE);
    self->since_keyframe = 0;
    self->told_bitrate = 0; /* the base class forgets its tags */
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
        least = gst_util_uint64_scale(
                GST_SECOND, (guint64)info->fps_d, (guint64)info->fps_n);
        most = least * self->window;
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
    ph_pictures_finish(&self->pictures);
    if (!ph_pictures_init(&self->pictures, &state->info, self->window + 1)) {
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

/* With the stream lock held. */
static void update_tags(PhVsockenc *self)
{
    GST_OBJECT_LOCK(self);
    gint bitrate = self->settings.bitrate;
    GST_OBJECT_UNLOCK(self);
    if (bitrate == self->told_bitrate) {
        return;
    }
    self->told_bitrate = bitrate;
    GstTagList *tags = gst_tag_list_new(GST_TAG_ENCODER, "vsockenc",
            GST_TAG_MAXIMUM_BITRATE, (guint)bitrate, NULL);
    gst_video_encoder_merge_tags(
            GST_VIDEO_ENCODER(self), tags, GST_TAG_MERGE_REPLACE);
    gst_tag_list_unref(tags);
}

/* What comes next is a keyframe. */
static void begin_anew(PhVsockenc *self)
{
    ph_transit_flush(self->transit);
    ph_transit_start(self->transit);
    g_atomic_int_set(&self->flow_return, GST_FLOW_OK);
}

/* Who was not linked downstream may be now. With the stream lock held. */
static void try_again(PhVsockenc *self)
{
    GstVideoEncoder *encoder = GST_VIDEO_ENCODER(self);
    if (!g_atomic_int_compare_and_exchange(&self->relinked, TRUE, FALSE) ||
            g_atomic_int_get(&self->flow_return) != GST_FLOW_NOT_LINKED) {
        return;
    }
    GST_VIDEO_ENCODER_STREAM_UNLOCK(encoder);
    gst_pad_pause_task(encoder->srcpad);
    GST_VIDEO_ENCODER_STREAM_LOCK(encoder);
    begin_anew(self);
}

static GstFlowReturn handle_frame(
        GstVideoEncoder *encoder, GstVideoCodecFrame *frame)
{
    PhVsockenc *self = PH_VSOCKENC(encoder);
    GstFlowReturn r = GST_FLOW_OK;
    if (self->pictures.newest < 0 && !ph_input_has_pixels(frame)) {
        /* Before there are caps the base class cannot finish one that has no
         * unit; what events came with it go out with the next. */
        gst_video_codec_frame_unref(frame);
        return GST_FLOW_OK;
    }
    update_tags(self);
    try_again(self);
    ph_output_start(self);
    GST_VIDEO_ENCODER_STREAM_UNLOCK(encoder);
    if (!ph_transit_wait_room(self->transit)) {
        r = why_stopped(self);
    } else if (!ph_input_take(self, frame)) {
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
    begin_anew(self);
    self->since_keyframe = 0;
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

static gboolean src_event(GstVideoEncoder *encoder, GstEvent *event)
{
    if (GST_EVENT_TYPE(event) == GST_EVENT_RECONFIGURE) {
        g_atomic_int_set(&PH_VSOCKENC(encoder)->relinked, TRUE);
    }
    return GST_VIDEO_ENCODER_CLASS(ph_vsockenc_parent_class)
            ->src_event(encoder, event);
}

/* The base class's pool is one of plain memory, which no dma-buf can come
 * from. */
static gboolean propose_allocation(GstVideoEncoder *encoder, GstQuery *query)
{
    GstCaps *caps = NULL;
    gst_query_parse_allocation(query, &caps, NULL);
    bool dmabuf = caps &&
            gst_caps_features_contains(gst_caps_get_features(caps, 0),
                    GST_CAPS_FEATURE_MEMORY_DMABUF);
    if (!dmabuf &&
            !GST_VIDEO_ENCODER_CLASS(ph_vsockenc_parent_class)
                     ->propose_allocation(encoder, query)) {
        return FALSE;
    }
    if (!gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL)) {
        gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, NULL);
    }
    return TRUE;
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
    encoder->src_event = src_event;
    encoder->propose_allocation = propose_allocation;
}
