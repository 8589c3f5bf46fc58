/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/flow.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "vsockenc/flow_private.h"

static void add_peer(struct ph_flow *flow, enum ph_flow_host which,
        const struct ph_link_options *options)
{
    struct ph_flow_peer *peer = &flow->peers[which];
    peer->feed.link = ph_link_create(options, &ph_flow_link_events, peer);
}

struct ph_flow *ph_flow_create(const struct ph_flow_options *options)
{
    struct ph_flow *flow = g_new0(struct ph_flow, 1);
    struct ph_link_options link = options->link;
    flow->options = *options;
    g_mutex_init(&flow->sending);
    g_mutex_init(&flow->lock);
    g_cond_init(&flow->changed);
    flow->current = -1;
    flow->created_ns = ph_clock_ns();
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        flow->peers[i].flow = flow;
        flow->peers[i].which = (enum ph_flow_host)i;
    }
    /* Half, so that there is time for another try. */
    link.timeout_ms = PH_MAX(options->timeout_ms / 2, 1u);
    link.timeout_ms = options->timeout_ms ? link.timeout_ms : 0;
    if (options->named) {
        add_peer(flow, PH_FLOW_HOST, &link);
    }
    if (options->own) {
        link.connect = ph_host_spawn_connect;
        link.connect_data = options->own;
        add_peer(flow, PH_FLOW_OWN, &link);
    }
    enum ph_flow_host first = options->named ? PH_FLOW_HOST : PH_FLOW_OWN;
    struct ph_flow_peer *peer = &flow->peers[first];
    g_assert(peer->feed.link);
    peer->started = ph_link_start(peer->feed.link);
    return flow;
}

static void clear_locked(struct ph_flow *flow)
{
    for (uint32_t i = 0; i < flow->count; i++) {
        struct ph_flow_entry *e = ph_flow_entry(flow, i);
        flow->options.release(e->frame.frame);
        g_clear_pointer(&e->data, g_free);
    }
    flow->count = 0;
}

void ph_flow_destroy(struct ph_flow *flow)
{
    if (!flow) {
        return;
    }
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        ph_link_destroy(flow->peers[i].feed.link);
    }
    clear_locked(flow);
    g_cond_clear(&flow->changed);
    g_mutex_clear(&flow->lock);
    g_mutex_clear(&flow->sending);
    g_free(flow);
}

void ph_flow_set_surface(struct ph_flow *flow, uint32_t width, uint32_t height,
        const struct ph_hxfr_colour *colour)
{
    g_mutex_lock(&flow->sending);
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        if (flow->peers[i].feed.link) {
            ph_feed_set_surface(&flow->peers[i].feed, width, height, colour);
        }
    }
    g_mutex_unlock(&flow->sending);
}

void ph_flow_set_bitrate(struct ph_flow *flow, uint32_t bitrate)
{
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        if (flow->peers[i].feed.link) {
            ph_link_set_bitrate(flow->peers[i].feed.link, bitrate);
        }
    }
}

bool ph_flow_wait_room(struct ph_flow *flow)
{
    g_mutex_lock(&flow->lock);
    while (!flow->stopped && flow->count >= flow->options.link.window) {
        g_cond_wait(&flow->changed, &flow->lock);
    }
    bool ok = !flow->stopped;
    g_mutex_unlock(&flow->lock);
    return ok;
}

unsigned ph_flow_free_picture(struct ph_flow *flow, unsigned count, int besides)
{
    uint32_t used = besides < 0 ? 0 : UINT32_C(1) << besides;
    unsigned index = 0;
    g_mutex_lock(&flow->lock);
    for (uint32_t i = 0; i < flow->count; i++) {
        used |= UINT32_C(1) << ph_flow_entry(flow, i)->frame.index;
    }
    g_mutex_unlock(&flow->lock);
    while (used >> index & 1) {
        index++;
    }
    g_assert(index < count);
    return index;
}

void ph_flow_push(struct ph_flow *flow, const struct ph_flow_frame *frame)
{
    g_mutex_lock(&flow->lock);
    g_assert(flow->count < flow->options.link.window);
    *ph_flow_entry(flow, flow->count++) =
            (struct ph_flow_entry){.frame = *frame, .pushed_ns = ph_clock_ns()};
    flow->stats.frames++;
    /* Its deadline is one that who pops does not know yet. */
    g_cond_broadcast(&flow->changed);
    g_mutex_unlock(&flow->lock);
    ph_flow_pump(flow);
}

bool ph_flow_drain(struct ph_flow *flow)
{
    g_mutex_lock(&flow->lock);
    while (!flow->stopped && (flow->count > 0 || flow->leaving)) {
        g_cond_wait(&flow->changed, &flow->lock);
    }
    bool ok = !flow->stopped;
    g_mutex_unlock(&flow->lock);
    return ok;
}

