/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "stats"
#include "deskd/report.h"

#include <json-glib/json-glib.h>
#include <string.h>

#include "common/log.h"
#include "common/macros.h"

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

/* What one output counts, or all together. */
struct figures {
    struct ph_hub_stats hub;
    struct ph_source_stats source;
};

static struct figures figures_of(const struct ph_screen *screen)
{
    struct figures f = {0};
    ph_hub_get_stats(screen->hub, &f.hub);
    ph_source_get_stats(screen->source, &f.source);
    return f;
}

/* The size is that of the first; one that is well makes all well. */
static struct figures sum_of(const struct ph_screens *screens)
{
    struct figures sum = figures_of(&screens->list[0]);
    for (size_t i = 1; i < screens->count; i++) {
        struct figures f = figures_of(&screens->list[i]);
        sum.hub.viewers += f.hub.viewers;
        sum.hub.strangers += f.hub.strangers;
        sum.hub.active = sum.hub.active || f.hub.active;
        sum.hub.status = PH_MIN(sum.hub.status, f.hub.status);
        sum.hub.units += f.hub.units;
        sum.hub.keyframes += f.hub.keyframes;
        sum.hub.keyframes_forced += f.hub.keyframes_forced;
        sum.hub.frames_sent += f.hub.frames_sent;
        sum.hub.bytes_sent += f.hub.bytes_sent;
        sum.hub.dropped += f.hub.dropped;
        sum.hub.bitrate += f.hub.bitrate;
        sum.source.frames += f.source.frames;
        sum.source.units += f.source.units;
        sum.source.pixels_converted += f.source.pixels_converted;
        sum.source.repeats += f.source.repeats;
    }
    return sum;
}

GBytes *ph_report_health(const struct ph_screens *screens)
{
    struct figures f = sum_of(screens);
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    add_bool(b, "ok", f.hub.status == PH_STREAM_STATUS_OK);
    add_int(b, "status", f.hub.status);
    add_int(b, "viewers", f.hub.viewers);
    add_int(b, "width", f.hub.width);
    add_int(b, "height", f.hub.height);
    return finish(b);
}

/* Those of one output. */
struct viewers {
    JsonBuilder *b;
    const char *output; /* "": there is one */
};

static void add_viewer(void *data, const struct ph_viewer *viewer)
{
    const struct viewers *viewers = data;
    JsonBuilder *b = viewers->b;
    const struct ph_viewer_stats *s = &viewer->stats;
    json_builder_begin_object(b);
    json_builder_set_member_name(b, "output");
    json_builder_add_string_value(b, viewers->output);
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

static void add_state(JsonBuilder *b, const struct figures *f)
{
    add_int(b, "width", f->hub.width);
    add_int(b, "height", f->hub.height);
    add_int(b, "status", f->hub.status);
}

static void add_figures(JsonBuilder *b, const struct figures *f)
{
    add_int(b, "viewers", f->hub.viewers);
    add_int(b, "strangers", f->hub.strangers);
    add_state(b, f);
    add_bool(b, "active", f->hub.active);
    add_int(b, "frames", f->source.frames);
    add_int(b, "pixels_converted", f->source.pixels_converted);
    add_int(b, "repeats", f->source.repeats);
    add_int(b, "units", f->hub.units);
    add_int(b, "keyframes", f->hub.keyframes);
    add_int(b, "keyframes_forced", f->hub.keyframes_forced);
    add_int(b, "frames_sent", f->hub.frames_sent);
    add_int(b, "bytes_sent", f->hub.bytes_sent);
    add_int(b, "dropped", f->hub.dropped);
    add_int(b, "bitrate", f->hub.bitrate);
}

/* Each output: its name, and what add says of it. */
static void add_outputs(JsonBuilder *b, const struct ph_screens *screens,
        void (*add)(JsonBuilder *b, const struct figures *f))
{
    json_builder_set_member_name(b, "outputs");
    json_builder_begin_array(b);
    for (size_t i = 0; i < screens->count; i++) {
        struct figures f = figures_of(&screens->list[i]);
        json_builder_begin_object(b);
        json_builder_set_member_name(b, "name");
        json_builder_add_string_value(b, screens->list[i].name);
        add(b, &f);
        json_builder_end_object(b);
    }
    json_builder_end_array(b);
}

GBytes *ph_report_stats(const struct ph_screens *screens)
{
    struct figures sum = sum_of(screens);
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    add_figures(b, &sum);
    json_builder_set_member_name(b, "each_viewer");
    json_builder_begin_array(b);
    for (size_t i = 0; i < screens->count; i++) {
        struct viewers viewers = {b, screens->list[i].name};
        ph_hub_each_viewer(screens->list[i].hub, add_viewer, &viewers);
    }
    json_builder_end_array(b);
    add_outputs(b, screens, add_figures);
    return finish(b);
}

GBytes *ph_report_outputs(const struct ph_screens *screens)
{
    g_autoptr(JsonBuilder) b = json_builder_new();
    json_builder_begin_object(b);
    add_outputs(b, screens, add_state);
    return finish(b);
}

static void log_viewer(void *data, const struct ph_viewer *viewer)
{
    const struct ph_screen *screen = data;
    const struct ph_viewer_stats *s = &viewer->stats;
    uint32_t p[PH_VIEWER_TIMES] = {0};
    for (int i = 0; i < PH_VIEWER_TIMES; i++) {
        ph_viewer_stats_percentile(s, (enum ph_viewer_time)i, 50, &p[i]);
    }
    LOG_INFO("%s%sviewer: %llu frames, %llu bytes, %llu dropped, p50 of %llu "
             "acks: rtt %u us, decode %u us, present %u us",
            screen->name, screen->name[0] ? " " : "",
            (unsigned long long)s->frames, (unsigned long long)s->bytes,
            (unsigned long long)s->dropped, (unsigned long long)s->acks,
            p[PH_VIEWER_RTT], p[PH_VIEWER_DECODE], p[PH_VIEWER_PRESENT]);
}

static void log_screen(const struct ph_screen *screen)
{
    struct figures f = figures_of(screen);
    const struct ph_hub_stats *s = &f.hub;
    LOG_INFO("%s%s%u viewers, %llu frames captured, %llu units, %llu keyframes "
             "(%llu forced), %llu frames and %llu bytes sent, %llu dropped",
            screen->name, screen->name[0] ? ": " : "", s->viewers,
            (unsigned long long)f.source.frames, (unsigned long long)s->units,
            (unsigned long long)s->keyframes,
            (unsigned long long)s->keyframes_forced,
            (unsigned long long)s->frames_sent,
            (unsigned long long)s->bytes_sent, (unsigned long long)s->dropped);
    ph_hub_each_viewer(screen->hub, log_viewer, (void *)screen);
}

void ph_report_log(const struct ph_screens *screens)
{
    for (size_t i = 0; i < screens->count; i++) {
        log_screen(&screens->list[i]);
    }
}
