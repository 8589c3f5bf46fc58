/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "fake_host.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/clock.h"
#include "common/net.h"
#include "proto/hxfr_ext.h"

enum {
    PATIENCE_MS = 20000,
    SLOTS = 3,
    PADDING = 64, /* rows of slots are longer than they must be */
};

/* The picture as the host holds it. */
struct fake_surface {
    struct ph_hxfr_surface info;
    struct ph_hxfr_slots slots;
    uint8_t *memory; /* of slots, or one picture without padding */
    size_t size;
    bool mapped;
    uint8_t newest; /* slot, for REPEAT */
    uint8_t *in;
    size_t in_cap;
};

uint32_t fake_sum(uint32_t sum, const uint8_t *data, uint32_t stride,
        uint32_t bytes, uint32_t rows)
{
    for (uint32_t y = 0; y < rows; y++) {
        const uint8_t *row = data + (size_t)y * stride;
        for (uint32_t x = 0; x < bytes; x++) {
            sum = (sum ^ row[x]) * 16777619u;
        }
    }
    return sum;
}

static bool send_bytes(struct fake_host *h, struct ph_writer *w, int fd)
{
    struct iovec iov = {w->data, w->len};
    return w->ok &&
            ph_net_write_full(
                    h->fd, &iov, 1, fd, ph_deadline_ms(PATIENCE_MS), 0);
}

static bool read_bytes(struct fake_host *h, void *buf, size_t len)
{
    struct ph_net_read how = {ph_deadline_ms(PATIENCE_MS), 0, NULL};
    return len == 0 || ph_net_read_full(h->fd, buf, len, &how) == PH_NET_OK;
}

static bool extended(const struct fake_host *h)
{
    return h->kind == FAKE_MEMFD || h->kind == FAKE_TILES;
}

static bool send_error(struct fake_host *h, int32_t code)
{
    uint8_t buf[512];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_error(&w, 1, code, "as the test wants it");
    return send_bytes(h, &w, -1);
}

/* --- surfaces and slots --- */

static void drop_memory(struct fake_surface *s)
{
    if (s->mapped) {
        munmap(s->memory, s->size);
    } else {
        free(s->memory);
    }
    s->memory = NULL;
    s->mapped = false;
}

#ifdef F_ADD_SEALS
static int make_memory(struct fake_surface *s, enum fake_trick trick)
{
    int fd = memfd_create("fake", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)s->size) < 0) {
        abort();
    }
    s->memory = mmap(NULL, s->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    s->mapped = true;
    if (trick == TRICK_SHORT_SLOTS && ftruncate(fd, 4096) < 0) {
        abort();
    }
    if (trick != TRICK_UNSEALED_SLOTS) {
        fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    }
    return fd;
}
#else
static int make_memory(struct fake_surface *s, enum fake_trick trick)
{
    abort();
}
#endif

static bool send_slots(struct fake_host *h)
{
    struct fake_surface *s = h->surface;
    uint32_t stride = s->info.width + PADDING;
    uint32_t luma = stride * s->info.height;
    s->slots = (struct ph_hxfr_slots){
            .sequence = s->info.sequence,
            .count = h->trick == TRICK_ONE_SLOT ? 1 : SLOTS,
            .stride = {stride, stride},
            .offset = {0, luma},
            .slot_size = luma / 2 * 3,
    };
    s->size = (size_t)s->slots.slot_size * SLOTS;
    AUTOCLOSE int fd = make_memory(s, h->trick);
    uint8_t buf[64];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_slots(&w, 1, &s->slots);
    return h->trick == TRICK_NO_SLOTS || send_bytes(h, &w, fd);
}

static bool take_surface(struct fake_host *h, size_t len)
{
    struct fake_surface *s = h->surface;
    if (!ph_hxfr_parse_surface(s->in, len, &s->info)) {
        return false;
    }
    drop_memory(s);
    if (h->slots_agreed) {
        return send_slots(h);
    }
    s->size = (size_t)s->info.width * s->info.height / 2 * 3;
    s->memory = ph_xcalloc(1, s->size);
    return true;
}

