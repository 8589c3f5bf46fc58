/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "stats"
#include "deskd/report.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "common/log.h"

static const char *const time_names[PH_VIEWER_TIMES] = {
        [PH_VIEWER_RTT] = "rtt_us",
        [PH_VIEWER_DECODE] = "decode_us",
        [PH_VIEWER_PRESENT] = "present_us",
};

static void add_int(JsonBuilder *b, const char *name, uint64_t value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_int_value(b, (gint64)value);
}

static void add_bool(JsonBuilder *b, const char *name, bool value)
{
    json_builder_set_member_name(b, name);
    json_builder_add_boolean_value(b, value);
}

/* Ends the object that was begun. */
static GBytes *finish(JsonBuilder *b)
{
    json_builder_end_object(b);
    g_autoptr(JsonNode) root = json_builder_get_root(b);
    char *text = json_to_string(root, FALSE);
    return g_bytes_new_take(text, strlen(text));
}

GBytes *ph_report_health(const struct ph_hub *hub)
{
    struct ph_hub_stats s;
    ph_hub_get_stats(hub, &s);
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    add_bool(b, "ok", s.status == PH_STREAM_STATUS_OK);
    add_int(b, "status", s.status);
    add_int(b, "viewers", s.viewers);
    add_int(b, "width", s.width);
    add_int(b, "height", s.height);
    return finish(b);
}

static void add_viewer(void *data, const struct ph_viewer *viewer)
{
    JsonBuilder *b = data;
    const struct ph_viewer_stats *s = &viewer->stats;
    json_builder_begin_object(b);
    add_bool(b, "drives", viewer->role == PH_AUTH_DRIVE);
    add_bool(b, "paused", viewer->paused);
    add_bool(b, "waiting", viewer->waiting);
    add_int(b, "frames", s->frames);
    add_int(b, "bytes", s->bytes);
    add_int(b, "dropped", s->dropped);
    add_int(b, "acks", s->acks);
    for (int i = 0; i < PH_VIEWER_TIMES; i++) {
        json_builder_set_member_name(b, time_names[i]);
        json_builder_begin_object(b);
        static const unsigned percents[] = {50, 95};
        static const char *const names[] = {"p50", "p95"};
        for (size_t p = 0; p < G_N_ELEMENTS(percents); p++) {
            uint32_t us;
            if (ph_viewer_stats_percentile(
                        s, (enum ph_viewer_time)i, percents[p], &us)) {
                add_int(b, names[p], us);
            }
        }
        json_builder_end_object(b);
    }
    json_builder_end_object(b);
}

GBytes *ph_report_stats(const struct ph_hub *hub, struct ph_source *source)
{
    struct ph_hub_stats s;
    struct ph_source_stats src = {0};
    ph_hub_get_stats(hub, &s);
    ph_source_get_stats(source, &src);
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    add_int(b, "viewers", s.viewers);
    add_int(b, "strangers", s.strangers);
    add_int(b, "width", s.width);
    add_int(b, "height", s.height);
    add_int(b, "status", s.status);
    add_bool(b, "active", s.active);
    add_int(b, "frames", src.frames);
    add_int(b, "pixels_converted", src.pixels_converted);
    add_int(b, "repeats", src.repeats);
    add_int(b, "units", s.units);
    add_int(b, "keyframes", s.keyframes);
    add_int(b, "keyframes_forced", s.keyframes_forced);
    add_int(b, "frames_sent", s.frames_sent);
    add_int(b, "bytes_sent", s.bytes_sent);
    add_int(b, "dropped", s.dropped);
    add_int(b, "bitrate", s.bitrate);
    json_builder_set_member_name(b, "each_viewer");
    json_builder_begin_array(b);
    ph_hub_each_viewer(hub, add_viewer, b);
    json_builder_end_array(b);
    return finish(b);
}

static void log_viewer(void *data, const struct ph_viewer *viewer)
{
    const struct ph_viewer_stats *s = &viewer->stats;
    uint32_t p[PH_VIEWER_TIMES] = {0};
    for (int i = 0; i < PH_VIEWER_TIMES; i++) {
        ph_viewer_stats_percentile(s, (enum ph_viewer_time)i, 50, &p[i]);
    }
    LOG_INFO("viewer: %llu frames, %llu bytes, %llu dropped, p50 of %llu "
             "acks: rtt %u us, decode %u us, present %u us",
            (unsigned long long)s->frames, (unsigned long long)s->bytes,
            (unsigned long long)s->dropped, (unsigned long long)s->acks,
            p[PH_VIEWER_RTT], p[PH_VIEWER_DECODE], p[PH_VIEWER_PRESENT]);
}

void ph_report_log(const struct ph_hub *hub, struct ph_source *source)
{
    struct ph_hub_stats s;
    struct ph_source_stats src = {0};
    ph_hub_get_stats(hub, &s);
    ph_source_get_stats(source, &src);
    LOG_INFO("%u viewers, %llu frames captured, %llu units, %llu keyframes "
             "(%llu forced), %llu frames and %llu bytes sent, %llu dropped",
            s.viewers, (unsigned long long)src.frames,
            (unsigned long long)s.units, (unsigned long long)s.keyframes,
            (unsigned long long)s.keyframes_forced,
            (unsigned long long)s.frames_sent, (unsigned long long)s.bytes_sent,
            (unsigned long long)s.dropped);
    ph_hub_each_viewer(hub, log_viewer, NULL);
}
