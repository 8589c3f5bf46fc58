/* SPDX-License-Identifier: LGPL-2.1-or-later */
#define LOG_MODULE "hub"
#include "deskd/hub.h"

#include <string.h>

#include "common/clock.h"
#include "common/log.h"
#include "common/macros.h"
#include "deskd/rate.h"

static const struct ph_viewer_events viewer_events;

struct ph_hub {
    struct ph_viewer_shared shared;
    struct ph_source *source;
    const char *output; /* "": there is one */
    uint32_t max_viewers;
    uint32_t *crowd; /* who joined, with the other hubs' */
    uint32_t alone; /* where there are none */
    GList *viewers; /* struct ph_viewer, the oldest first */
    uint32_t joined;
    uint32_t strangers;

    bool active;
    uint32_t steady_fps;
    bool requested; /* a keyframe that did not come yet */
    int64_t forced_ns; /* when the last keyframe was asked for */
    bool forced_any;
    guint timer; /* for ph_hub_update */
    guint beat_timer; /* while somebody watches */
    struct ph_rate rate;
    struct ph_clipboard_hub *clipboard;
    struct ph_viewer *driver; /* who drove last; NULL: nobody, or it left */
    struct ph_stream_resize asked; /* the size that the desktop was asked for */
    const struct ph_viewer *paces; /* whom the rate goes by; only compared */

    struct ph_hub_stats past; /* sums of those that left, and the source's */
};

struct ph_hub *ph_hub_create(const struct ph_hub_options *options)
{
    struct ph_hub *hub = g_new0(struct ph_hub, 1);
    hub->shared.auth = options->auth;
    hub->shared.name = options->name;
    hub->shared.clock = options->clock ? options->clock : ph_clock_ns;
    hub->shared.downloads = options->downloads;
    hub->output = options->output ? options->output : "";
    hub->max_viewers = options->max_viewers;
    hub->crowd = options->crowd ? options->crowd : &hub->alone;
    hub->clipboard = options->clipboard;
    ph_rate_init(&hub->rate,
            options->bitrate ? options->bitrate : PH_HUB_DEFAULT_BITRATE);
    return hub;
}

void ph_hub_attach(
        struct ph_hub *hub, struct ph_source *source, struct ph_input *input)
{
    const struct ph_input_ops *ops = input->ops;
    hub->source = source;
    hub->shared.seat.input = input;
    hub->shared.may |= (uint16_t)((ops->text ? PH_STREAM_MAY_TEXT : 0) |
            (ops->motion ? PH_STREAM_MAY_MOTION : 0) |
            (ops->touch ? PH_STREAM_MAY_TOUCH : 0) |
            (ph_source_can_resize(source) ? PH_STREAM_MAY_RESIZE : 0) |
            (ph_clipboard_hub_works(hub->clipboard) ? PH_STREAM_MAY_CLIPBOARD
                                                    : 0) |
            (hub->shared.downloads ? PH_STREAM_MAY_FILE : 0));
}

static void drop_timer(guint *timer)
{
    if (*timer) {
        g_source_remove(*timer);
        *timer = 0;
    }
}

void ph_hub_destroy(struct ph_hub *hub)
{
    if (!hub) {
        return;
    }
    for (GList *l = hub->viewers; l; l = l->next) {
        ph_clipboard_hub_leave(hub->clipboard, l->data);
        ph_viewer_destroy(l->data);
    }
    g_list_free(hub->viewers);
    if (hub->shared.shape) {
        ph_unit_unref(hub->shared.shape);
    }
    drop_timer(&hub->timer);
    drop_timer(&hub->beat_timer);
    g_free(hub);
}

/* --- what the source has to do --- */

static gboolean on_timer(gpointer data)
{
    struct ph_hub *hub = data;
    hub->timer = 0;
    ph_hub_update(hub);
    return G_SOURCE_REMOVE;
}

static gboolean on_beat(gpointer data)
{
    ph_hub_beat(data);
    return G_SOURCE_CONTINUE;
}

