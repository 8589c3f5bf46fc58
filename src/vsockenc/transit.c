/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "vsockenc/transit.h"

#include <stdio.h>
#include <string.h>

#include "common/clock.h"
#include "common/macros.h"
#include "vsockenc/transit_private.h"

static void add_peer(struct ph_transit *transit, enum ph_transit_host which,
        const struct ph_link_options *options)
{
    struct ph_transit_peer *peer = &transit->peers[which];
    peer->feed.link = ph_link_create(options, &ph_transit_link_events, peer);
}

struct ph_transit *ph_transit_create(const struct ph_transit_options *options)
{
    struct ph_transit *transit = g_new0(struct ph_transit, 1);
    struct ph_link_options link = options->link;
    transit->options = *options;
    g_mutex_init(&transit->sending);
    g_mutex_init(&transit->lock);
    g_cond_init(&transit->changed);
    transit->current = -1;
    transit->created_ns = ph_clock_ns();
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        transit->peers[i].transit = transit;
        transit->peers[i].which = (enum ph_transit_host)i;
    }
    /* Half, so that there is time for another try. */
    link.timeout_ms = PH_MAX(options->timeout_ms / 2, 1u);
    link.timeout_ms = options->timeout_ms ? link.timeout_ms : 0;
    add_peer(transit, PH_TRANSIT_HOST, &link);
    if (options->own) {
        link.connect = ph_host_spawn_connect;
        link.connect_data = options->own;
        add_peer(transit, PH_TRANSIT_OWN, &link);
    }
    struct ph_transit_peer *peer = &transit->peers[PH_TRANSIT_HOST];
    peer->started = ph_link_start(peer->feed.link);
    return transit;
}

static void clear_locked(struct ph_transit *transit)
{
    for (uint32_t i = 0; i < transit->count; i++) {
        struct ph_transit_entry *e = ph_transit_entry(transit, i);
        transit->options.release(e->frame.frame);
        g_clear_pointer(&e->data, g_free);
    }
    transit->count = 0;
}

void ph_transit_destroy(struct ph_transit *transit)
{
    if (!transit) {
        return;
    }
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        ph_link_destroy(transit->peers[i].feed.link);
    }
    clear_locked(transit);
    g_cond_clear(&transit->changed);
    g_mutex_clear(&transit->lock);
    g_mutex_clear(&transit->sending);
    g_free(transit);
}

void ph_transit_set_surface(struct ph_transit *transit, uint32_t width,
        uint32_t height, const struct ph_hxfr_colour *colour)
{
    g_mutex_lock(&transit->sending);
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        if (transit->peers[i].feed.link) {
            ph_feed_set_surface(&transit->peers[i].feed, width, height, colour);
        }
    }
    g_mutex_unlock(&transit->sending);
}

void ph_transit_set_bitrate(struct ph_transit *transit, uint32_t bitrate)
{
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        if (transit->peers[i].feed.link) {
            ph_link_set_bitrate(transit->peers[i].feed.link, bitrate);
        }
    }
}

bool ph_transit_wait_room(struct ph_transit *transit)
{
    g_mutex_lock(&transit->lock);
    while (!transit->stopped &&
            transit->count >= transit->options.link.window) {
        g_cond_wait(&transit->changed, &transit->lock);
    }
    bool ok = !transit->stopped;
    g_mutex_unlock(&transit->lock);
    return ok;
}

bool ph_transit_takes_resources(struct ph_transit *transit)
{
    struct ph_transit_peer *host = &transit->peers[PH_TRANSIT_HOST];
    g_mutex_lock(&transit->lock);
    bool yes = host->ready && !host->no_resources &&
            ph_link_takes_resources(host->feed.link);
    g_mutex_unlock(&transit->lock);
    return yes;
}

unsigned ph_transit_free_picture(
        struct ph_transit *transit, unsigned count, int besides)
{
    uint32_t used = besides < 0 ? 0 : UINT32_C(1) << besides;
    unsigned index = 0;
    g_mutex_lock(&transit->lock);
    for (uint32_t i = 0; i < transit->count; i++) {
        used |= UINT32_C(1) << ph_transit_entry(transit, i)->frame.index;
    }
    g_mutex_unlock(&transit->lock);
    while (used >> index & 1) {
        index++;
    }
    g_assert(index < count);
    return index;
}

void ph_transit_push(struct ph_transit *transit,
        const struct ph_transit_frame *frame,
        const struct ph_feed_pixels *pixels)
{
    g_mutex_lock(&transit->sending);
    g_mutex_lock(&transit->lock);
    g_assert(transit->count < transit->options.link.window);
    struct ph_transit_entry *e = ph_transit_entry(transit, transit->count++);
    *e = (struct ph_transit_entry){
            .frame = *frame, .pixels = pixels, .pushed_ns = ph_clock_ns()};
    transit->stats.frames++;
    /* Its deadline is one that who pops does not know yet. */
    g_cond_broadcast(&transit->changed);
    g_mutex_unlock(&transit->lock);
    ph_transit_send(transit);
    if (pixels) {
        pixels->keep(pixels->data);
        e->pixels = NULL; /* it may be answered by now, not pushed over */
    }
    g_mutex_unlock(&transit->sending);
}

