/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/caps.h"

#include <gst/pbutils/codec-utils.h>

#include "proto/h264.h"

enum {
    BT709 = 1,
    BT601 = 6,
    SRGB_TRANSFER = 13,
};

struct ph_hxfr_colour ph_caps_colour(const GstVideoInfo *info)
{
    const GstVideoColorimetry *c = &info->colorimetry;
    if (GST_VIDEO_INFO_IS_RGB(info)) {
        return (struct ph_hxfr_colour){BT601, BT709, SRGB_TRANSFER, false};
    }
    return (struct ph_hxfr_colour){
            .matrix = (uint8_t)gst_video_color_matrix_to_iso(c->matrix),
            .primaries =
                    (uint8_t)gst_video_color_primaries_to_iso(c->primaries),
            .transfer =
                    (uint8_t)gst_video_transfer_function_to_iso(c->transfer),
            .full_range = c->range == GST_VIDEO_COLOR_RANGE_0_255,
    };
}

uint32_t ph_caps_format(GstVideoFormat format)
{
    switch (format) {
    case GST_VIDEO_FORMAT_NV12:
        return PH_HXFR_NV12;
    case GST_VIDEO_FORMAT_BGRx:
    case GST_VIDEO_FORMAT_BGRA:
        return PH_HXFR_BGRA;
    case GST_VIDEO_FORMAT_RGBx:
    case GST_VIDEO_FORMAT_RGBA:
        return PH_HXFR_RGBA;
    default:
        return 0;
    }
}

static void set_colorimetry(
        const struct ph_h264_sps *sps, GstVideoColorimetry *c)
{
    if (sps->has_colour) {
        c->matrix = gst_video_color_matrix_from_iso(sps->matrix);
        c->primaries = gst_video_color_primaries_from_iso(sps->primaries);
        c->transfer = gst_video_transfer_function_from_iso(sps->transfer);
    }
    c->range = sps->has_range && sps->full_range ? GST_VIDEO_COLOR_RANGE_0_255
                                                 : GST_VIDEO_COLOR_RANGE_16_235;
}

GstCaps *ph_caps_from_sps(const guint8 *data, gsize size, GstVideoInfo *info)
{
    struct ph_h264_sps sps;
    if (!ph_h264_parse_sps(data, size, &sps)) {
        return NULL;
    }
    GstCaps *caps =
            gst_caps_new_simple("video/x-h264", "stream-format", G_TYPE_STRING,
                    "byte-stream", "alignment", G_TYPE_STRING, "au", NULL);
    gst_codec_utils_h264_caps_set_level_and_profile(
            caps, data + 1, (guint)(size - 1));
    info->width = (gint)sps.width;
    info->height = (gint)sps.height;
    set_colorimetry(&sps, &info->colorimetry);
    return caps;
}