/* What all viewers together ask for. */
struct wish {
    bool active;
    uint32_t fps;
    bool keyframe;
    int64_t keyframe_ns; /* not before */
};

static struct wish collect(const struct ph_hub *hub)
{
    struct wish wish = {.keyframe_ns = INT64_MAX};
    for (GList *l = hub->viewers; l; l = l->next) {
        const struct ph_viewer *v = l->data;
        if (!ph_viewer_joined(v) || v->paused) {
            continue;
        }
        wish.active = true;
        wish.fps = PH_MAX(wish.fps, v->fps);
        if (ph_viewer_wants_keyframe(v)) {
            wish.keyframe = true;
            wish.keyframe_ns = PH_MIN(wish.keyframe_ns, v->ask_after_ns);
        }
    }
    return wish;
}

static void force_keyframe(struct ph_hub *hub, int64_t now)
{
    if (hub->active) {
        ph_source_request_keyframe(hub->source);
    } else { /* starts with one */
        hub->active = true;
        ph_source_set_active(hub->source, true);
    }
    hub->requested = true;
    hub->forced_ns = now;
    hub->forced_any = true;
    hub->past.keyframes_forced++;
}

/* When the next keyframe may be forced, as far as the source goes. */
static int64_t next_allowed(const struct ph_hub *hub)
{
    int64_t pause = hub->requested && hub->active ? PH_HUB_KEYFRAME_LOST_MS
                                                  : PH_HUB_KEYFRAME_MS;
    return hub->forced_any ? hub->forced_ns + pause * PH_NS_PER_MS : INT64_MIN;
}

void ph_hub_update(struct ph_hub *hub)
{
    struct wish wish = collect(hub);
    drop_timer(&hub->timer);
    if (hub->active && !wish.active) {
        hub->active = false;
        hub->requested = false;
        ph_source_set_active(hub->source, false);
    }
    if (wish.fps != hub->steady_fps) {
        hub->steady_fps = wish.fps;
        ph_source_set_steady_fps(hub->source, wish.fps);
    }
    if (wish.active && !hub->beat_timer) {
        hub->beat_timer = g_timeout_add_seconds(1, on_beat, hub);
    } else if (!wish.active) {
        drop_timer(&hub->beat_timer);
    }
    if (!wish.keyframe) {
        return;
    }
    int64_t now = hub->shared.clock();
    int64_t due = PH_MAX(wish.keyframe_ns, next_allowed(hub));
    if (due <= now) {
        force_keyframe(hub, now);
        due = now + PH_HUB_KEYFRAME_LOST_MS * PH_NS_PER_MS;
    }
    hub->timer = g_timeout_add(
            (guint)((due - now) / PH_NS_PER_MS) + 1, on_timer, hub);
}

void ph_hub_beat(struct ph_hub *hub)
{
    for (GList *l = hub->viewers; l; l = l->next) {
        ph_viewer_beat(l->data);
    }
}

/* --- from the source --- */

/* Who drove last, else who keeps up best: it would be slowed down for one
 * that only looks. */
static const struct ph_viewer *find_pace(const struct ph_hub *hub)
{
    const struct ph_viewer *best = NULL;
    for (GList *l = hub->viewers; l; l = l->next) {
        const struct ph_viewer *v = l->data;
        if (!ph_viewer_joined(v) || v->paused) {
            continue;
        }
        if (!best || v->input_ns > best->input_ns ||
                (!v->input_ns && !best->input_ns &&
                        ph_viewer_lag(v) < ph_viewer_lag(best))) {
            best = v;
        }
    }
    return best;
}

static void adapt_rate(struct ph_hub *hub)
{
    const struct ph_viewer *v = find_pace(hub);
    if (!v) {
        return;
    }
    struct ph_rate_sample sample = {
            .now_ns = hub->shared.clock(),
            .lag_ns = ph_viewer_lag(v),
            .acked = v->stats.acked_bytes,
            .sent = v->stats.frame_bytes,
    };
    if (v != hub->paces) {
        hub->paces = v;
        ph_rate_restart(&hub->rate, &sample);
    }
    if (ph_rate_update(&hub->rate, &sample)) {
        LOG_DBG("%u kbit/s from now on", hub->rate.bitrate / 1000);
        ph_source_set_bitrate(hub->source, hub->rate.bitrate);
    }
}