static void patch(struct fake_surface *s, const struct ph_hxfr_frame *f)
{
    const uint8_t *from = f->rects + (size_t)f->rect_count * 8;
    uint32_t stride = s->info.width;
    uint8_t *chroma = s->memory + (size_t)stride * s->info.height;
    for (uint16_t i = 0; i < f->rect_count; i++) {
        struct ph_rect r = ph_hxfr_rect(f, i);
        for (uint32_t y = 0; y < r.height; y++, from += r.width) {
            memcpy(s->memory + (size_t)(r.y + y) * stride + r.x, from, r.width);
        }
        for (uint32_t y = 0; y < r.height / 2u; y++, from += r.width) {
            memcpy(chroma + (size_t)(r.y / 2 + y) * stride + r.x, from,
                    r.width);
        }
    }
}

static uint32_t sum_of(const struct fake_surface *s, uint8_t slot)
{
    uint32_t stride = s->mapped ? s->slots.stride[0] : s->info.width;
    const uint8_t *luma =
            s->memory + (s->mapped ? (size_t)slot * s->slots.slot_size : 0);
    const uint8_t *chroma = luma + (size_t)stride * s->info.height;
    uint32_t sum = fake_sum(
            FAKE_SUM_START, luma, stride, s->info.width, s->info.height);
    return fake_sum(sum, chroma, stride, s->info.width, s->info.height / 2);
}

/* --- answers --- */

/* Of 320x240, as x264 writes them. */
static const uint8_t sets[] = {0, 0, 0, 1, 0x67, 0x42, 0xc0, 0x15, 0xda, 0x05,
        0x07, 0xe9, 0xa8, 0x08, 0x68, 0x32, 0x00, 0x00, 0x03, 0x00, 0x02, 0x00,
        0x00, 0x03, 0x00, 0xf1, 0x1e, 0x2c, 0x5d, 0x40, 0, 0, 0, 1, 0x68, 0xce,
        0x0f, 0xc8};

/* Annex B that inspects as a frame: the checksum stands in its slice. */
static size_t write_unit(
        uint8_t *out, size_t cap, bool keyframe, bool sps, uint32_t sum)
{
    size_t n = 0;
    if (keyframe && sps) {
        memcpy(out, sets, sizeof(sets));
        n = sizeof(sets);
    }
    const uint8_t slice[] = {0, 0, 0, 1, keyframe ? 0x65 : 0x41};
    memcpy(out + n, slice, sizeof(slice));
    n += sizeof(slice);
    snprintf((char *)out + n, cap - n, "%08x", sum);
    return n + 8;
}

/* The parameter sets, then the slice, as two entries. */
static void write_v1(struct ph_writer *w, bool keyframe, const uint8_t *unit,
        size_t size, int64_t pts)
{
    size_t first = keyframe && size > sizeof(sets) ? sizeof(sets) : 0;
    struct ph_hxfr_header header = {.type = PH_HXFR_FRAME_RESPONSE,
            .session = 1,
            .payload = (uint32_t)(PH_HXFR_FRAME_RESPONSE_SIZE +
                    (first ? 8 : 4) + size)};
    ph_hxfr_write_header(w, &header);
    ph_write_u64(w, (uint64_t)pts);
    ph_write_u64(w, (uint64_t)pts);
    ph_write_u8(w, keyframe);
    ph_write_zeros(w, 3);
    ph_write_u32(w, first ? 2 : 1);
    if (first) {
        ph_write_u32(w, (uint32_t)first);
        ph_write_bytes(w, unit, first);
    }
    ph_write_u32(w, (uint32_t)(size - first));
    ph_write_bytes(w, unit + first, size - first);
}

struct answer {
    bool v1; /* to a frame of version 1 */
    enum fake_trick trick;
    uint32_t sequence;
    int64_t pts;
    bool keyframe;
    uint32_t sum;
};

