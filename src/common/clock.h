/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Time and deadlines. All times are nanoseconds of CLOCK_MONOTONIC, the clock
 * that Wayland and PipeWire stamp frames with on Linux. A deadline is such a
 * time; PH_NEVER is the deadline that does not come.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#define PH_NS_PER_US INT64_C(1000)
#define PH_NS_PER_MS INT64_C(1000000)
#define PH_NS_PER_S INT64_C(1000000000)
#define PH_NEVER INT64_MAX

int64_t ph_clock_ns(void);

/* The deadline that lies ms milliseconds ahead. */
int64_t ph_deadline_ms(int64_t ms);

/* What is left until a deadline, for poll(): milliseconds rounded up, 0 when
 * it is past, -1 for PH_NEVER. */
int ph_deadline_poll_ms(int64_t deadline_ns);

/* For pthread_cond_timedwait(): ms milliseconds ahead by the wall clock, since
 * macOS cannot wait on another. When that is set meanwhile, the wait is too
 * long or too short, once. */
struct timespec ph_clock_wall_ms(int64_t ms);