static void on_unit(void *data, struct ph_unit *unit)
{
    struct ph_hub *hub = data;
    struct ph_viewer_shared *shared = &hub->shared;
    if (!hub->active) {
        return; /* was under way when the last viewer left */
    }
    hub->past.units++;
    hub->past.keyframes += unit->keyframe;
    shared->config.width = (uint16_t)unit->width;
    shared->config.height = (uint16_t)unit->height;
    g_strlcpy(shared->config.codec, unit->codec, sizeof(shared->config.codec));
    shared->seat.width = unit->width;
    shared->seat.height = unit->height;
    for (GList *l = hub->viewers; l; l = l->next) {
        ph_viewer_unit(l->data, unit);
    }
    adapt_rate(hub);
    if (unit->keyframe) {
        hub->requested = false;
        ph_hub_update(hub); /* for those who could not take this one */
    }
}

static void on_status(
        void *data, enum ph_stream_status status, const char *text)
{
    struct ph_hub *hub = data;
    struct ph_stream_notice *notice = &hub->shared.status;
    notice->code = (uint16_t)status;
    g_strlcpy(notice->text, text ? text : "", sizeof(notice->text));
    LOG_INFO("viewers%s%s are told: %s", hub->output[0] ? " of " : "",
            hub->output,
            status == PH_STREAM_STATUS_OK ? "all is well" : notice->text);
    for (GList *l = hub->viewers; l; l = l->next) {
        ph_viewer_status(l->data);
    }
}

static void on_cursor(void *data, const struct ph_source_cursor *cursor)
{
    struct ph_hub *hub = data;
    struct ph_stream_cursor *c = &hub->shared.cursor;
    *c = (struct ph_stream_cursor){
            .flags = cursor->visible ? PH_STREAM_CURSOR_VISIBLE : 0,
            .serial = cursor->serial,
            .x = (int16_t)PH_MAX(INT16_MIN, PH_MIN(cursor->x, INT16_MAX)),
            .y = (int16_t)PH_MAX(INT16_MIN, PH_MIN(cursor->y, INT16_MAX)),
            .width = cursor->width,
            .height = cursor->height,
            .hot_x = cursor->hot_x,
            .hot_y = cursor->hot_y,
    };
    if (hub->shared.shape != cursor->shape) {
        if (hub->shared.shape) {
            ph_unit_unref(hub->shared.shape);
        }
        hub->shared.shape = ph_unit_ref(cursor->shape);
    }
    for (GList *l = hub->viewers; l; l = l->next) {
        ph_viewer_cursor(l->data);
    }
}

const struct ph_source_events ph_hub_source_events = {
        .unit = on_unit,
        .cursor = on_cursor,
        .status = on_status,
};

/* --- from the viewers --- */

static bool on_join(void *data, struct ph_viewer *viewer)
{
    struct ph_hub *hub = data;
    if (*hub->crowd >= hub->max_viewers) {
        return false;
    }
    ++*hub->crowd;
    hub->joined++;
    hub->strangers--;
    LOG_INFO("a viewer joins (%s)%s%s, %u now",
            viewer->role == PH_AUTH_DRIVE ? "drives" : "view only",
            hub->output[0] ? " at " : "", hub->output, hub->joined);
    return true;
}

static void on_changed(void *data)
{
    ph_hub_update(data);
}

/* --- who drives --- */

static void resize(struct ph_hub *hub, const struct ph_stream_resize *wish)
{
    if (wish->width && memcmp(wish, &hub->asked, sizeof(*wish)) != 0) {
        hub->asked = *wish;
        ph_source_resize(hub->source, wish->width, wish->height, wish->scale);
    }
}

