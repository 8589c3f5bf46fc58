/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "hostd/encoder.h"
#include "proto/h264.h"

#define LOG_MODULE "encoder"
#include "common/log.h"

enum {
    PROBE_WIDTH = 320, /* above the smallest that hardware takes */
    PROBE_HEIGHT = 240,
};

/* Encodes one frame and looks at what comes back. */
static bool probe_frame(struct ph_encoder *e, const struct ph_nv12 *picture,
        int n, bool keyframe, char *why, size_t size)
{
    struct ph_encoder_input in = {.picture = picture, .keyframe = keyframe};
    struct ph_encoder_output out = {0};
    struct ph_h264_unit unit;
    struct ph_h264_sps sps;
    switch (e->ops->encode(e, &in, &out)) {
    case PH_ENCODER_FAILED:
        snprintf(why, size, "it cannot encode frame %d", n);
        return false;
    case PH_ENCODER_HELD:
        snprintf(why, size, "it keeps frame %d until the next one comes", n);
        return false;
    case PH_ENCODER_OK:
        break;
    }
    if (!ph_h264_inspect(out.data, out.size, &unit)) {
        snprintf(why, size, "frame %d is no H.264 byte stream", n);
        return false;
    }
    if (!keyframe) {
        return true;
    }
    if (!unit.idr || !unit.has_sps || !unit.has_pps || !out.keyframe) {
        snprintf(why, size, "frame %d should be a keyframe and is not", n);
        return false;
    }
    if (!ph_h264_parse_sps(unit.sps.data, unit.sps.size, &sps) ||
            !sps.has_reorder_bound || sps.max_reorder_frames > 0) {
        snprintf(why, size, "its parameter sets allow reordered frames");
        return false;
    }
    return true;
}

bool ph_encoder_probe(const struct ph_encoder_ops *ops, char *why, size_t size)
{
    static const bool keyframes[] = {true, false, true, false};
    struct ph_encoder_config config = {
            .width = PROBE_WIDTH,
            .height = PROBE_HEIGHT,
            .bitrate = 2000000,
            .fps = 60,
            .colour = {.matrix = 6, .primaries = 1, .transfer = 13},
    };
    struct ph_encoder *e = ops->open(ops, &config, why, size);
    if (!e) {
        return false;
    }
    static uint8_t memory[PROBE_WIDTH * PROBE_HEIGHT * 3 / 2];
    memset(memory, 128, sizeof(memory));
    struct ph_nv12 picture = {{memory, memory + PROBE_WIDTH * PROBE_HEIGHT},
            {PROBE_WIDTH, PROBE_WIDTH}, PROBE_WIDTH, PROBE_HEIGHT};
    bool ok = true;
    for (int i = 0; ok && i < (int)PH_LEN(keyframes); i++) {
        memory[i * 7] ^= 64;
        ok = probe_frame(e, &picture, i, keyframes[i], why, size);
    }
    ops->close(e);
    return ok;
}

static const struct ph_encoder_ops *pick_auto(
        const struct ph_encoder_ops *const *table, size_t count)
{
    char why[160];
    for (size_t i = 0; i < count; i++) {
        if (ph_encoder_probe(table[i], why, sizeof(why))) {
            LOG_INFO("using %s (%s)", table[i]->name, table[i]->what);
            return table[i];
        }
        LOG_INFO("not using %s: %s", table[i]->name, why);
    }
    return NULL;
}

const struct ph_encoder_ops *ph_encoder_pick(
        const struct ph_encoder_ops *const *table, size_t count,
        const char *name, char *error, size_t size)
{
    if (strcmp(name, "auto") == 0) {
        const struct ph_encoder_ops *ops = pick_auto(table, count);
        if (!ops) {
            snprintf(error, size,
                    "no encoder of this build works here (see the log)");
        }
        return ops;
    }
    for (size_t i = 0; i < count; i++) {
        if (strcmp(name, table[i]->name) != 0) {
            continue;
        }
        char why[160];
        if (ph_encoder_probe(table[i], why, sizeof(why))) {
            return table[i];
        }
        snprintf(error, size, "encoder %s does not work here: %s", name, why);
        return NULL;
    }
    snprintf(error, size,
            "there is no encoder '%s': --list-encoders shows what there is",
            name);
    return NULL;
}
