/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* An access unit (Annex B), and the same bytes as a bare SPS. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "proto/h264.h"

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
    return 0;
}
