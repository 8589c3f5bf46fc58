/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The encoders of the host that the VM tests run: "sum", whose access units
 * say what the picture was, and "none", which says nothing and costs nothing.
 * Linked in the place of src/hostd/encoder_list.c: everything else is
 * porthole-hostd.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/alloc.h"
#include "common/macros.h"
#include "hostd/encoder.h"
#include "hostd/encoder_check.h"

#include "sum.h"

struct sum_encoder {
    struct ph_encoder base;
    bool begun;
    uint8_t out[128];
};

/* Of any stream of 320x240 without reordering. */
static const uint8_t parameters[] = {0x00, 0x00, 0x00, 0x01, 0x67, 0x42, 0xc0,
        0x15, 0xda, 0x05, 0x07, 0xe9, 0xa8, 0x08, 0x68, 0x32, 0x00, 0x00, 0x03,
        0x00, 0x02, 0x00, 0x00, 0x03, 0x00, 0xf1, 0x1e, 0x2c, 0x5d, 0x40, 0x00,
        0x00, 0x00, 0x01, 0x68, 0xce, 0x0f, 0xc8};

static enum ph_encoder_result encode(struct ph_encoder *encoder,
        const struct ph_encoder_input *in, struct ph_encoder_output *out)
{
    struct sum_encoder *e = (struct sum_encoder *)encoder;
    bool idr = in->keyframe || !e->begun;
    size_t n = 0;
    if (idr) {
        memcpy(e->out, parameters, sizeof(parameters));
        n = sizeof(parameters);
    }
    uint64_t sum = strcmp(e->base.ops->name, "sum") == 0
            ? sum_picture(in->picture)
            : 0;
    const uint8_t head[] = {0, 0, 0, 1, idr ? 0x65 : 0x41};
    memcpy(e->out + n, head, sizeof(head));
    n += sizeof(head);
    /* Digits: nothing in it can look like a start code. */
    n += (size_t)snprintf(
            (char *)e->out + n, sizeof(e->out) - n, "%016" PRIx64 ".", sum);
    e->begun = true;
    *out = (struct ph_encoder_output){e->out, n, idr};
    return PH_ENCODER_OK;
}

static enum ph_encoder_change reconfigure(
        struct ph_encoder *encoder, const struct ph_encoder_config *config)
{
    return PH_ENCODER_LIVE;
}

static void close_encoder(struct ph_encoder *encoder)
{
    free(encoder);
}

static struct ph_encoder *open_encoder(const struct ph_encoder_ops *ops,
        const struct ph_encoder_config *config, char *error, size_t size)
{
    struct sum_encoder *e = ph_xcalloc(1, sizeof(*e));
    e->base.ops = ops;
    return &e->base;
}

#define ROW(id)                                                                \
    {                                                                          \
        .name = (id), .what = "for tests", .open = open_encoder,               \
        .encode = encode, .reconfigure = reconfigure, .close = close_encoder,  \
    }

static const struct ph_encoder_ops sum = ROW("sum");
static const struct ph_encoder_ops none = ROW("none");

const struct ph_encoder_ops *const ph_encoder_table[] = {&sum, &none};
const size_t ph_encoder_table_size = PH_LEN(ph_encoder_table);

/* In the place of src/hostd/encoder_check.c, which brings libavcodec: there is
 * nothing to decode. */

struct ph_encoder_check *ph_encoder_check_create(void)
{
    return NULL;
}

void ph_encoder_check_destroy(struct ph_encoder_check *check)
{
}

const char *ph_encoder_check_unit(struct ph_encoder_check *check,
        const struct ph_encoder_output *unit, const struct ph_nv12 *picture)
{
    return NULL;
}
