/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * What the tests of the hub and its viewers stand on: a source, an input and
 * sockets that only remember, and a clock that the test moves. For one
 * translation unit a program, like check.h.
 */
#pragma once

#include "deskd/hub.h"

#include <linux/input-event-codes.h>

#include "check.h"
#include "common/clock.h"
#include "common/macros.h"
#include "deskd/ws.h"

#define DRIVE "the-token-that-drives"
#define VIEW "the-token-that-views"

/* --- the source --- */

struct ph_source {
    bool active;
    int activations;
    int requests;
    uint32_t fps;
    uint32_t bitrate;
    uint32_t asked[3]; /* width, height, scale */
};

static struct ph_source source;
static int64_t now_ns;

static inline int64_t test_clock(void)
{
    return now_ns;
}

static inline void advance(int64_t ms)
{
    now_ns += ms * PH_NS_PER_MS;
}

void ph_source_set_active(struct ph_source *s, bool active)
{
    s->active = active;
    s->activations += active;
}

void ph_source_request_keyframe(struct ph_source *s)
{
    CHECK(s->active);
    s->requests++;
}

void ph_source_set_steady_fps(struct ph_source *s, uint32_t fps)
{
    s->fps = fps;
}

void ph_source_set_bitrate(struct ph_source *s, uint32_t bitrate)
{
    s->bitrate = bitrate;
}

bool ph_source_can_resize(const struct ph_source *s)
{
    return true;
}

void ph_source_resize(
        struct ph_source *s, uint32_t width, uint32_t height, uint32_t scale)
{
    s->asked[0] = width;
    s->asked[1] = height;
    s->asked[2] = scale;
}

static int live_units;

struct ph_unit *ph_unit_ref(struct ph_unit *unit)
{
    g_atomic_ref_count_inc(&unit->refs);
    return unit;
}

void ph_unit_unref(struct ph_unit *unit)
{
    if (g_atomic_ref_count_dec(&unit->refs)) {
        live_units--;
        g_free(unit);
    }
}

struct ph_unit *ph_unit_create(size_t size)
{
    struct ph_unit *unit = g_malloc0(sizeof(*unit) + size);
    g_atomic_ref_count_init(&unit->refs);
    unit->size = size;
    live_units++;
    return unit;
}

static uint32_t sequence;

static inline void give_unit(struct ph_hub *hub, bool keyframe, size_t size)
{
    struct ph_unit *unit = ph_unit_create(size);
    unit->sequence = ++sequence;
    unit->keyframe = keyframe;
    unit->width = 1920;
    unit->height = 1080;
    g_strlcpy(unit->codec, "avc1.42E02A", sizeof(unit->codec));
    unit->received_ns = now_ns;
    unit->captured_ns = now_ns - 7 * PH_NS_PER_MS - 300;
    for (int i = 0; i < PH_STREAM_STAGE_QUEUE; i++) {
        unit->stage_us[i] = 1000;
    }
    ph_hub_source_events.unit(hub, unit);
    ph_unit_unref(unit);
}

/* --- the input --- */

static char pressed[256]; /* "+30 -30 ": what the desktop got */

static inline void note(const char *fmt, int a, int b)
{
    size_t n = strlen(pressed);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(pressed + n, sizeof(pressed) - n, fmt, a, b);
#pragma GCC diagnostic pop
}

static inline void in_key(struct ph_input *input, uint16_t code, bool down)
{
    note(down ? "+%d " : "-%d ", code, 0);
}

static inline void in_button(struct ph_input *input, uint16_t code, bool down)
{
    note(down ? "+b%d " : "-b%d ", code, 0);
}

static inline void in_pointer(struct ph_input *input, uint32_t x, uint32_t y,
        uint32_t width, uint32_t height)
{
    note("@%d,%d", (int)x, (int)y);
    note("/%d,%d ", (int)width, (int)height);
}

static inline void in_wheel(struct ph_input *input, int dx, int dy, bool smooth)
{
    note("w%d,%d ", dx, dy);
}

