/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/mutter_stream.h"

#include <linux/dma-buf.h>
#include <pipewire/pipewire.h>
#include <spa/param/video/format-utils.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "common/alloc.h"
#include "common/macros.h"
#define LOG_MODULE "pipewire"
#include "common/log.h"
#include "deskd/mutter_cursor.h"
#include "deskd/mutter_params.h"
#include "proto/hxfr_ext.h"

/* So often buffers are asked for once more. */
#define BLIND_ROUNDS 8

struct ph_mutter_stream {
    struct ph_mutter_stream_wish wish;
    ph_mutter_stream_cursor *cursor_event;
    void *data;
    struct pw_loop *loop;
    struct pw_context *context;
    struct pw_core *core;
    struct spa_hook core_listener;
    struct pw_stream *stream;
    struct spa_hook listener;
    struct spa_video_info_raw format; /* width 0: none yet */
    struct pw_buffer *newest; /* that nobody has taken; NULL: none */
    bool mapped; /* it is open for reading (dma-buf) */
    bool blind; /* there are buffers without memory */
    unsigned rounds; /* of such, one after another */
    bool damage_known; /* for every buffer since the one taken before */
    struct ph_region damage;
    struct ph_mutter_cursor cursor;
    char failure[256];
};

static void fail(struct ph_mutter_stream *s, const char *why)
{
    if (!s->failure[0]) {
        snprintf(s->failure, sizeof(s->failure), "%s", why);
    }
}

static uint32_t format_of(enum spa_video_format format)
{
    switch (format) {
    case SPA_VIDEO_FORMAT_BGRx:
    case SPA_VIDEO_FORMAT_BGRA:
        return PH_HXFR_BGRA;
    case SPA_VIDEO_FORMAT_RGBx:
    case SPA_VIDEO_FORMAT_RGBA:
        return PH_HXFR_RGBA;
    default:
        return 0;
    }
}

/* A picture in a graphics card's memory has to be told that we read it. */
static void sync_dmabuf(const struct spa_data *d, uint64_t what)
{
    struct dma_buf_sync sync = {what | DMA_BUF_SYNC_READ};
    if (d->type == SPA_DATA_DmaBuf) {
        ioctl((int)d->fd, DMA_BUF_IOCTL_SYNC, &sync);
    }
}

void ph_mutter_stream_release(struct ph_mutter_stream *s)
{
    if (!s->newest) {
        return;
    }
    if (s->mapped) {
        sync_dmabuf(&s->newest->buffer->datas[0], DMA_BUF_SYNC_END);
        s->mapped = false;
    }
    pw_stream_queue_buffer(s->stream, s->newest);
    s->newest = NULL;
    s->damage_known = true;
    ph_region_clear(&s->damage);
}

/* Whether there is a whole picture in it, of the format agreed on. */
static bool is_picture(
        const struct ph_mutter_stream *s, const struct spa_buffer *b)
{
    const struct spa_meta_header *header =
            spa_buffer_find_meta_data(b, SPA_META_Header, sizeof(*header));
    if (b->n_datas != 1 || s->format.size.width == 0 ||
            (header && header->flags & SPA_META_HEADER_FLAG_CORRUPTED)) {
        return false;
    }
    const struct spa_data *d = &b->datas[0];
    const struct spa_chunk *c = d->chunk;
    uint64_t width = s->format.size.width;
    uint64_t height = s->format.size.height;
    if (!d->data || !c || c->flags & SPA_CHUNK_FLAG_CORRUPTED || c->size == 0 ||
            c->stride <= 0 || c->stride % 4 != 0 ||
            (uint64_t)c->stride < width * 4) {
        return false;
    }
    return c->offset + (uint64_t)c->stride * (height - 1) + width * 4 <=
            d->maxsize;
}

static void add_damage(struct ph_mutter_stream *s, const struct spa_buffer *b)
{
    const struct spa_meta *meta = spa_buffer_find_meta(b, SPA_META_VideoDamage);
    struct spa_meta_region *r;
    unsigned count = 0;
    if (!meta) {
        s->damage_known = false;
        return;
    }
    spa_meta_for_each(r, meta)
    {
        if (!spa_meta_region_is_valid(r)) {
            break;
        }
        struct ph_rect rect;
        if (ph_mutter_clip(&r->region, s->format.size.width,
                    s->format.size.height, &rect)) {
            ph_region_add(&s->damage, rect);
        }
        count++;
    }
    if (count == 0) {
        s->damage_known = false;
    }
}

static void take_buffer(struct ph_mutter_stream *s, struct pw_buffer *buffer)
{
    struct ph_capture_cursor cursor;
    if (ph_mutter_cursor_take(&s->cursor, buffer->buffer, &cursor)) {
        s->cursor_event(s->data, &cursor);
    }
    if (!is_picture(s, buffer->buffer)) {
        pw_stream_queue_buffer(s->stream, buffer);
        return;
    }
    if (s->newest) {
        pw_stream_queue_buffer(s->stream, s->newest);
    }
    s->newest = buffer;
    s->rounds = 0;
    add_damage(s, buffer->buffer);
}

