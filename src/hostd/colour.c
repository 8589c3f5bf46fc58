/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/colour.h"

/* Values of ITU-T H.264, tables E-3 to E-5. */
enum {
    BT709 = 1,
    UNSPECIFIED = 2,
    RESERVED = 3,
    BT601 = 6,
    SRGB_TRANSFER = 13,
    LAST_PRIMARIES = 12,
    LAST_TRANSFER = 18,
    LAST_MATRIX = 10,
};

/* 0 is reserved, and as a matrix RGB, which 4:2:0 cannot be. */
static bool is_specified(uint8_t value, uint8_t last)
{
    return value > 0 && value != UNSPECIFIED && value != RESERVED &&
            value <= last;
}

struct ph_hxfr_colour ph_colour_complete(
        uint32_t format, const struct ph_hxfr_colour *said)
{
    struct ph_hxfr_colour c = *said;
    if (format != PH_HXFR_NV12 || !is_specified(c.matrix, LAST_MATRIX)) {
        c.matrix = BT601;
        c.full_range = c.full_range && format == PH_HXFR_NV12;
    }
    if (!is_specified(c.primaries, LAST_PRIMARIES)) {
        c.primaries = BT709;
    }
    if (!is_specified(c.transfer, LAST_TRANSFER)) {
        c.transfer = SRGB_TRANSFER;
    }
    return c;
}

struct ph_hxfr_colour ph_colour_v1(uint32_t format, uint32_t height)
{
    enum {
        SD_LINES = 576
    };
    struct ph_hxfr_colour c = {UNSPECIFIED, UNSPECIFIED, UNSPECIFIED, false};
    if (format == PH_HXFR_NV12) {
        uint8_t all = height > SD_LINES ? BT709 : BT601;
        c = (struct ph_hxfr_colour){all, all, all, false};
    }
    return ph_colour_complete(format, &c);
}
