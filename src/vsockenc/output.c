/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/output.h"

#include <string.h>

#include "proto/h264.h"
#include "vsockenc/caps.h"

static bool is_known(PhVsockenc *self, const struct ph_h264_nal *sps)
{
    gsize size = 0;
    gconstpointer data = self->sps ? g_bytes_get_data(self->sps, &size) : NULL;
    return data && size == sps->size && memcmp(data, sps->data, size) == 0;
}

/* The caps follow what the encoder made, whichever host it is on. */
static bool follow_sps(PhVsockenc *self, const struct ph_transit_out *out)
{
    GstVideoEncoder *encoder = GST_VIDEO_ENCODER(self);
    struct ph_h264_unit unit;
    if (!ph_h264_inspect(out->data, out->size, &unit) || !unit.has_sps) {
        return self->sps != NULL;
    }
    if (is_known(self, &unit.sps)) {
        return true;
    }
    GstVideoInfo info = self->input->info;
    GstCaps *caps = ph_caps_from_sps(unit.sps.data, unit.sps.size, &info);
    if (!caps) {
        return false;
    }
    GstVideoCodecState *state =
            gst_video_encoder_set_output_state(encoder, caps, self->input);
    state->info.width = info.width;
    state->info.height = info.height;
    state->info.colorimetry = info.colorimetry;
    gst_video_codec_state_unref(state);
    g_clear_pointer(&self->sps, g_bytes_unref);
    self->sps = g_bytes_new(unit.sps.data, unit.sps.size);
    return gst_video_encoder_negotiate(encoder);
}

/* Takes what is in `out`. */
static GstFlowReturn push_unit(PhVsockenc *self, struct ph_transit_out *out)
{
    GstVideoCodecFrame *frame = out->frame;
    bool ok = follow_sps(self, out);
    frame->output_buffer = gst_buffer_new_wrapped(out->data, out->size);
    if (!ok) {
        gst_video_codec_frame_unref(frame);
        return GST_FLOW_NOT_NEGOTIATED;
    }
    if (out->keyframe) {
        GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
    }
    frame->dts = frame->pts; /* nothing is reordered */
    return gst_video_encoder_finish_frame(GST_VIDEO_ENCODER(self), frame);
}

/* Ends the task and everybody's waiting; handle_frame returns the reason. */
static void end(PhVsockenc *self, GstFlowReturn reason)
{
    g_atomic_int_set(&self->flow_return, reason);
    ph_transit_stop(self->transit);
}

static void loop(gpointer data)
{
    PhVsockenc *self = data;
    struct ph_transit_out out;
    switch (ph_transit_pop(self->transit, &out)) {
    case PH_TRANSIT_UNIT: {
        GstFlowReturn r = push_unit(self, &out);
        if (r != GST_FLOW_OK) {
            GST_DEBUG_OBJECT(self, "downstream: %s", gst_flow_get_name(r));
            end(self, r);
        }
        break;
    }
    case PH_TRANSIT_TROUBLE:
        GST_ELEMENT_WARNING(self, RESOURCE, READ, ("%s", out.text), (NULL));
        break;
    case PH_TRANSIT_BETTER:
        GST_ELEMENT_INFO(self, RESOURCE, READ, ("%s", out.text), (NULL));
        break;
    case PH_TRANSIT_FAILED:
        GST_ELEMENT_ERROR(self, RESOURCE, FAILED,
                ("No host encodes the frames: %s", out.text), (NULL));
        end(self, GST_FLOW_ERROR);
        break;
    case PH_TRANSIT_STOPPED:
        gst_pad_pause_task(GST_VIDEO_ENCODER_SRC_PAD(self));
        break;
    }
}

void ph_output_start(PhVsockenc *self)
{
    GstPad *pad = GST_VIDEO_ENCODER_SRC_PAD(self);
    if (gst_pad_get_task_state(pad) != GST_TASK_STARTED) {
        gst_pad_start_task(pad, loop, self, NULL);
    }
}