static inline void in_text(struct ph_input *input, const char *text, size_t len)
{
    note("t%d ", (int)len, 0);
}

static inline void in_motion(struct ph_input *input, int32_t dx, int32_t dy)
{
    note("m%d,%d ", dx, dy);
}

static inline void in_touch(struct ph_input *input, enum ph_input_touch what,
        uint8_t finger, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    note("f%d%c", finger, "DMUC"[what]);
    note("%d,%d ", (int)x, (int)y);
}

static inline void in_locks(struct ph_input *input, bool caps, bool num)
{
    note("l%d%d ", caps, num);
}

static const struct ph_input_ops in_ops = {
        .name = "test",
        .key = in_key,
        .button = in_button,
        .pointer = in_pointer,
        .wheel = in_wheel,
        .text = in_text,
        .motion = in_motion,
        .touch = in_touch,
        .locks = in_locks,
};
static struct ph_input input = {&in_ops};

static inline void expect_input(const char *want)
{
    CHECK_STR(pressed, want);
    pressed[0] = 0;
}

/* --- a viewer's socket --- */

struct pipe {
    struct ph_transport base;
    bool stuck; /* does not take what is sent */
    bool busy;
    bool trusted;
    bool closed;
    uint16_t close_code;
    uint8_t last[PH_TRANSPORT_MAX_HEAD];
    size_t last_len;

    /* A letter a message: W C K F U P S, M pointer, N with its shape, B a
     * piece of the clipboard, G progress. */
    char log[400];
    struct ph_stream_frame frame; /* the newest one */
    struct ph_stream_progress progress; /* the newest one */
    uint32_t frames;
    size_t bytes;
    GByteArray *pasted; /* NULL: not kept */
};

static inline bool pipe_busy(struct ph_transport *transport)
{
    return PH_CONTAINER(transport, struct pipe, base)->busy;
}

static inline void pipe_send(struct ph_transport *transport,
        const uint8_t *head, size_t head_size, struct ph_unit *unit)
{
    struct pipe *p = PH_CONTAINER(transport, struct pipe, base);
    char letter = '?';
    CHECK(!p->busy && !p->closed);
    switch (head[0]) {
    case PH_STREAM_WELCOME:
        letter = 'W';
        break;
    case PH_STREAM_CONFIG:
        letter = 'C';
        break;
    case PH_STREAM_UNCHANGED:
        letter = 'U';
        break;
    case PH_STREAM_PONG:
        letter = 'P';
        break;
    case PH_STREAM_STATUS:
        letter = 'S';
        break;
    case PH_STREAM_CURSOR:
        letter = head[1] & PH_STREAM_CURSOR_SHAPE ? 'N' : 'M';
        break;
    case PH_STREAM_CLIPBOARD:
        letter = 'B';
        break;
    case PH_STREAM_PROGRESS:
        letter = 'G';
        CHECK(ph_stream_parse_progress(head, head_size, &p->progress));
        break;
    case PH_STREAM_FRAME:
        letter = head[1] & PH_STREAM_FRAME_KEY ? 'K' : 'F';
        break;
    }
    size_t n = strlen(p->log);
    if (n + 1 < sizeof(p->log)) {
        p->log[n] = letter;
    }
    if (letter == 'K' || letter == 'F') {
        uint8_t whole[PH_STREAM_FRAME_SIZE + 1] = {0};
        CHECK(unit != NULL);
        CHECK_EQ(head_size, PH_STREAM_FRAME_SIZE);
        memcpy(whole, head, head_size);
        CHECK(ph_stream_parse_frame(whole, sizeof(whole), &p->frame));
        p->frames++;
        p->bytes += unit->size;
    }
    if (letter == 'B' && p->pasted) {
        g_byte_array_append(p->pasted, unit->data, (guint)unit->size);
    }
    p->busy = p->stuck;
}

static inline void pipe_trust(struct ph_transport *transport)
{
    PH_CONTAINER(transport, struct pipe, base)->trusted = true;
}

