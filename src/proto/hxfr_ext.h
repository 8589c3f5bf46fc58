/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * HXFR extensions (types 0x80-0x9F): sent only to a peer that said HELLO or
 * HELLO_RESP. Same conventions as hxfr.h; layout: docs/protocol.md.
 *
 * A surface is the screen as the host holds it. The guest announces it
 * (SURFACE), then sends what changed (TILES, or SLOT_FRAME when the pixels
 * are in shared memory) or asks for the same picture again (REPEAT). Each of
 * these carries a sequence number and gets exactly one ACCESS_UNIT or FAILURE
 * with that number.
 */
#pragma once

#include <inttypes.h>

#include "proto/hxfr.h"

enum ph_hxfr_ext_type {
    PH_HXFR_HELLO = 0x80,
    PH_HXFR_HELLO_RESP = 0x81,
    PH_HXFR_SURFACE = 0x82,
    PH_HXFR_TILES = 0x83,
    PH_HXFR_REPEAT = 0x84,
    PH_HXFR_SLOTS = 0x85,
    PH_HXFR_SLOT_FRAME = 0x86,
    PH_HXFR_CHECKSUM = 0x87,
    PH_HXFR_TIMED_PING = 0x88,
    PH_HXFR_TIMED_PONG = 0x89,
    PH_HXFR_RESET = 0x8A,
    PH_HXFR_ACCESS_UNIT = 0x8B,
    PH_HXFR_FAILURE = 0x8C,
};

enum ph_hxfr_capability {
    PH_HXFR_CAP_TILES = 1 << 0,
    PH_HXFR_CAP_MOVES = 1 << 1,
    PH_HXFR_CAP_LZ4 = 1 << 2,
    PH_HXFR_CAP_REPEAT = 1 << 3,
    PH_HXFR_CAP_MEMFD = 1 << 4,
    PH_HXFR_CAP_IVSHMEM = 1 << 5,
    PH_HXFR_CAP_FILE = 1 << 6,
    PH_HXFR_CAP_RESOURCE_IDS = 1 << 7,
    PH_HXFR_CAP_I444 = 1 << 8,
    PH_HXFR_CAP_REFINE = 1 << 9,
    PH_HXFR_CAP_TIMING = 1 << 10,
    PH_HXFR_CAP_QUICK =
            1 << 11, /* quick pictures: the guest repeats after them */
};

/* With one of these negotiated SLOTS answers a SURFACE of NV12. */
#define PH_HXFR_CAPS_MEMORY                                                    \
    (PH_HXFR_CAP_MEMFD | PH_HXFR_CAP_IVSHMEM | PH_HXFR_CAP_FILE)

#define PH_HXFR_EXT_VERSION 1
#define PH_HXFR_MAX_NAME 63
#define PH_HXFR_MAX_WINDOW 8
#define PH_HXFR_MAX_RECTS 1024
#define PH_HXFR_MAX_MOVES 64
#define PH_HXFR_MAX_SLOTS 8
/* The largest message but for pixels and access units. */
#define PH_HXFR_MAX_CONTROL                                                    \
    (64 + 12 * PH_HXFR_MAX_MOVES + 9 * PH_HXFR_MAX_RECTS)

/* HELLO and HELLO_RESP. A response carries the capabilities that both sides
 * have, the smaller window and the nonce of the request. Bytes behind the
 * region, which may be missing, are ignored: room for later versions. */
struct ph_hxfr_hello {
    uint16_t version;
    uint16_t max_window; /* requests in flight, 1..PH_HXFR_MAX_WINDOW */
    uint32_t capabilities;
    uint64_t nonce;
    char name[PH_HXFR_MAX_NAME + 1];
    uint64_t region; /* memory of the host that the guest sees; 0: none */
};

bool ph_hxfr_parse_hello(
        const uint8_t *payload, size_t len, struct ph_hxfr_hello *out);
/* type: PH_HXFR_HELLO or PH_HXFR_HELLO_RESP. */
void ph_hxfr_write_hello(struct ph_writer *w, uint8_t type, uint16_t session,
        const struct ph_hxfr_hello *hello);

