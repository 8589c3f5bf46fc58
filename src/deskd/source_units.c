/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the link tells, on its I/O thread: copy, queue and wake only. */
#include <stdio.h>
#include <string.h>

#include "common/macros.h"
#include "deskd/source_private.h"

/* A quick unit is followed by one that lasts: not at once, since what draws a
 * character often draws more with the next refresh. */
#define SETTLE_NS (30 * PH_NS_PER_MS)

void ph_source_note_times(
        struct ph_source *source, const struct ph_source_times *times)
{
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    sh->times[sh->next_times++ % PH_SOURCE_WAY] = *times;
    sh->in_flight++;
    pthread_mutex_unlock(&sh->lock);
}

/* One less in flight. True: the source thread waits for that. */
static bool end_flight_locked(struct ph_source_shared *sh)
{
    bool wake = sh->waits_for_unit;
    sh->waits_for_unit = false;
    sh->in_flight -= sh->in_flight > 0;
    return wake;
}

void ph_source_drop_times(struct ph_source *source)
{
    pthread_mutex_lock(&source->shared.lock);
    end_flight_locked(&source->shared);
    pthread_mutex_unlock(&source->shared.lock);
}

static struct ph_source_times find_times_locked(
        const struct ph_source_shared *sh, const struct ph_link_unit *unit)
{
    for (unsigned i = 0; i < PH_SOURCE_WAY; i++) {
        if (sh->times[i].pts == unit->pts) {
            return sh->times[i];
        }
    }
    return (struct ph_source_times){unit->pts, unit->submitted_ns,
            unit->submitted_ns, unit->submitted_ns};
}

/* Whole µs since a start, so that differences of them add up. */
static uint32_t since_us(int64_t start, int64_t time)
{
    return time > start ? (uint32_t)((time - start) / PH_NS_PER_US) : 0;
}

void ph_source_stages(const struct ph_source_times *times,
        const struct ph_link_unit *unit, uint32_t out[PH_STREAM_STAGES])
{
    int64_t start = times->captured_ns;
    uint32_t ready = since_us(start, times->ready_ns);
    uint32_t converted = PH_MAX(ready, since_us(start, times->converted_ns));
    uint32_t submitted = PH_MAX(converted, since_us(start, unit->submitted_ns));
    uint32_t received = PH_MAX(submitted, since_us(start, unit->received_ns));
    uint32_t trip = received - submitted;
    /* The host's clock may run a little faster than ours. */
    uint32_t encode = PH_MIN(unit->encode_us, trip);
    uint32_t wait = PH_MIN(unit->wait_us, trip - encode);
    wait += PH_MIN(unit->receive_us, trip - encode - wait);
    memset(out, 0, PH_STREAM_STAGES * sizeof(*out));
    out[PH_STREAM_STAGE_CAPTURE] = ready;
    out[PH_STREAM_STAGE_CONVERT] = converted - ready;
    out[PH_STREAM_STAGE_SUBMIT] = submitted - converted;
    out[PH_STREAM_STAGE_LINK] = trip - encode - wait;
    out[PH_STREAM_STAGE_WAIT] = wait;
    out[PH_STREAM_STAGE_ENCODE] = encode;
}

/* Keeps what the newest parameter sets say. */
static void read_sps(
        struct ph_source_stream *stream, const struct ph_link_unit *unit)
{
    struct ph_h264_unit facts;
    struct ph_h264_sps sps;
    if (ph_h264_inspect(unit->data, unit->size, &facts) && facts.has_sps &&
            ph_h264_parse_sps(facts.sps.data, facts.sps.size, &sps)) {
        ph_h264_codec_text(&sps, stream->codec);
        stream->width = sps.width;
        stream->height = sps.height;
    }
}

static struct ph_unit *make_unit(
        struct ph_source_stream *stream, const struct ph_link_unit *from)
{
    struct ph_unit *unit = g_malloc(sizeof(*unit) + from->size);
    g_atomic_ref_count_init(&unit->refs);
    unit->sequence = stream->sequence++;
    unit->keyframe = from->keyframe;
    unit->repeat = from->repeat;
    unit->width = stream->width;
    unit->height = stream->height;
    memcpy(unit->codec, stream->codec, sizeof(unit->codec));
    unit->received_ns = from->received_ns;
    unit->size = from->size;
    memcpy(unit->data, from->data, from->size);
    return unit;
}

static void on_unit(void *data, const struct ph_link_unit *from)
{
    struct ph_source *source = data;
    struct ph_source_shared *sh = &source->shared;
    atomic_fetch_add(&source->units, 1);
    if (from->keyframe) {
        read_sps(&source->stream, from);
    }
    pthread_mutex_lock(&sh->lock);
    struct ph_source_times times = find_times_locked(sh, from);
    bool wanted = sh->active && from->pts >= sh->oldest_pts;
    bool wake = end_flight_locked(sh) || from->quick;
    sh->settle_due =
            from->quick ? from->received_ns + SETTLE_NS : sh->settle_due;
    sh->received_ns = from->received_ns;
    sh->encode_us = (sh->encode_us + from->encode_us) / 2;
    if (from->keyframe && wanted) {
        sh->keyframe_coming = false;
    }
    pthread_mutex_unlock(&sh->lock);
    if (wake) {
        ph_source_wake(source);
    }
    if (!wanted) {
        return;
    }
    struct ph_source_item *item = g_new0(struct ph_source_item, 1);
    item->unit = make_unit(&source->stream, from);
    item->unit->captured_ns = times.captured_ns;
    ph_source_stages(&times, from, item->unit->stage_us);
    ph_source_post(source, item);
}

static void on_ready(void *data, int version, const char *name)
{
    struct ph_source *source = data;
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    sh->link_ready = true;
    sh->link_epoch++;
    sh->in_flight = 0;
    sh->link_reason[0] = '\0';
    pthread_mutex_unlock(&sh->lock);
    ph_source_wake(source);
}

static void on_down(void *data, const char *reason)
{
    struct ph_source *source = data;
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    sh->link_ready = false;
    sh->link_epoch++;
    sh->in_flight = 0;
    sh->keyframe_coming = false;
    snprintf(sh->link_reason, sizeof(sh->link_reason), "%s", reason);
    pthread_mutex_unlock(&sh->lock);
    ph_source_wake(source);
}

static void on_failed(
        void *data, uint32_t sequence, int32_t code, const char *text)
{
    struct ph_source *source = data;
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    sh->failed = true;
    end_flight_locked(sh);
    sh->keyframe_coming = false;
    pthread_mutex_unlock(&sh->lock);
    ph_source_wake(source);
}

/* A keyframe of the surface as it is: the link makes a whole frame of it. */
static void on_wrong(void *data)
{
    struct ph_source *source = data;
    struct ph_source_shared *sh = &source->shared;
    pthread_mutex_lock(&sh->lock);
    sh->failed = true;
    pthread_mutex_unlock(&sh->lock);
    ph_source_wake(source);
}

static void on_room(void *data)
{
    ph_source_wake(data);
}

const struct ph_link_events ph_source_link_events = {
        .ready = on_ready,
        .down = on_down,
        .unit = on_unit,
        .failed = on_failed,
        .room = on_room,
        .wrong = on_wrong,
};