bool ph_transit_drain(struct ph_transit *transit)
{
    g_mutex_lock(&transit->lock);
    while (!transit->stopped && (transit->count > 0 || transit->leaving)) {
        g_cond_wait(&transit->changed, &transit->lock);
    }
    bool ok = !transit->stopped;
    g_mutex_unlock(&transit->lock);
    return ok;
}

void ph_transit_flush(struct ph_transit *transit)
{
    g_mutex_lock(&transit->sending);
    g_mutex_lock(&transit->lock);
    clear_locked(transit);
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        transit->peers[i].resets++;
    }
    g_cond_broadcast(&transit->changed);
    g_mutex_unlock(&transit->lock);
    g_mutex_unlock(&transit->sending);
}

/* When the oldest frame has waited too long. */
static int64_t expiry_locked(struct ph_transit *transit)
{
    const struct ph_transit_entry *oldest = ph_transit_entry(transit, 0);
    if (transit->count == 0 || transit->options.timeout_ms == 0 ||
            oldest->state == PH_TRANSIT_DONE) {
        return PH_NEVER;
    }
    return PH_MAX(oldest->pushed_ns, transit->progress_ns) +
            (int64_t)transit->options.timeout_ms * PH_NS_PER_MS;
}

static void take_unit_locked(
        struct ph_transit *transit, struct ph_transit_out *out)
{
    struct ph_transit_entry *e = ph_transit_entry(transit, 0);
    out->frame = e->frame.frame;
    out->data = e->data;
    out->size = e->size;
    out->keyframe = e->keyframe;
    transit->stats.units++;
    transit->stats.keyframes += e->keyframe;
    transit->stats.bytes += e->size;
    transit->head = (transit->head + 1) % PH_HXFR_MAX_WINDOW;
    transit->count--;
    transit->leaving = true;
    g_cond_broadcast(&transit->changed);
}

/* What there is to tell now; false: nothing. */
static bool take_locked(struct ph_transit *transit, int64_t now,
        struct ph_transit_out *out, enum ph_transit_event *event)
{
    if (transit->stopped) {
        *event = PH_TRANSIT_STOPPED;
    } else if (transit->notice != PH_TRANSIT_UNIT) {
        *event = transit->notice;
        transit->notice = PH_TRANSIT_UNIT;
        snprintf(out->text, sizeof(out->text), "%s", transit->notice_text);
    } else if (transit->count > 0 &&
            ph_transit_entry(transit, 0)->state == PH_TRANSIT_DONE) {
        *event = PH_TRANSIT_UNIT;
        take_unit_locked(transit, out);
    } else if (now >= expiry_locked(transit)) {
        *event = PH_TRANSIT_FAILED;
        ph_transit_explain_locked(transit, out->text, sizeof(out->text));
    } else {
        return false;
    }
    return true;
}

enum ph_transit_event ph_transit_pop(
        struct ph_transit *transit, struct ph_transit_out *out)
{
    enum ph_transit_event event = PH_TRANSIT_STOPPED;
    *out = (struct ph_transit_out){0};
    g_mutex_lock(&transit->lock);
    transit->leaving = false;
    g_cond_broadcast(&transit->changed);
    for (;;) {
        int64_t now = ph_clock_ns();
        if (take_locked(transit, now, out, &event)) {
            break;
        }
        if (transit->pump_wanted) {
            transit->pump_wanted = false;
            g_mutex_unlock(&transit->lock);
            g_mutex_lock(&transit->sending);
            ph_transit_send(transit);
            g_mutex_unlock(&transit->sending);
            g_mutex_lock(&transit->lock);
            continue;
        }
        int64_t until = transit->count
                ? ph_transit_next_choice_locked(transit, now)
                : PH_NEVER;
        until = PH_MIN(until, expiry_locked(transit));
        if (until == PH_NEVER) {
            g_cond_wait(&transit->changed, &transit->lock);
        } else if (!g_cond_wait_until(&transit->changed, &transit->lock,
                           until / PH_NS_PER_US + 1)) {
            transit->pump_wanted = true;
        }
    }
    g_mutex_unlock(&transit->lock);
    return event;
}

void ph_transit_stop(struct ph_transit *transit)
{
    g_mutex_lock(&transit->lock);
    transit->stopped = true;
    g_cond_broadcast(&transit->changed);
    g_mutex_unlock(&transit->lock);
}

void ph_transit_start(struct ph_transit *transit)
{
    g_mutex_lock(&transit->lock);
    transit->stopped = false;
    transit->leaving = false;
    g_mutex_unlock(&transit->lock);
}

void ph_transit_get_stats(
        struct ph_transit *transit, struct ph_transit_stats *out)
{
    struct ph_link_stats links[PH_TRANSIT_HOSTS] = {{0}};
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        if (transit->peers[i].feed.link) {
            ph_link_get_stats(transit->peers[i].feed.link, &links[i]);
        }
    }
    g_mutex_lock(&transit->lock);
    *out = transit->stats;
    out->in_flight = transit->count;
    for (int i = 0; i < PH_TRANSIT_HOSTS; i++) {
        out->bytes_sent += links[i].bytes_sent;
    }
    if (transit->current >= 0) {
        const struct ph_transit_peer *peer = &transit->peers[transit->current];
        out->own = transit->current == PH_TRANSIT_OWN;
        out->shared = links[transit->current].shared;
        out->version = peer->version;
        memcpy(out->host, peer->name, sizeof(out->host));
    }
    g_mutex_unlock(&transit->lock);
}