static bool send_unit(struct fake_host *h, const struct answer *a)
{
    uint8_t unit[64];
    uint8_t buf[256];
    size_t size = write_unit(
            unit, sizeof(unit), a->keyframe, a->trick != TRICK_NO_SPS, a->sum);
    size = a->trick == TRICK_EMPTY ? 0 : size;
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    if (!a->v1) {
        struct ph_hxfr_access_unit au = {
                .sequence = a->sequence + (a->trick == TRICK_WRONG_SEQUENCE),
                .pts = a->pts,
                .flags = a->keyframe ? PH_HXFR_FRAME_KEYFRAME : 0,
                .encode_us = 7,
        };
        if (a->trick == TRICK_TIMES) {
            au.encode_us = UINT32_MAX;
            au.wait_us = UINT32_MAX - 1;
            au.receive_us = UINT32_MAX;
        }
        ph_hxfr_write_access_unit(&w, 1, &au, (uint32_t)size);
        ph_write_bytes(&w, unit, size);
    } else {
        write_v1(&w, a->keyframe, unit, size, a->pts);
    }
    return send_bytes(h, &w, -1);
}

static bool send_failure(struct fake_host *h, const struct answer *a)
{
    uint8_t buf[512];
    struct ph_hxfr_failure f = {
            a->sequence, PH_HXFR_ERR_ENCODE, "as the test wants it"};
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_failure(&w, 1, &f);
    return a->v1 ? send_error(h, PH_HXFR_ERR_ENCODE) : send_bytes(h, &w, -1);
}

static bool send_nonsense(struct fake_host *h)
{
    uint8_t buf[64];
    memset(buf, 'x', sizeof(buf));
    struct ph_writer w = {buf, sizeof(buf), sizeof(buf), true};
    return send_bytes(h, &w, -1);
}

static bool announce_huge(struct fake_host *h)
{
    uint8_t buf[64] = {0};
    struct ph_hxfr_header header = {
            .type = PH_HXFR_ACCESS_UNIT, .payload = UINT32_C(1) << 31};
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_header(&w, &header);
    w.len = sizeof(buf);
    return send_bytes(h, &w, -1);
}

/* False ends the connection. */
static bool answer(struct fake_host *h, const struct answer *a)
{
    if (h->muted) {
        return true;
    }
    switch (a->trick) {
    case TRICK_HANG_UP:
        return false;
    case TRICK_HANG_UP_AFTER:
        send_unit(h, a);
        return false;
    case TRICK_MUTE:
        h->muted = true;
        return true;
    case TRICK_GARBAGE:
        return send_nonsense(h);
    case TRICK_HUGE:
        return announce_huge(h);
    case TRICK_FAIL:
        return send_failure(h, a);
    case TRICK_UNASKED:
        return send_unit(h, a) && send_unit(h, a);
    case TRICK_LATE_ERROR:
        return send_error(h, PH_HXFR_ERR_INVALID) && send_unit(h, a);
    default:
        return send_unit(h, a);
    }
}

/* Counts a frame; waits while answers are held. Gives the trick to play. */
static enum fake_trick count_frame(
        struct fake_host *h, bool whole, uint32_t flags)
{
    pthread_mutex_lock(&h->lock);
    enum fake_trick trick = h->frames == h->trick_at ? h->trick : TRICK_NONE;
    h->frames++;
    h->whole += whole;
    h->keyframes_asked += (flags & PH_HXFR_FRAME_KEYFRAME) != 0;
    h->refined += (flags & PH_HXFR_FRAME_REFINE) != 0;
    pthread_cond_broadcast(&h->changed);
    while (h->hold && !h->stopping) {
        pthread_cond_wait(&h->changed, &h->lock);
    }
    pthread_mutex_unlock(&h->lock);
    return trick;
}

/* Its pixels or, from a guest with extensions, the number of a resource. */
static bool take_v1_frame(
        struct fake_host *h, const struct ph_hxfr_header *header)
{
    struct fake_surface *s = h->surface;
    struct ph_hxfr_frame_request q;
    if (!ph_hxfr_parse_frame_request(header, s->in, &q) ||
            (extended(h) ? q.has_pixels || !h->resources_agreed
                         : !q.has_pixels) ||
            q.stride != (q.format == PH_HXFR_NV12 ? q.width : q.width * 4)) {
        return false;
    }
    uint32_t rows = q.format == PH_HXFR_NV12 ? q.height / 2 * 3 : q.height;
    pthread_mutex_lock(&h->lock);
    h->v1_format = q.format;
    h->resources += !q.has_pixels;
    h->resource_id = q.resource_id;
    pthread_mutex_unlock(&h->lock);
    struct answer a = {.v1 = true, .pts = q.pts, .sum = q.resource_id};
    a.keyframe = q.force_keyframe || h->frames == 0;
    if (q.has_pixels) {
        a.sum = fake_sum(FAKE_SUM_START, s->in + PH_HXFR_FRAME_REQUEST_SIZE,
                q.stride, q.stride, rows);
    }
    a.trick =
            count_frame(h, true, q.force_keyframe ? PH_HXFR_FRAME_KEYFRAME : 0);
    return answer(h, &a);
}

