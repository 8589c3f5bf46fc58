/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/macros.h"
#include "hostd/encoder_check.h"
#include "proto/h264.h"

#define LOG_MODULE "encoder"
#include "common/log.h"

enum {
    PROBE_WIDTH = 320, /* above the smallest that hardware takes */
    PROBE_HEIGHT = 240,
};

struct probe {
    struct ph_encoder *encoder;
    struct ph_encoder_check *check; /* NULL: its pictures need none */
    struct ph_nv12 picture;
};

/* Encodes one frame and looks at what comes back. */
static bool probe_frame(
        struct probe *p, int n, bool keyframe, char *why, size_t size)
{
    struct ph_encoder *e = p->encoder;
    struct ph_encoder_input in = {.picture = &p->picture, .keyframe = keyframe};
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
    const char *fault = p->check
            ? ph_encoder_check_unit(p->check, &out, &p->picture)
            : NULL;
    if (fault) {
        snprintf(why, size, "decoded, frame %d %s", n, fault);
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

/* A gradient in each of three planes, and a bar that moves: nothing in it can
 * be turned, shifted or mixed up without a difference. */
static void paint(uint8_t *memory, int n)
{
    uint8_t *chroma = memory + PROBE_WIDTH * PROBE_HEIGHT;
    for (int y = 0; y < PROBE_HEIGHT; y++) {
        for (int x = 0; x < PROBE_WIDTH; x++) {
            bool bar = x / 16 == 3 + n && y > 40;
            memory[y * PROBE_WIDTH + x] =
                    (uint8_t)(bar ? 220 : 30 + x / 2 + y / 8);
            if (y < PROBE_HEIGHT / 2) {
                chroma[y * PROBE_WIDTH + x] =
                        (uint8_t)(x % 2 ? 60 + y : 200 - x / 4);
            }
        }
    }
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
    static uint8_t memory[PROBE_WIDTH * PROBE_HEIGHT * 3 / 2];
    struct probe p = {
            .encoder = ops->open(ops, &config, why, size),
            .picture = {{memory, memory + PROBE_WIDTH * PROBE_HEIGHT},
                    {PROBE_WIDTH, PROBE_WIDTH}, PROBE_WIDTH, PROBE_HEIGHT},
    };
    if (!p.encoder) {
        return false;
    }
    if (ops->hardware) {
        p.check = ph_encoder_check_create();
    }
    bool ok = true;
    for (int i = 0; ok && i < (int)PH_LEN(keyframes); i++) {
        paint(memory, i);
        ok = probe_frame(&p, i, keyframes[i], why, size);
    }
    ops->close(p.encoder);
    ph_encoder_check_destroy(p.check);
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
