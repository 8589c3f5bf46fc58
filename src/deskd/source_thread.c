/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The source thread: sleeps until the compositor, the link or main has
 * something to say, or a deadline comes; then asks for what is missing.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/macros.h"
#define LOG_MODULE "source"
#include "common/log.h"
#include "deskd/source_private.h"

#define RETRY_FIRST_NS (100 * PH_NS_PER_MS)
#define RETRY_MOST_NS (2 * PH_NS_PER_S)
/* Between keyframes for frames that the host could not encode. */
#define FAILURE_FIRST_NS (100 * PH_NS_PER_MS)
#define FAILURE_MOST_NS (4 * PH_NS_PER_S)
#define WATCHDOG_NS (5 * PH_NS_PER_S)
/* A tick of a 60 Hz compositor, its copy, compare and convert. */
#define LEAD_NS (22 * PH_NS_PER_MS)

bool ph_source_open_capture(struct ph_source *source, char *error, size_t size)
{
    struct ph_source_flow *f = &source->flow;
    struct ph_desktop *desktop = source->options.desktop;
    f->capture = desktop->ops->capture(
            desktop, &ph_source_capture_events, source, error, size);
    f->requested = false;
    f->lost = false;
    return f->capture;
}

static void drop_request(struct ph_source *source)
{
    struct ph_source_flow *f = &source->flow;
    if (f->requested) {
        f->capture->ops->cancel(f->capture);
        f->requested = false;
    }
    ph_source_release_slot(source);
}

/* At once after a desktop that was seen, then ever later: one may open and be
 * lost each time. */
static void plan_retry(struct ph_source_flow *f)
{
    int64_t wait = PH_MAX(f->retry_wait, RETRY_FIRST_NS);
    f->retry_ns = ph_clock_ns() + wait;
    f->retry_wait = PH_MIN(wait * 2, RETRY_MOST_NS);
}

static void close_capture(struct ph_source *source)
{
    struct ph_source_flow *f = &source->flow;
    LOG_WARN("the desktop is gone: %s", f->lost_reason);
    f->capture->ops->destroy(f->capture);
    f->capture = NULL;
    f->requested = false;
    plan_retry(f);
    ph_source_need_whole(source);
}

static void retry_capture(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    if (now < f->retry_ns) {
        return;
    }
    if (ph_source_open_capture(
                source, f->lost_reason, sizeof(f->lost_reason))) {
        LOG_INFO("the desktop is back");
        return;
    }
    LOG_DBG("%s", f->lost_reason);
    plan_retry(f);
}

static void become_active(struct ph_source *source)
{
    struct ph_source_flow *f = &source->flow;
    f->need_whole = false;
    ph_source_need_whole(source);
    f->keyframe = true;
    f->keyframe_after = 0;
    f->next_request_ns = 0;
}

static void note_failure(struct ph_source_flow *f, int64_t now)
{
    /* A failure long after the one before begins anew. */
    bool again = now - f->keyframe_after < FAILURE_MOST_NS;
    f->failure_wait = again
            ? PH_MIN(PH_MAX(f->failure_wait * 2, FAILURE_FIRST_NS),
                      FAILURE_MOST_NS)
            : FAILURE_FIRST_NS;
    f->keyframe = true;
    f->keyframe_after = now + f->failure_wait;
}

/* Takes over what the other threads said. False: the end. */
static bool take_news(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    bool stop = sh->stop;
    bool active = sh->active;
    bool switched = f->switches != sh->switches;
    bool wanted = sh->keyframe_wanted;
    bool failed = sh->failed;
    bool relinked = f->link_epoch != sh->link_epoch;
    bool new_rate = f->steady_fps != sh->steady_fps;
    f->switches = sh->switches;
    f->link_epoch = sh->link_epoch;
    f->link_ready = sh->link_ready;
    f->steady_fps = sh->steady_fps;
    memcpy(f->link_reason, sh->link_reason, sizeof(f->link_reason));
    if (switched) {
        sh->oldest_pts = f->last_pts + 1;
    }
    if (sh->settle_due != PH_NEVER) {
        f->settle_due = sh->settle_due;
        sh->settle_due = PH_NEVER;
    }
    sh->keyframe_wanted = false;
    sh->failed = false;
    sh->keyframe_coming |= wanted;
    pthread_mutex_unlock(&sh->lock);
    if (relinked || switched) {
        drop_request(source);
    }
    if (relinked) {
        f->submitted = false;
        ph_source_need_whole(source);
    }
    if (active && switched) {
        become_active(source);
    }
    f->active = active;
    f->keyframe |= wanted;
    if (failed) {
        note_failure(f, now);
    }
    if (new_rate) {
        f->repeat_due =
                f->steady_fps ? now + PH_NS_PER_S / f->steady_fps : PH_NEVER;
    }
    return !stop;
}

