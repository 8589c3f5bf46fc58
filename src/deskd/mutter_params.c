/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter_params.h"

#include <spa/buffer/buffer.h>
#include <spa/buffer/meta.h>
#include <spa/param/buffers.h>
#include <spa/param/video/format-utils.h>
#include <spa/pod/builder.h>

#include "common/macros.h"
#include "deskd/mutter_cursor.h"
#include "proto/hxfr_ext.h"

enum {
    USUAL_FPS = 60,
    MOST_FPS = 1000,
    LEAST_BUFFERS = 2,
    USUAL_BUFFERS = 4,
    MOST_REGIONS = 16,
};

size_t ph_mutter_params_format(uint32_t width, uint32_t height, uint32_t fps,
        uint8_t *memory, size_t size,
        const struct spa_pod *out[PH_MUTTER_PARAMS])
{
    struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, (uint32_t)size);
    struct spa_pod_frame frame;
    uint32_t rate = fps ? fps : MOST_FPS;
    struct spa_rectangle least = SPA_RECTANGLE(1, 1);
    struct spa_rectangle most =
            SPA_RECTANGLE(PH_HXFR_MAX_SIDE, PH_HXFR_MAX_SIDE);
    struct spa_rectangle usual = SPA_RECTANGLE(1920, 1080);
    struct spa_rectangle exact = SPA_RECTANGLE(width, height);
    struct spa_fraction varies = SPA_FRACTION(0, 1);
    struct spa_fraction fastest = SPA_FRACTION(rate, 1);
    struct spa_fraction slowest = SPA_FRACTION(1, 1);
    struct spa_fraction wanted =
            SPA_FRACTION(fps ? fps : (uint32_t)USUAL_FPS, 1);
    spa_pod_builder_push_object(
            &b, &frame, SPA_TYPE_OBJECT_Format, SPA_PARAM_EnumFormat);
    spa_pod_builder_add(&b, SPA_FORMAT_mediaType,
            SPA_POD_Id(SPA_MEDIA_TYPE_video), SPA_FORMAT_mediaSubtype,
            SPA_POD_Id(SPA_MEDIA_SUBTYPE_raw), SPA_FORMAT_VIDEO_format,
            SPA_POD_CHOICE_ENUM_Id(5, SPA_VIDEO_FORMAT_BGRx,
                    SPA_VIDEO_FORMAT_BGRx, SPA_VIDEO_FORMAT_BGRA,
                    SPA_VIDEO_FORMAT_RGBx, SPA_VIDEO_FORMAT_RGBA),
            0);
    if (width) {
        spa_pod_builder_add(
                &b, SPA_FORMAT_VIDEO_size, SPA_POD_Rectangle(&exact), 0);
    } else {
        spa_pod_builder_add(&b, SPA_FORMAT_VIDEO_size,
                SPA_POD_CHOICE_RANGE_Rectangle(&usual, &least, &most), 0);
    }
    spa_pod_builder_add(&b, SPA_FORMAT_VIDEO_framerate,
            SPA_POD_Fraction(&varies), SPA_FORMAT_VIDEO_maxFramerate,
            SPA_POD_CHOICE_RANGE_Fraction(&wanted, &slowest, &fastest), 0);
    out[0] = spa_pod_builder_pop(&b, &frame);
    return 1;
}

static const struct spa_pod *meta(
        struct spa_pod_builder *b, uint32_t type, int size, int least, int most)
{
    return spa_pod_builder_add_object(b, SPA_TYPE_OBJECT_ParamMeta,
            SPA_PARAM_Meta, SPA_PARAM_META_type, SPA_POD_Id(type),
            SPA_PARAM_META_size, SPA_POD_CHOICE_RANGE_Int(size, least, most));
}

size_t ph_mutter_params_buffers(uint32_t most, uint8_t *memory, size_t size,
        const struct spa_pod *out[PH_MUTTER_PARAMS])
{
    const int kinds =
            1 << SPA_DATA_MemFd | 1 << SPA_DATA_MemPtr | 1 << SPA_DATA_DmaBuf;
    const int header = sizeof(struct spa_meta_header);
    const int region = sizeof(struct spa_meta_region);
    struct spa_pod_builder b = SPA_POD_BUILDER_INIT(memory, (uint32_t)size);
    int count = most ? (int)most : USUAL_BUFFERS;
    size_t n = 0;
    out[n++] = spa_pod_builder_add_object(&b, SPA_TYPE_OBJECT_ParamBuffers,
            SPA_PARAM_Buffers, SPA_PARAM_BUFFERS_buffers,
            SPA_POD_CHOICE_RANGE_Int(count, LEAST_BUFFERS, count),
            SPA_PARAM_BUFFERS_dataType, SPA_POD_CHOICE_FLAGS_Int(kinds));
    out[n++] = spa_pod_builder_add_object(&b, SPA_TYPE_OBJECT_ParamMeta,
            SPA_PARAM_Meta, SPA_PARAM_META_type, SPA_POD_Id(SPA_META_Header),
            SPA_PARAM_META_size, SPA_POD_Int(header));
    out[n++] = meta(&b, SPA_META_VideoDamage, MOST_REGIONS * region, region,
            MOST_REGIONS * region);
    out[n++] = meta(&b, SPA_META_Cursor, PH_MUTTER_CURSOR_META(64),
            PH_MUTTER_CURSOR_META(1), PH_MUTTER_CURSOR_META(384));
    return n;
}

bool ph_mutter_clip(const struct spa_region *region, uint32_t width,
        uint32_t height, struct ph_rect *out)
{
    int64_t left = PH_MAX(0, (int64_t)region->position.x);
    int64_t top = PH_MAX(0, (int64_t)region->position.y);
    int64_t right = PH_MIN(
            (int64_t)width, (int64_t)region->position.x + region->size.width);
    int64_t bottom = PH_MIN(
            (int64_t)height, (int64_t)region->position.y + region->size.height);
    if (left >= right || top >= bottom) {
        return false;
    }
    *out = (struct ph_rect){(uint16_t)left, (uint16_t)top,
            (uint16_t)(right - left), (uint16_t)(bottom - top)};
    return true;
}