/* Colour as ITU-T H.264 tables E-3 to E-5 number it; 2 = unspecified. */
struct ph_hxfr_colour {
    uint8_t matrix;
    uint8_t primaries;
    uint8_t transfer;
    bool full_range;
};

/* A new surface: what follows refers to it and the next frame is a keyframe
 * with everything in it. NV12 sides are even. Nothing answers it but SLOTS
 * (memfd negotiated), or FAILURE with its sequence. */
struct ph_hxfr_surface {
    uint32_t sequence;
    uint32_t stream_id;
    uint32_t width;
    uint32_t height;
    uint32_t format; /* enum ph_hxfr_format */
    struct ph_hxfr_colour colour;
};

bool ph_hxfr_parse_surface(
        const uint8_t *payload, size_t len, struct ph_hxfr_surface *out);
void ph_hxfr_write_surface(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_surface *surface);

enum ph_hxfr_frame_flag {
    PH_HXFR_FRAME_KEYFRAME = 1 << 0, /* asked for, or: it is one */
    PH_HXFR_FRAME_REFINE = 1 << 1,
    PH_HXFR_FRAME_LZ4 = 1 << 2, /* TILES: the pixels are one LZ4 block */
    PH_HXFR_FRAME_PLANES = 1 << 3, /* TILES: rectangles name their planes */
    PH_HXFR_FRAME_QUICK = 1 << 4, /* ACCESS_UNIT: made without the encoder */
    PH_HXFR_FRAME_FILE = 1 << 5, /* TILES: pixels are in `slot` of the file */
};

/* In pixels of the surface. Position and sides are even, as 4:2:0 needs it;
 * only at an odd edge of a surface of 4 bytes a pixel a side is odd. */
struct ph_rect {
    uint16_t x;
    uint16_t y;
    uint16_t width;
    uint16_t height;
};

/* Which planes of an NV12 surface a rectangle of TILES carries. */
enum ph_hxfr_plane {
    PH_HXFR_LUMA = 1, /* its position and sides may then be odd */
    PH_HXFR_CHROMA = 2,
    PH_HXFR_ALL_PLANES = 3,
};

struct ph_tile {
    struct ph_rect rect;
    uint8_t planes; /* enum ph_hxfr_plane */
};

/* Copies an area of the held surface to another place of it, which it may
 * overlap. Luma moves always; chroma only when the offsets and all of `from`
 * are even, else it stays. Surfaces of 4 bytes a pixel take even ones only. */
struct ph_move {
    struct ph_rect from;
    int16_t dx;
    int16_t dy;
};

/* TILES, SLOT_FRAME and REPEAT share this head. Only TILES has moves, which
 * come before its rectangles, one after the other; together they cover at
 * most twice the surface. */
struct ph_hxfr_frame {
    uint32_t sequence;
    int64_t pts;
    uint32_t flags; /* enum ph_hxfr_frame_flag */
    uint8_t slot; /* SLOT_FRAME */
    uint16_t rect_count; /* what changed since the frame before */
    const uint8_t *rects; /* rect_count * 8 bytes in the payload */
    uint8_t move_count;
    const uint8_t *moves; /* move_count * 12 bytes */
    const uint8_t *planes; /* rect_count bytes, or NULL: all planes */
    size_t bytes; /* of pixels that the rectangles stand for */
};

#define PH_HXFR_FRAME_HEAD_SIZE 20
#define PH_HXFR_RECT_SIZE 8
#define PH_HXFR_MOVE_SIZE 12

struct ph_rect ph_hxfr_rect(const struct ph_hxfr_frame *frame, uint16_t i);
uint8_t ph_hxfr_planes(const struct ph_hxfr_frame *frame, uint16_t i);
struct ph_move ph_hxfr_move(const struct ph_hxfr_frame *frame, uint8_t i);
/* True when it lies in the surface, is not empty, and is even as above. */
bool ph_hxfr_rect_fits(
        const struct ph_rect *r, const struct ph_hxfr_surface *surface);
