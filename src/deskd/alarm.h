/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What a capture waits for, as one descriptor to poll: a time, and other
 * descriptors. One thread at a time.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct ph_alarm {
    int timer;
    int epoll;
};

#define PH_ALARM_NONE                                                          \
    {                                                                          \
        -1, -1                                                                 \
    }

/* False: errno; finish it all the same. */
bool ph_alarm_init(struct ph_alarm *alarm);
void ph_alarm_finish(struct ph_alarm *alarm);
/* Wakes also while fd can be read; it stays the caller's. False: errno. */
bool ph_alarm_watch(const struct ph_alarm *alarm, int fd);
/* At this time (ns, monotonic, over 0: 1 is at once) instead of any before;
 * PH_NEVER: at none. */
void ph_alarm_set(const struct ph_alarm *alarm, int64_t at_ns);
/* Whether the time has come since it was asked last. */
bool ph_alarm_take(const struct ph_alarm *alarm);