static bool take_frame(struct fake_host *h, uint8_t type, size_t len)
{
    struct fake_surface *s = h->surface;
    struct ph_hxfr_frame f;
    if (!ph_hxfr_parse_frame(type, s->in, len, (uint32_t)len, &s->info, &f)) {
        return false;
    }
    if (type == PH_HXFR_TILES) {
        patch(s, &f);
    }
    if (type == PH_HXFR_SLOT_FRAME) {
        s->newest = f.slot;
    }
    struct ph_rect r = {0};
    if (f.rect_count == 1) {
        r = ph_hxfr_rect(&f, 0);
    }
    bool whole = r.width == s->info.width && r.height == s->info.height;
    bool keyframe = f.flags & PH_HXFR_FRAME_KEYFRAME;
    struct answer a = {.sequence = f.sequence, .pts = f.pts};
    a.trick = count_frame(h, whole, f.flags);
    a.keyframe = keyframe || (whole && type != PH_HXFR_REPEAT);
    a.sum = sum_of(s, s->newest);
    return answer(h, &a);
}

/* In its first connection it has not answered HELLO when a frame comes. */
static bool is_late(const struct fake_host *h)
{
    return h->trick == TRICK_LATE_HELLO && h->hellos == 1;
}

static bool send_late_hello(struct fake_host *h)
{
    uint8_t buf[128];
    struct ph_hxfr_hello hello = {PH_HXFR_EXT_VERSION, 1, 0, 0, "fake"};
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_hello(&w, PH_HXFR_HELLO_RESP, 1, &hello);
    return is_late(h) && send_bytes(h, &w, -1);
}

static bool take_hello(struct fake_host *h, size_t len)
{
    uint8_t buf[128];
    struct ph_hxfr_hello hello;
    pthread_mutex_lock(&h->lock);
    h->hellos++;
    pthread_mutex_unlock(&h->lock);
    if (h->trick == TRICK_BUSY) {
        return send_error(h, PH_HXFR_ERR_BUSY);
    }
    if (h->kind == FAKE_V1_ERROR) {
        return send_error(h, PH_HXFR_ERR_INVALID);
    }
    if (!extended(h) || is_late(h)) {
        return true;
    }
    if (!ph_hxfr_parse_hello(h->surface->in, len, &hello)) {
        return false;
    }
    /* Made of headers alone, it neither moves nor unpacks. */
    hello.capabilities &= ~(uint32_t)(PH_HXFR_CAP_MOVES | PH_HXFR_CAP_LZ4);
    if (h->kind == FAKE_TILES) {
        hello.capabilities &= ~(uint32_t)PH_HXFR_CAP_MEMFD;
    }
    h->slots_agreed = hello.capabilities & PH_HXFR_CAP_MEMFD;
    h->resources_agreed = hello.capabilities & PH_HXFR_CAP_RESOURCE_IDS;
    snprintf(hello.name, sizeof(hello.name), "fake");
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_hello(&w, PH_HXFR_HELLO_RESP, 1, &hello);
    return send_bytes(h, &w, -1);
}

static bool take_ping(struct fake_host *h)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_empty(&w, PH_HXFR_PONG, 1);
    return h->kind == FAKE_V1_SILENT || is_late(h) || send_bytes(h, &w, -1);
}

static bool take_config(struct fake_host *h, size_t len)
{
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_hxfr_config config;
    if (!ph_hxfr_parse_config(h->surface->in, len, &config)) {
        return false;
    }
    pthread_mutex_lock(&h->lock);
    h->bitrate = config.bitrate;
    pthread_mutex_unlock(&h->lock);
    struct ph_writer w = ph_writer(buf, sizeof(buf));
    ph_hxfr_write_empty(&w, PH_HXFR_CONFIG_RESP, 1);
    return send_bytes(h, &w, -1);
}

