/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An access unit (Annex B), the same bytes as a bare SPS, and repaired. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/h264_repair.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool ok)
{
    if (!ok) {
        abort();
    }
}

static void fuzz_sps(const uint8_t *data, size_t size)
{
    struct ph_h264_sps sps;
    if (ph_h264_parse_sps(data, size, &sps)) {
        char text[PH_H264_CODEC_TEXT];
        ph_h264_codec_text(&sps, text);
        must(strlen(text) == PH_H264_CODEC_TEXT - 1);
    }
}

/* What was repaired is Annex B that needs no more repair; an exact-size copy
 * shows what is written past its end. */
static void fuzz_repair(uint8_t length_size, const uint8_t *data, size_t size)
{
    struct ph_h264_repair r = {.length_size = length_size,
            .width = 320,
            .height = 240,
            .colour = {1, 13, 6, false}};
    size_t needed = 0;
    size_t again = 0;
    if (!ph_h264_repair_unit(&r, data, size, NULL, 0, &needed)) {
        return;
    }
    uint8_t *out = malloc(needed);
    must(out && ph_h264_repair_unit(&r, data, size, out, needed, &again));
    must(again == needed);
    struct ph_h264_unit unit;
    struct ph_h264_sps sps;
    if (ph_h264_inspect(out, needed, &unit) && unit.has_sps) {
        must(ph_h264_parse_sps(unit.sps.data, unit.sps.size, &sps));
        must(sps.has_reorder_bound && sps.max_reorder_frames == 0);
        must(sps.has_colour);
    }
    free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ph_h264_nal nal;
    size_t pos = 0;
    size_t before = 0;
    while (ph_h264_next_nal(data, size, &pos, &nal)) {
        must(pos > before && pos <= size);
        must(nal.data >= data && nal.data + nal.size <= data + size);
        if (nal.type == PH_H264_SPS) {
            fuzz_sps(nal.data, nal.size);
        }
        before = pos;
    }
    struct ph_h264_unit unit;
    if (ph_h264_inspect(data, size, &unit)) {
        must(unit.slices > 0);
    }
    fuzz_sps(data, size);
    static const uint8_t framings[] = {0, 1, 2, 4};
    for (size_t i = 0; i < sizeof(framings); i++) {
        fuzz_repair(framings[i], data, size);
    }
    return 0;
}