static inline void pipe_close(struct ph_transport *transport, uint16_t code,
        const uint8_t *last, size_t last_size)
{
    struct pipe *p = PH_CONTAINER(transport, struct pipe, base);
    CHECK(!p->closed);
    p->closed = true;
    p->close_code = code;
    if (last) {
        memcpy(p->last, last, last_size);
        p->last_len = last_size;
    }
}

static const struct ph_transport_ops pipe_ops = {
        .busy = pipe_busy,
        .send = pipe_send,
        .trust = pipe_trust,
        .close = pipe_close,
};

static inline void say(struct pipe *p, const struct ph_writer *w)
{
    p->base.events->message(p->base.data, w->data, w->len);
}

static inline void say_auth(struct pipe *p, const char *token)
{
    uint8_t buf[256];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_auth auth;
    g_strlcpy(auth.token, token, sizeof(auth.token));
    ph_stream_write_auth(&w, &auth);
    say(p, &w);
}

static inline void say_settings(struct pipe *p, bool paused, uint16_t fps)
{
    uint8_t buf[16];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_settings s = {paused ? PH_STREAM_PAUSED : 0, fps};
    ph_stream_write_settings(&w, 0, &s);
    say(p, &w);
}

static inline void say_ack(struct pipe *p, uint32_t frame)
{
    uint8_t buf[32];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    struct ph_stream_ack ack = {frame, 1000, 2000};
    ph_stream_write_ack(&w, 0, &ack);
    say(p, &w);
}

static inline void say_press(struct pipe *p, uint16_t code, bool down)
{
    uint8_t buf[16];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (code >= BTN_MISC) {
        struct ph_stream_button b = {code, down};
        ph_stream_write_button(&w, 0, &b);
    } else {
        struct ph_stream_key k = {code, down};
        ph_stream_write_key(&w, 0, &k);
    }
    say(p, &w);
}

static inline void say_empty(struct pipe *p, uint8_t type)
{
    uint8_t buf[16];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_stream_write_empty(&w, type, 0);
    say(p, &w);
}

static inline void say_ping(struct pipe *p, uint64_t token)
{
    uint8_t buf[16];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_stream_write_ping(&w, token);
    say(p, &w);
}

static inline void drain(struct pipe *p)
{
    p->stuck = false;
    p->busy = false;
    p->base.events->writable(p->base.data);
}

static inline void hang_up(struct pipe *p)
{
    p->closed = true;
    p->base.events->closed(p->base.data);
}

static inline void expect_goodbye(const struct pipe *p, uint16_t code)
{
    struct ph_stream_notice notice = {0};
    CHECK(p->closed);
    CHECK_EQ(p->last_len ? p->last[0] : 0, PH_STREAM_GOODBYE);
    CHECK(ph_stream_parse_notice(p->last, p->last_len, &notice));
    CHECK_EQ(notice.code, code);
    CHECK(notice.text[0]);
}

static struct ph_auth auth = {.drive = DRIVE, .view = VIEW};

static struct ph_clipboard_hub *shared_clipboard; /* NULL: there is none */

static inline struct ph_hub *start(uint32_t max_viewers)
{
    struct ph_hub_options options = {.auth = &auth,
            .name = "test",
            .clipboard = shared_clipboard,
            .max_viewers = max_viewers,
            .clock = test_clock};
    source = (struct ph_source){0};
    now_ns = 1000 * PH_NS_PER_S;
    pressed[0] = 0;
    struct ph_hub *hub = ph_hub_create(&options);
    ph_hub_attach(hub, &source, &input);
    return hub;
}

static inline void stop(struct ph_hub *hub)
{
    ph_hub_destroy(hub);
    ph_clipboard_hub_destroy(g_steal_pointer(&shared_clipboard));
    CHECK_EQ(live_units, 0);
}

static inline void connect(struct ph_hub *hub, struct pipe *p)
{
    memset(p, 0, sizeof(*p));
    p->base.ops = &pipe_ops;
    ph_hub_add(hub, &p->base);
}

static inline void join(struct ph_hub *hub, struct pipe *p)
{
    connect(hub, p);
    say_auth(p, DRIVE);
    CHECK(p->trusted);
}