/* --- the connection --- */

/* Answers a frame of which only the head has come. */
static bool plays_early(struct fake_host *h, uint8_t type)
{
    uint8_t sequence[4];
    if (h->trick != TRICK_EARLY || type != PH_HXFR_TILES) {
        return true;
    }
    if (recv(h->fd, sequence, sizeof(sequence), MSG_PEEK) != sizeof(sequence)) {
        return false;
    }
    struct answer a = {.sequence = ph_load_u32(sequence), .keyframe = true};
    struct pollfd p = {h->fd, 0, 0};
    if (send_unit(h, &a)) {
        poll(&p, 1, PATIENCE_MS); /* reads nothing until the guest goes */
    }
    return false;
}

static bool take_message(struct fake_host *h)
{
    struct fake_surface *s = h->surface;
    uint8_t buf[PH_HXFR_HEADER_SIZE];
    struct ph_hxfr_header header;
    if (!read_bytes(h, buf, sizeof(buf)) ||
            !ph_hxfr_parse_header(buf, &header) ||
            !plays_early(h, header.type)) {
        return false;
    }
    if (header.payload > s->in_cap) {
        s->in = ph_xrealloc(s->in, header.payload);
        s->in_cap = header.payload;
    }
    if (!read_bytes(h, s->in, header.payload)) {
        return false;
    }
    switch (header.type) {
    case PH_HXFR_HELLO:
        return take_hello(h, header.payload);
    case PH_HXFR_PING:
        return take_ping(h);
    case PH_HXFR_CONFIG_REQ:
        return take_config(h, header.payload);
    case PH_HXFR_SURFACE:
        return take_surface(h, header.payload);
    case PH_HXFR_TILES:
    case PH_HXFR_SLOT_FRAME:
    case PH_HXFR_REPEAT:
        return extended(h) && take_frame(h, header.type, header.payload);
    case PH_HXFR_FRAME_REQUEST:
        return is_late(h) ? send_late_hello(h) : take_v1_frame(h, &header);
    default:
        return false; /* a link sends nothing else */
    }
}

static bool set_guest(struct fake_host *h, int fd)
{
    pthread_mutex_lock(&h->lock);
    h->fd = fd;
    h->connections += fd >= 0;
    bool go_on = !h->stopping;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    return go_on;
}

static int accept_guest(struct fake_host *h)
{
    /* accept() of a non-blocking socket that stop shuts down. */
    int flags = fcntl(h->listen_fd, F_GETFL);
    fcntl(h->listen_fd, F_SETFL, flags & ~O_NONBLOCK);
    return ph_net_accept(h->listen_fd);
}

static void *host_thread(void *arg)
{
    struct fake_host *h = arg;
    struct fake_surface surface = {0};
    h->surface = &surface;
    for (;;) {
        AUTOCLOSE int fd = accept_guest(h);
        if (fd < 0) {
            break;
        }
        h->muted = false;
        if (set_guest(h, fd)) {
            while (take_message(h)) {
            }
        }
        set_guest(h, -1);
    }
    drop_memory(&surface);
    free(surface.in);
    return NULL;
}

bool fake_host_start(struct fake_host *h)
{
    h->fd = -1;
    h->listen_fd = ph_net_listen(&h->endpoint, 8);
    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->changed, NULL);
    return h->listen_fd >= 0 &&
            pthread_create(&h->thread, NULL, host_thread, h) == 0;
}

void fake_host_stop(struct fake_host *h)
{
    pthread_mutex_lock(&h->lock);
    h->stopping = true;
    if (h->fd >= 0) {
        shutdown(h->fd, SHUT_RDWR);
    }
    shutdown(h->listen_fd, SHUT_RDWR);
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    close(h->listen_fd);
    pthread_cond_destroy(&h->changed);
    pthread_mutex_destroy(&h->lock);
}

void fake_host_hold(struct fake_host *h, bool hold)
{
    pthread_mutex_lock(&h->lock);
    h->hold = hold;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
}

uint32_t fake_host_get(struct fake_host *h, const uint32_t *field)
{
    pthread_mutex_lock(&h->lock);
    uint32_t value = *field;
    pthread_mutex_unlock(&h->lock);
    return value;
}