static void on_drove(void *data, struct ph_viewer *viewer)
{
    struct ph_hub *hub = data;
    ph_clipboard_hub_drove(hub->clipboard, viewer);
    if (hub->driver != viewer) {
        hub->driver = viewer;
        resize(hub, &viewer->wish);
    }
}

static void on_resize(void *data, struct ph_viewer *viewer)
{
    struct ph_hub *hub = data;
    if (!hub->driver || hub->driver == viewer) {
        resize(hub, &viewer->wish);
    }
}

static void on_copied(
        void *data, struct ph_viewer *viewer, struct ph_clip *clip)
{
    struct ph_hub *hub = data;
    ph_clipboard_hub_offer(hub->clipboard, viewer, clip);
}

static void on_gone(void *data, struct ph_viewer *viewer)
{
    struct ph_hub *hub = data;
    hub->viewers = g_list_remove(hub->viewers, viewer);
    hub->paces = viewer == hub->paces ? NULL : hub->paces;
    hub->driver = viewer == hub->driver ? NULL : hub->driver;
    ph_clipboard_hub_leave(hub->clipboard, viewer);
    hub->past.frames_sent += viewer->stats.frames;
    hub->past.bytes_sent += viewer->stats.bytes;
    hub->past.dropped += viewer->stats.dropped;
    if (viewer->role == PH_AUTH_NONE) {
        hub->strangers--;
    } else {
        --*hub->crowd;
        hub->joined--;
        LOG_INFO("a viewer leaves%s%s, %u now", hub->output[0] ? " " : "",
                hub->output, hub->joined);
    }
    ph_viewer_destroy(viewer);
    ph_hub_update(hub);
}

static const struct ph_viewer_events viewer_events = {
        .join = on_join,
        .changed = on_changed,
        .drove = on_drove,
        .resize = on_resize,
        .copied = on_copied,
        .gone = on_gone,
};

static void drop_oldest_stranger(struct ph_hub *hub)
{
    for (GList *l = hub->viewers; l; l = l->next) {
        struct ph_viewer *v = l->data;
        if (v->role == PH_AUTH_NONE) {
            ph_viewer_dismiss(
                    v, PH_STREAM_TOO_MANY, "too many connect at the same time");
            on_gone(hub, v);
            return;
        }
    }
}

void ph_hub_add(struct ph_hub *hub, struct ph_transport *transport)
{
    if (hub->strangers >= PH_HUB_MAX_STRANGERS) {
        drop_oldest_stranger(hub);
    }
    struct ph_viewer *v =
            ph_viewer_create(transport, &hub->shared, &viewer_events, hub);
    hub->viewers = g_list_append(hub->viewers, v);
    hub->strangers++;
}

void ph_hub_stop(struct ph_hub *hub, const char *text)
{
    while (hub->viewers) {
        struct ph_viewer *v = hub->viewers->data;
        ph_viewer_dismiss(v, PH_STREAM_SESSION_OVER, text);
        on_gone(hub, v);
    }
}

/* --- figures --- */

void ph_hub_get_stats(const struct ph_hub *hub, struct ph_hub_stats *out)
{
    *out = hub->past;
    out->viewers = hub->joined;
    out->strangers = hub->strangers;
    out->width = hub->shared.seat.width;
    out->height = hub->shared.seat.height;
    out->active = hub->active;
    out->bitrate = hub->rate.bitrate;
    out->status = (enum ph_stream_status)hub->shared.status.code;
    for (GList *l = hub->viewers; l; l = l->next) {
        const struct ph_viewer *v = l->data;
        out->frames_sent += v->stats.frames;
        out->bytes_sent += v->stats.bytes;
        out->dropped += v->stats.dropped;
    }
}

void ph_hub_each_viewer(const struct ph_hub *hub,
        void (*each)(void *data, const struct ph_viewer *viewer), void *data)
{
    for (GList *l = hub->viewers; l; l = l->next) {
        if (ph_viewer_joined(l->data)) {
            each(data, l->data);
        }
    }
}