static void on_process(void *data)
{
    struct ph_mutter_stream *s = data;
    struct pw_buffer *buffer;
    while ((buffer = pw_stream_dequeue_buffer(s->stream))) {
        take_buffer(s, buffer);
    }
}

/* PipeWire may hand out buffers before Mutter has put memory into them (0.3.65
 * and Mutter 43: "unknown buffer data type -1"): pictures would come, but not
 * be seen. */
static void on_add_buffer(void *data, struct pw_buffer *buffer)
{
    struct ph_mutter_stream *s = data;
    const struct spa_buffer *b = buffer->buffer;
    s->blind |= b->n_datas > 0 && b->datas[0].type == SPA_ID_INVALID;
}

static void on_remove_buffer(void *data, struct pw_buffer *buffer)
{
    struct ph_mutter_stream *s = data;
    if (s->newest == buffer) {
        s->newest = NULL;
        s->mapped = false;
        s->damage_known = false;
    }
}

static void on_param(void *data, uint32_t id, const struct spa_pod *pod)
{
    struct ph_mutter_stream *s = data;
    uint8_t memory[PH_MUTTER_PARAMS_SIZE];
    const struct spa_pod *params[PH_MUTTER_PARAMS];
    struct spa_video_info_raw format = {0};
    if (!pod || id != SPA_PARAM_Format) {
        return;
    }
    if (spa_format_video_raw_parse(pod, &format) < 0 ||
            !format_of(format.format) || format.size.width == 0 ||
            format.size.height == 0 || format.size.width > PH_HXFR_MAX_SIDE ||
            format.size.height > PH_HXFR_MAX_SIDE) {
        fail(s, "the stream has a size or pixel format that is not supported");
        return;
    }
    ph_mutter_stream_release(s);
    s->format = format;
    s->damage_known = false;
    LOG_DBG("%ux%u, format %d, at most %u/%u pictures a second",
            format.size.width, format.size.height, (int)format.format,
            format.max_framerate.num, format.max_framerate.denom);
    size_t count = ph_mutter_params_buffers(
            s->wish.buffers, memory, sizeof(memory), params);
    pw_stream_update_params(s->stream, params, (uint32_t)count);
}

static void on_state(void *data, enum pw_stream_state old,
        enum pw_stream_state state, const char *error)
{
    struct ph_mutter_stream *s = data;
    LOG_DBG("stream %s", pw_stream_state_as_string(state));
    if (state == PW_STREAM_STATE_ERROR) {
        char text[200];
        snprintf(text, sizeof(text), "the stream failed: %s",
                error ? error : "no reason given");
        fail(s, text);
    } else if (state == PW_STREAM_STATE_UNCONNECTED) {
        fail(s, "the compositor ended the stream");
    }
}

static const struct pw_stream_events stream_events = {
        PW_VERSION_STREAM_EVENTS,
        .state_changed = on_state,
        .param_changed = on_param,
        .add_buffer = on_add_buffer,
        .remove_buffer = on_remove_buffer,
        .process = on_process,
};

static void on_core_error(
        void *data, uint32_t id, int seq, int res, const char *message)
{
    struct ph_mutter_stream *s = data;
    LOG_DBG("core object %u: %s", id, message);
    if (id == PW_ID_CORE) {
        fail(s, "PipeWire closed the connection");
    }
}

static const struct pw_core_events core_events = {
        PW_VERSION_CORE_EVENTS,
        .error = on_core_error,
};

static bool connect_core(struct ph_mutter_stream *s, char *error, size_t size)
{
    s->loop = pw_loop_new(NULL);
    s->context = s->loop ? pw_context_new(s->loop, NULL, 0) : NULL;
    if (!s->context) {
        snprintf(error, size,
                "PipeWire cannot be used: its configuration or modules are "
                "missing (apt-get install pipewire)");
        return false;
    }
    /* Never left before the end: while nobody is inside, PipeWire's own
     * thread takes itself for us, and calls on_process. */
    pw_loop_enter(s->loop);
    s->core = pw_context_connect(s->context, NULL, 0);
    if (s->core) {
        pw_core_add_listener(s->core, &s->core_listener, &core_events, s);
    } else {
        snprintf(error, size,
                "no PipeWire at $PIPEWIRE_RUNTIME_DIR or $XDG_RUNTIME_DIR: "
                "start pipewire and wireplumber there");
    }
    return s->core;
}