/* True while main has not taken the units that are queued for it. */
static bool main_is_behind(struct ph_source *source)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    bool behind = sh->queued >= PH_SOURCE_MAX_QUEUED;
    sh->blocked = behind;
    pthread_mutex_unlock(&sh->lock);
    return behind;
}

/* The surface once more. A host that cannot gets the whole picture again. */
static bool repeat(struct ph_source *source, int64_t now, uint32_t flags)
{
    uint32_t sequence = 0;
    struct ph_source_times times = {0};
    times.pts = ph_source_next_pts(source, now);
    times.captured_ns = now;
    times.ready_ns = now;
    times.converted_ns = now;
    ph_source_note_times(source, &times);
    enum ph_link_result result =
            ph_link_repeat(source->link, times.pts, flags, &sequence);
    if (result == PH_LINK_FULL && source->flow.has_slot) {
        ph_source_release_slot(source); /* it may have been the slot */
        result = ph_link_repeat(source->link, times.pts, flags, &sequence);
    }
    if (result == PH_LINK_OK) {
        source->flow.settle_due = PH_NEVER;
        atomic_fetch_add(&source->repeats, 1);
        return true;
    }
    ph_source_drop_times(source);
    if (result == PH_LINK_DOWN) {
        ph_source_need_whole(source);
    }
    return false;
}

/* A keyframe of the surface as it is, when nothing else is to be sent. */
static int64_t repeat_keyframe(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    if (!f->keyframe || f->need_whole || !f->submitted) {
        return PH_NEVER;
    }
    if (now < f->keyframe_after) {
        return f->keyframe_after;
    }
    if (repeat(source, now, PH_HXFR_FRAME_KEYFRAME)) {
        f->keyframe = false;
        ph_source_note_change(source, now);
    }
    return PH_NEVER; /* on FULL the link wakes us */
}

static int64_t settle(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    if (now < f->settle_due) {
        return f->settle_due;
    }
    f->settle_due = PH_NEVER;
    if (f->submitted && !f->need_whole) {
        repeat(source, now, 0); /* on FULL a frame is on its way: as good */
    }
    return PH_NEVER;
}

/* While the screen stands still its quality rises, step by step. */
static int64_t refine_when_still(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    if (!f->refine.left || !f->submitted || f->need_whole || f->keyframe ||
            !ph_link_can_refine(source->link)) {
        return PH_NEVER;
    }
    if (now >= ph_refine_due(&f->refine)) {
        if (!repeat(source, now, PH_HXFR_FRAME_REFINE)) {
            return PH_NEVER; /* as above */
        }
        ph_refine_took(&f->refine, now);
    }
    return ph_refine_due(&f->refine);
}

static int64_t repeat_steadily(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    if (!f->steady_fps || !f->submitted || f->need_whole) {
        return PH_NEVER;
    }
    if (now >= f->repeat_due) {
        int64_t interval = PH_NS_PER_S / f->steady_fps;
        repeat(source, now, 0);
        f->repeat_due += interval;
        if (f->repeat_due <= now) {
            f->repeat_due = now + interval;
        }
    }
    return f->repeat_due;
}

/* While the host is busy: when to capture so that the picture is ready just
 * before the host is. An earlier one would only grow old there. */
static int64_t host_is_free_soon(struct ph_source *source, int64_t now)
{
    struct ph_source_shared *sh = &source->shared;
    int64_t when = 0;
    pthread_mutex_lock(&sh->lock);
    if (sh->in_flight > 0) {
        int64_t begun = PH_MAX(source->flow.submitted_ns, sh->received_ns);
        when = begun + sh->encode_us * PH_NS_PER_US - LEAD_NS;
    }
    sh->waits_for_unit = when > now;
    pthread_mutex_unlock(&sh->lock);
    return when;
}

/* Asks for a frame as soon as there is where to draw it. */
static int64_t request_frame(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    /* Before the first frame there is no size and so no slot. */
    if (f->width && !ph_source_acquire_slot(source)) {
        return PH_NEVER;
    }
    if (f->requested && (!f->need_whole || f->requested_whole)) {
        return PH_NEVER;
    }
    int64_t when = PH_MAX(f->next_request_ns, host_is_free_soon(source, now));
    if (now < when) {
        return when;
    }
    f->requested = true;
    f->requested_whole = f->need_whole;
    f->capture->ops->request(f->capture, f->need_whole);
    return PH_NEVER;
}