bool ph_hxfr_tile_fits(const struct ph_rect *r, uint8_t planes,
        const struct ph_hxfr_surface *surface);
bool ph_hxfr_move_fits(
        const struct ph_move *m, const struct ph_hxfr_surface *surface);
/* Whether it takes chroma along. */
bool ph_hxfr_move_is_even(const struct ph_move *m);
struct ph_rect ph_hxfr_move_target(const struct ph_move *m);
/* Bytes of a rectangle's pixels as TILES carries them: rows without padding,
 * for NV12 the luma rows and then the chroma rows. */
size_t ph_hxfr_rect_size(const struct ph_rect *r, uint32_t format);
size_t ph_hxfr_tile_size(
        const struct ph_rect *r, uint8_t planes, uint32_t format);
/* The bytes of moves, rectangles and planes that follow this head. */
size_t ph_hxfr_frame_control(const uint8_t head[PH_HXFR_FRAME_HEAD_SIZE]);
/* The capabilities without which this frame may not be sent. */
uint32_t ph_hxfr_frame_needs(const struct ph_hxfr_frame *frame);

/* payload holds at least head, moves, rectangles and planes (len may cover
 * pixels as well). `total` is the header's payload size; it must be exactly
 * what type, rectangles and surface imply, and every rectangle and move must
 * fit. An LZ4 block may have any size smaller than the pixels it stands for,
 * and these are at most those of the whole surface. */
bool ph_hxfr_parse_frame(uint8_t type, const uint8_t *payload, size_t len,
        uint32_t total, const struct ph_hxfr_surface *surface,
        struct ph_hxfr_frame *out);
/* Header, head and rectangles; for TILES `pixels` bytes follow. */
void ph_hxfr_write_frame(struct ph_writer *w, uint8_t type, uint16_t session,
        const struct ph_hxfr_frame *frame, const struct ph_rect *rects,
        size_t pixels);
/* TILES with moves and planes; sets PH_HXFR_FRAME_PLANES. `bytes` follow:
 * the pixels, or with PH_HXFR_FRAME_LZ4 the block. */
void ph_hxfr_write_tiles(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_frame *frame, const struct ph_move *moves,
        const struct ph_tile *tiles, size_t bytes);

/* CHECKSUM: the guest sends the sum of the surface as it is after the frame
 * of this sequence, when that is the last one that it sent; the host answers
 * with its own. Where they differ the guest sends the next frame whole. */
struct ph_hxfr_checksum {
    uint32_t sequence;
    uint64_t sum; /* 0 from a host that holds no picture */
};

bool ph_hxfr_parse_checksum(
        const uint8_t *payload, size_t len, struct ph_hxfr_checksum *out);
void ph_hxfr_write_checksum(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_checksum *checksum);
/* The sum of NV12: from 0 over the rows of luma, then of chroma, without
 * padding. Each step takes 8 bytes (little-endian), at a row's end what is
 * left of it byte by byte: sum = (sum ^ x) * 0x9e3779b97f4a7c15, then
 * sum ^= sum >> 29. */
uint64_t ph_hxfr_sum(uint64_t sum, const uint8_t *data, size_t stride,
        size_t row, size_t rows);

/* Where the slots are. */
enum ph_hxfr_slots_place {
    PH_HXFR_SLOTS_MEMFD = 0, /* its descriptor comes with the first byte */
    PH_HXFR_SLOTS_IVSHMEM = 1, /* behind the page at `offset` of the region */
    PH_HXFR_SLOTS_FILE = 2, /* for TILES with PH_HXFR_FRAME_FILE: `nonce` names
                               a file in the region */
    PH_HXFR_SLOTS_NONE = 3, /* no room: send TILES */
};

/* The region's first bytes, and those of each range in it: magic and u64 id;
 * u64 nonce. A range's slots begin a page behind its nonce. */
#define PH_HXFR_REGION_MAGIC "PORTHOLE-HXFR-1" /* 16 bytes with its 0 */
#define PH_HXFR_REGION_PAGE 4096
/* In a folder: a file with the magic, a blank, and the id in hexadecimal; and
 * those with slots, by their nonce (PRIx64). */
