/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/alarm.h"

#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/clock.h"

#define LOG_MODULE "capture"
#include "common/log.h"

bool ph_alarm_init(struct ph_alarm *a)
{
    a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    a->epoll = epoll_create1(EPOLL_CLOEXEC);
    return a->timer >= 0 && a->epoll >= 0 && ph_alarm_watch(a, a->timer);
}

void ph_alarm_finish(struct ph_alarm *a)
{
    ph_close(&a->timer);
    ph_close(&a->epoll);
}

bool ph_alarm_watch(const struct ph_alarm *a, int fd)
{
    struct epoll_event readable = {.events = EPOLLIN};
    return epoll_ctl(a->epoll, EPOLL_CTL_ADD, fd, &readable) == 0;
}

void ph_alarm_set(const struct ph_alarm *a, int64_t at_ns)
{
    struct itimerspec when = {{0, 0}, {0, 0}};
    if (at_ns != PH_NEVER) {
        when.it_value.tv_sec = at_ns / PH_NS_PER_S;
        when.it_value.tv_nsec = at_ns % PH_NS_PER_S;
    }
    if (timerfd_settime(a->timer, TFD_TIMER_ABSTIME, &when, NULL) < 0) {
        LOG_ERRNO("arm a timer");
    }
}

bool ph_alarm_take(const struct ph_alarm *a)
{
    uint64_t expired = 0;
    return read(a->timer, &expired, sizeof(expired)) == sizeof(expired);
}
