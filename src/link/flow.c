/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/flow.h"

#include "common/macros.h"

enum {
    SMALL = 4 << 10, /* bytes: takes as long as one of none */
    LARGE = 32 << 10, /* tells something about the rate */
    HUGE_ENOUGH = 512 << 10, /* arrives while it is still being sent */
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

void ph_flow_answered(struct ph_flow *f, const struct ph_flow_sample *s)
{
    double transit = (double)(s->total - s->wait - s->encode);
    transit = PH_MAX(transit, 1);
    if (s->bytes <= SMALL) {
        f->rtt = least(f->rtt, transit);
    } else if (s->bytes >= LARGE) {
        /* A message that fits into the sockets' buffers is read in no time,
         * however long it took; of a huge one only its own time counts, not
         * that of what was before it. */
        double taken = (double)s->receive;
        if (s->bytes < HUGE_ENOUGH) {
            taken = PH_MAX(taken, transit - f->rtt);
        }
        f->per_byte =
                mean(f->per_byte, PH_MAX(taken, 1) / (double)s->bytes, 0.25);
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
