/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/flow.h"

#include "common/macros.h"

enum {
    SMALL = 4 << 10, /* bytes: takes as long as one of none */
    LARGE = 32 << 10, /* tells something about the rate */
    NOISE = 2000000, /* ns that a machine with other work adds to anything */
};

static double mean(double have, double sample, double weight)
{
    return have > 0 ? have + (sample - have) * weight : sample;
}

/* The least counts, but what was once the least may not come again. */
static double least(double have, double sample)
{
    return have > 0 && sample > have ? have + (sample - have) / 64 : sample;
}

/* What a large message says about the rate. Mostly the host saw its bytes
 * come, which is its own time and not that of what was before it. But one
 * that waited in buffers is read in no time, however long it was on its way;
 * of that there is only the round trip, which says little when it is short. */
static void note_rate(
        struct ph_flow *f, const struct ph_flow_sample *s, double transit)
{
    double receive = (double)s->receive;
    if (receive * 2 >= transit) {
        f->rtt = least(f->rtt, PH_MAX(transit - receive, 1));
        f->per_byte = mean(f->per_byte, receive / (double)s->bytes, 0.25);
        return;
    }
    double taken = PH_MAX(transit - f->rtt, 1);
    double sample = taken / (double)s->bytes;
    if (f->per_byte <= 0 || sample < f->per_byte || taken > NOISE) {
        f->per_byte = mean(f->per_byte, sample, 0.25);
    }
}

void ph_flow_answered(struct ph_flow *f, const struct ph_flow_sample *s)
{
    double transit = (double)(s->total - s->wait - s->encode);
    transit = PH_MAX(transit, 1);
    if (s->bytes <= SMALL) {
        f->rtt = least(f->rtt, transit);
    } else if (s->bytes >= LARGE) {
        note_rate(f, s, transit);
    }
    f->transfer = mean(f->transfer, (double)s->bytes * f->per_byte, 0.125);
    f->encode = mean(f->encode, (double)s->encode, 0.125);
}

void ph_flow_packed(struct ph_flow *f, size_t bytes, size_t packed, int64_t ns)
{
    double n = (double)PH_MAX(bytes, (size_t)1);
    f->pack_per_byte = mean(f->pack_per_byte, (double)ns / n, 0.125);
    f->pack_ratio = mean(f->pack_ratio, (double)packed / n, 0.125);
}

void ph_flow_not_packed(struct ph_flow *f)
{
    f->pack_ratio *= 0.95;
}

bool ph_flow_wants_packing(const struct ph_flow *f)
{
    return f->per_byte <= 0 || f->pack_per_byte <= 0 ||
            f->pack_per_byte < (1 - f->pack_ratio) * f->per_byte;
}

uint32_t ph_flow_window(const struct ph_flow *f, uint32_t most)
{
    enum {
        MOST = 3,
        FIRST = 2
    };
    double longest = PH_MAX(PH_MAX(f->transfer, f->encode), 1e6);
    double cycle = f->transfer + f->encode + f->rtt;
    uint32_t window = FIRST;
    most = PH_MIN(most, (uint32_t)MOST);
    if (f->encode > 0) {
        window = cycle > 2 * longest ? MOST : FIRST;
        if (f->transfer > 4 * (f->encode + f->rtt)) {
            window = 1;
        }
    }
    return PH_MIN(window, most);
}