static int64_t set_status(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    enum ph_stream_status status = f->status;
    const char *text = "";
    bool late = f->need_whole && now - f->whole_since >= WATCHDOG_NS;
    if (!f->capture) {
        status = PH_STREAM_STATUS_NO_DESKTOP;
        text = f->lost_reason;
    } else if (!f->link_ready && (f->link_reason[0] || late)) {
        status = PH_STREAM_STATUS_NO_HOST;
        text = f->link_reason[0] ? f->link_reason
                                 : "the encoding host does not answer";
    } else if (late) {
        status = PH_STREAM_STATUS_NO_FRAME;
        text = "the desktop has given no picture for 5 seconds";
    } else if (!f->need_whole) {
        status = PH_STREAM_STATUS_OK;
    }
    if (status != f->status) {
        struct ph_source_item *item = g_new0(struct ph_source_item, 1);
        f->status = status;
        item->status = status;
        snprintf(item->text, sizeof(item->text), "%s", text);
        ph_source_post(source, item);
    }
    return f->need_whole && !late ? f->whole_since + WATCHDOG_NS : PH_NEVER;
}

/* A size that main asked for, once there is a capture to tell. */
static void resize(struct ph_source *source)
{
    struct ph_source_shared *sh = &source->shared;
    struct ph_capture *capture = source->flow.capture;
    uint32_t wish[3];
    pthread_mutex_lock(&sh->lock);
    memcpy(wish, sh->wish, sizeof(wish));
    memset(sh->wish, 0, sizeof(sh->wish));
    pthread_mutex_unlock(&sh->lock);
    if (wish[0] && capture->ops->resize) {
        LOG_INFO("a viewer asks for %ux%u pixels at %.2f", wish[0], wish[1],
                wish[2] / 120.0);
        capture->ops->resize(capture, wish[0], wish[1], wish[2]);
    }
}

/* Does what can be done now; returns when there is more to do by itself. */
static int64_t work(struct ph_source *source, int64_t now)
{
    struct ph_source_flow *f = &source->flow;
    if (!f->capture) { /* also for nobody: it may be what makes the monitor */
        retry_capture(source, now);
    }
    if (!f->active) {
        return f->capture ? PH_NEVER : f->retry_ns;
    }
    if (f->capture) {
        resize(source);
    }
    int64_t next = set_status(source, now);
    if (f->capture && f->link_ready && !main_is_behind(source)) {
        next = PH_MIN(next, repeat_keyframe(source, now));
        next = PH_MIN(next, settle(source, now));
        next = PH_MIN(next, repeat_steadily(source, now));
        next = PH_MIN(next, refine_when_still(source, now));
        next = PH_MIN(next, request_frame(source, now));
    }
    return f->capture ? next : PH_MIN(next, f->retry_ns);
}

static bool wait_for(struct ph_source *source, int64_t deadline)
{
    struct ph_source_flow *f = &source->flow;
    struct ph_capture *capture = f->capture;
    struct pollfd fds[2] = {{source->wake, POLLIN, 0},
            {capture ? capture->ops->fd(capture) : -1, POLLIN, 0}};
    int64_t left = PH_MAX(0, deadline - ph_clock_ns());
    struct timespec timeout = {left / PH_NS_PER_S, left % PH_NS_PER_S};
    int n = ppoll(fds, 2, deadline == PH_NEVER ? NULL : &timeout, NULL);
    if (n < 0 && errno != EINTR) {
        LOG_ERRNO("wait for the desktop");
        return false;
    }
    if (n > 0 && fds[0].revents) {
        uint64_t count = 0;
        (void)!read(source->wake, &count, sizeof(count));
    }
    if (n > 0 && capture && fds[1].revents) {
        capture->ops->dispatch(capture);
        if (f->lost) {
            close_capture(source);
        }
    }
    return true;
}

void *ph_source_thread(void *data)
{
    struct ph_source *source = data;
    pthread_setname_np(pthread_self(), "source");
    int64_t now = ph_clock_ns();
    while (take_news(source, now) && wait_for(source, work(source, now))) {
        now = ph_clock_ns();
    }
    drop_request(source);
    if (source->flow.capture) { /* on the thread that it was used on */
        source->flow.capture->ops->destroy(source->flow.capture);
        source->flow.capture = NULL;
    }
    return NULL;
}