void ph_flow_flush(struct ph_flow *flow)
{
    g_mutex_lock(&flow->sending);
    g_mutex_lock(&flow->lock);
    clear_locked(flow);
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        flow->peers[i].resets++;
    }
    g_cond_broadcast(&flow->changed);
    g_mutex_unlock(&flow->lock);
    g_mutex_unlock(&flow->sending);
}

/* When the oldest frame has waited too long. */
static int64_t expiry_locked(struct ph_flow *flow)
{
    const struct ph_flow_entry *oldest = ph_flow_entry(flow, 0);
    if (flow->count == 0 || flow->options.timeout_ms == 0 ||
            oldest->state == PH_FLOW_DONE) {
        return PH_NEVER;
    }
    return PH_MAX(oldest->pushed_ns, flow->progress_ns) +
            (int64_t)flow->options.timeout_ms * PH_NS_PER_MS;
}

static void take_unit_locked(struct ph_flow *flow, struct ph_flow_out *out)
{
    struct ph_flow_entry *e = ph_flow_entry(flow, 0);
    out->frame = e->frame.frame;
    out->data = e->data;
    out->size = e->size;
    out->keyframe = e->keyframe;
    flow->stats.units++;
    flow->stats.keyframes += e->keyframe;
    flow->stats.bytes += e->size;
    flow->head = (flow->head + 1) % PH_HXFR_MAX_WINDOW;
    flow->count--;
    flow->leaving = true;
    g_cond_broadcast(&flow->changed);
}

/* What there is to tell now; false: nothing. */
static bool take_locked(struct ph_flow *flow, int64_t now,
        struct ph_flow_out *out, enum ph_flow_event *event)
{
    if (flow->stopped) {
        *event = PH_FLOW_STOPPED;
    } else if (flow->notice != PH_FLOW_UNIT) {
        *event = flow->notice;
        flow->notice = PH_FLOW_UNIT;
        snprintf(out->text, sizeof(out->text), "%s", flow->notice_text);
    } else if (flow->count > 0 &&
            ph_flow_entry(flow, 0)->state == PH_FLOW_DONE) {
        *event = PH_FLOW_UNIT;
        take_unit_locked(flow, out);
    } else if (now >= expiry_locked(flow)) {
        *event = PH_FLOW_FAILED;
        ph_flow_explain_locked(flow, out->text, sizeof(out->text));
    } else {
        return false;
    }
    return true;
}

enum ph_flow_event ph_flow_pop(struct ph_flow *flow, struct ph_flow_out *out)
{
    enum ph_flow_event event = PH_FLOW_STOPPED;
    *out = (struct ph_flow_out){0};
    g_mutex_lock(&flow->lock);
    flow->leaving = false;
    g_cond_broadcast(&flow->changed);
    for (;;) {
        int64_t now = ph_clock_ns();
        if (take_locked(flow, now, out, &event)) {
            break;
        }
        if (flow->pump_wanted) {
            flow->pump_wanted = false;
            g_mutex_unlock(&flow->lock);
            ph_flow_pump(flow);
            g_mutex_lock(&flow->lock);
            continue;
        }
        int64_t until =
                flow->count ? ph_flow_next_choice_locked(flow, now) : PH_NEVER;
        until = PH_MIN(until, expiry_locked(flow));
        if (until == PH_NEVER) {
            g_cond_wait(&flow->changed, &flow->lock);
        } else if (!g_cond_wait_until(&flow->changed, &flow->lock,
                           until / PH_NS_PER_US + 1)) {
            flow->pump_wanted = true;
        }
    }
    g_mutex_unlock(&flow->lock);
    return event;
}

void ph_flow_stop(struct ph_flow *flow)
{
    g_mutex_lock(&flow->lock);
    flow->stopped = true;
    g_cond_broadcast(&flow->changed);
    g_mutex_unlock(&flow->lock);
}

void ph_flow_start(struct ph_flow *flow)
{
    g_mutex_lock(&flow->lock);
    flow->stopped = false;
    flow->leaving = false;
    g_mutex_unlock(&flow->lock);
}

void ph_flow_get_stats(struct ph_flow *flow, struct ph_flow_stats *out)
{
    struct ph_link_stats links[PH_FLOW_HOSTS] = {{0}};
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        if (flow->peers[i].feed.link) {
            ph_link_get_stats(flow->peers[i].feed.link, &links[i]);
        }
    }
    g_mutex_lock(&flow->lock);
    *out = flow->stats;
    out->in_flight = flow->count;
    for (int i = 0; i < PH_FLOW_HOSTS; i++) {
        out->bytes_sent += links[i].bytes_sent;
    }
    if (flow->current >= 0) {
        const struct ph_flow_peer *peer = &flow->peers[flow->current];
        out->own = flow->current == PH_FLOW_OWN;
        out->shared = links[flow->current].shared;
        out->version = peer->version;
        memcpy(out->host, peer->name, sizeof(out->host));
    }
    g_mutex_unlock(&flow->lock);
}
