/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/clock.h"

#include <limits.h>
#include <time.h>

int64_t ph_clock_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * PH_NS_PER_S + ts.tv_nsec;
}

int64_t ph_deadline_ms(int64_t ms)
{
    return ph_clock_ns() + ms * PH_NS_PER_MS;
}

int ph_deadline_poll_ms(int64_t deadline_ns)
{
    if (deadline_ns == PH_NEVER) {
        return -1;
    }
    int64_t left = deadline_ns - ph_clock_ns();
    if (left <= 0) {
        return 0;
    }
    int64_t ms = (left + PH_NS_PER_MS - 1) / PH_NS_PER_MS;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

struct timespec ph_clock_wall_ms(int64_t ms)
{
    struct timespec ts;
    clock_gettime(CLOCK_REALTIME, &ts);
    int64_t ns = ts.tv_nsec + ms * PH_NS_PER_MS;
    ts.tv_sec += (time_t)(ns / PH_NS_PER_S);
    ts.tv_nsec = (long)(ns % PH_NS_PER_S);
    return ts;
}