#define PH_HXFR_REGION_FILE "porthole-hostd"
#define PH_HXFR_REGION_SLOTS "porthole-slots-%016" PRIx64

/* SLOTS: memory that the host made for the surface of this sequence. Slot i
 * begins at i * slot_size; a picture in it has the given strides and offsets.
 * A slot belongs to the host from SLOT_FRAME to its answer, and as long as it
 * is the newest one (REPEAT encodes from it). */
struct ph_hxfr_slots {
    uint32_t sequence; /* of the SURFACE */
    uint8_t count; /* 1..PH_HXFR_MAX_SLOTS */
    uint8_t place; /* enum ph_hxfr_slots_place */
    uint64_t offset_in_region; /* IVSHMEM; whole pages */
    uint64_t nonce; /* IVSHMEM, FILE */
    uint32_t stride[2];
    uint32_t offset[2];
    uint32_t slot_size;
};

/* surface: what the slots must be able to hold. */
bool ph_hxfr_parse_slots(const uint8_t *payload, size_t len,
        const struct ph_hxfr_surface *surface, struct ph_hxfr_slots *out);
void ph_hxfr_write_slots(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_slots *slots);

/* ACCESS_UNIT: durations measured by the host, never clock times. The bytes
 * of the access unit (Annex B) follow. */
struct ph_hxfr_access_unit {
    uint32_t sequence;
    int64_t pts;
    /* PH_HXFR_FRAME_KEYFRAME when it is one. PH_HXFR_FRAME_QUICK (only with
     * PH_HXFR_CAP_QUICK): nothing may refer to it, and what it changed is said
     * again by the next access unit that is not quick. Ask for that (REPEAT)
     * when no frame follows. */
    uint32_t flags;
    uint32_t receive_us; /* first to last byte of the request */
    uint32_t wait_us; /* last byte to the encoder's start */
    uint32_t encode_us;
};

#define PH_HXFR_ACCESS_UNIT_SIZE 28

bool ph_hxfr_parse_access_unit(const uint8_t fixed[PH_HXFR_ACCESS_UNIT_SIZE],
        struct ph_hxfr_access_unit *out);
void ph_hxfr_write_access_unit(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_access_unit *au, uint32_t size);

/* FAILURE: the request with this sequence got no access unit. */
struct ph_hxfr_failure {
    uint32_t sequence;
    int32_t code; /* enum ph_hxfr_error */
    char text[PH_HXFR_ERROR_TEXT];
};

bool ph_hxfr_parse_failure(
        const uint8_t *payload, size_t len, struct ph_hxfr_failure *out);
void ph_hxfr_write_failure(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_failure *failure);

/* TIMED_PING and TIMED_PONG: the token comes back unchanged. */
bool ph_hxfr_parse_timed(const uint8_t *payload, size_t len, uint64_t *token);
void ph_hxfr_write_timed(
        struct ph_writer *w, uint8_t type, uint16_t session, uint64_t token);

/* RESET, on streams that cannot hang up (virtio-serial): docs/protocol.md,
 * "Streams without an end". */
enum ph_hxfr_reset_phase {
    PH_HXFR_RESET_ASK = 0, /* guest: I begin anew */
    PH_HXFR_RESET_ANSWER = 1, /* host: all that was before is over */
    PH_HXFR_RESET_BEGIN = 2, /* guest: what follows is a new connection */
    PH_HXFR_RESET_NEWS = 3, /* host: I am new; ask */
};

struct ph_hxfr_reset {
    uint64_t nonce; /* the guest's, the same in ASK, ANSWER and BEGIN */
    uint32_t phase; /* enum ph_hxfr_reset_phase */
};

/* The whole message. */
#define PH_HXFR_RESET_SIZE (PH_HXFR_HEADER_SIZE + 12)

bool ph_hxfr_parse_reset(
        const uint8_t *payload, size_t len, struct ph_hxfr_reset *out);
void ph_hxfr_write_reset(struct ph_writer *w, uint16_t session,
        const struct ph_hxfr_reset *reset);