static bool connect_stream(struct ph_mutter_stream *s, char *error, size_t size)
{
    uint8_t memory[PH_MUTTER_PARAMS_SIZE];
    const struct spa_pod *params[PH_MUTTER_PARAMS];
    struct pw_properties *properties = pw_properties_new(PW_KEY_MEDIA_TYPE,
            "Video", PW_KEY_MEDIA_CATEGORY, "Capture", PW_KEY_MEDIA_ROLE,
            "Screen", PW_KEY_NODE_DONT_RECONNECT, "true", NULL);
    s->stream = pw_stream_new(s->core, "porthole", properties);
    if (!s->stream) {
        snprintf(error, size, "PipeWire makes no stream");
        return false;
    }
    pw_stream_add_listener(s->stream, &s->listener, &stream_events, s);
    size_t count = ph_mutter_params_format(s->wish.width, s->wish.height,
            s->wish.fps, memory, sizeof(memory), params);
    int result = pw_stream_connect(s->stream, PW_DIRECTION_INPUT, s->wish.node,
            PW_STREAM_FLAG_AUTOCONNECT | PW_STREAM_FLAG_MAP_BUFFERS, params,
            (uint32_t)count);
    if (result < 0) {
        snprintf(error, size, "PipeWire refuses the stream: %s",
                strerror(-result));
    }
    return result >= 0;
}

struct ph_mutter_stream *ph_mutter_stream_create(
        const struct ph_mutter_stream_wish *wish,
        ph_mutter_stream_cursor *cursor, void *data, char *error, size_t size)
{
    struct ph_mutter_stream *s = ph_xcalloc(1, sizeof(*s));
    s->wish = *wish;
    s->cursor_event = cursor;
    s->data = data;
    pw_init(NULL, NULL);
    if (!connect_core(s, error, size) || !connect_stream(s, error, size)) {
        ph_mutter_stream_destroy(s);
        return NULL;
    }
    return s;
}

void ph_mutter_stream_destroy(struct ph_mutter_stream *s)
{
    if (!s) {
        return;
    }
    if (s->stream) {
        spa_hook_remove(&s->listener);
        pw_stream_destroy(s->stream);
    }
    if (s->core) {
        spa_hook_remove(&s->core_listener);
        pw_core_disconnect(s->core);
    }
    if (s->context) {
        pw_context_destroy(s->context);
        pw_loop_leave(s->loop);
    }
    if (s->loop) {
        pw_loop_destroy(s->loop);
    }
    ph_mutter_cursor_finish(&s->cursor);
    free(s);
    pw_deinit();
}

int ph_mutter_stream_fd(struct ph_mutter_stream *s)
{
    return pw_loop_get_fd(s->loop);
}

void ph_mutter_stream_dispatch(struct ph_mutter_stream *s)
{
    /* A bound, so that a flood does not keep us. */
    for (int i = 0; i < 16 && pw_loop_iterate(s->loop, 0) > 0; i++) {
    }
    if (s->blind) {
        s->blind = false;
        if (s->rounds++ == BLIND_ROUNDS) {
            fail(s, "PipeWire gives buffers without memory");
            return;
        }
        LOG_DBG("buffers without memory: once more");
        ph_mutter_stream_resize(s, s->wish.width, s->wish.height);
    }
}

const char *ph_mutter_stream_failure(const struct ph_mutter_stream *s)
{
    return s->failure[0] ? s->failure : NULL;
}

bool ph_mutter_stream_size(
        const struct ph_mutter_stream *s, uint32_t *width, uint32_t *height)
{
    *width = s->format.size.width;
    *height = s->format.size.height;
    return *width != 0;
}

bool ph_mutter_stream_peek(
        struct ph_mutter_stream *s, struct ph_mutter_picture *out)
{
    if (!s->newest) {
        return false;
    }
    const struct spa_buffer *b = s->newest->buffer;
    const struct spa_data *d = &b->datas[0];
    const struct spa_meta_header *header =
            spa_buffer_find_meta_data(b, SPA_META_Header, sizeof(*header));
    if (!s->mapped) {
        sync_dmabuf(d, DMA_BUF_SYNC_START);
        s->mapped = true;
    }
    *out = (struct ph_mutter_picture){
            .data = (const uint8_t *)d->data + d->chunk->offset,
            .stride = (uint32_t)d->chunk->stride,
            .width = s->format.size.width,
            .height = s->format.size.height,
            .format = format_of(s->format.format),
            .time_ns = header && header->pts > 0 ? header->pts : 0,
            .damage = s->damage_known ? &s->damage : NULL,
    };
    return true;
}

void ph_mutter_stream_set_active(struct ph_mutter_stream *s, bool active)
{
    if (!active) {
        ph_mutter_stream_release(s);
    }
    s->damage_known = false;
    pw_stream_set_active(s->stream, active);
}

void ph_mutter_stream_resize(
        struct ph_mutter_stream *s, uint32_t width, uint32_t height)
{
    uint8_t memory[PH_MUTTER_PARAMS_SIZE];
    const struct spa_pod *params[PH_MUTTER_PARAMS];
    s->wish.width = width;
    s->wish.height = height;
    size_t count = ph_mutter_params_format(
            width, height, s->wish.fps, memory, sizeof(memory), params);
    pw_stream_update_params(s->stream, params, (uint32_t)count);
}
