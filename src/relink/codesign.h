/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Embedded code signatures: reads what an old one says, makes a new ad-hoc one
 * (SHA-256 code directory), and verifies one page by page. Pure but for the
 * threads that hash a large image. Layout: Apple's open source cs_blobs.h;
 * numbers are big-endian.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "relink/digest.h"
#include "relink/macho.h"

enum ph_codesign_flag {
    PH_CS_ADHOC = 0x2,
    PH_CS_HARD = 0x100,
    PH_CS_KILL = 0x200,
    PH_CS_RESTRICT = 0x800,
    PH_CS_ENFORCEMENT = 0x1000,
    PH_CS_LIBRARY_VALIDATION = 0x2000,
    PH_CS_RUNTIME = 0x10000, /* "hardened runtime" */
    PH_CS_LINKER_SIGNED = 0x20000,
};

enum {
    PH_CS_EXEC_MAIN_BINARY = 1,
    PH_CS_PAGE_SHIFT = 12,
    PH_CS_PAGE_SHIFT_MAX = 14, /* arm64's pages; the kernel takes no larger */
    PH_CS_CDHASH_SIZE = 20,
};

enum ph_codesign_state {
    PH_CODESIGN_NONE, /* not signed */
    PH_CODESIGN_OK,
    PH_CODESIGN_BAD, /* it does not hold together */
};

/* A signature. Pointers go into the image's bytes. */
struct ph_codesign {
    enum ph_codesign_state state;
    const char *identifier;
    const char *team; /* NULL: none */
    uint32_t flags;
    uint32_t runtime; /* version that the hardened runtime is for */
    uint64_t exec_flags;
    unsigned page_shift;
    struct ph_bytes entitlements; /* whole blobs, header included; len 0: */
    struct ph_bytes entitlements_der; /* there is none */
    uint8_t cdhash[PH_CS_CDHASH_SIZE];
    /* What the code directory says of Info.plist and CodeResources: SHA-256
     * digests, or NULL for nothing. */
    const uint8_t *info_plist;
    const uint8_t *resources;
};

/* What ph_codesign_verify found. */
struct ph_codesign_verdict {
    uint32_t pages;
    uint32_t bad_pages;
    uint32_t first_bad;
    const char *problem; /* NULL: every page and blob matches */
};

/* The code directory with the best digest counts. */
void ph_codesign_read(const struct ph_macho *m, struct ph_codesign *out);
/* Recomputes every digest of every code directory. */
void ph_codesign_verify(
        const struct ph_macho *m, struct ph_codesign_verdict *out);

/* What a new signature shall say. */
struct ph_codesign_request {
    const char *identifier;
    uint32_t flags;
    uint32_t runtime;
    uint64_t exec_base; /* file range of __TEXT */
    uint64_t exec_limit;
    uint64_t exec_flags;
    unsigned page_shift;
    struct ph_bytes entitlements;
    struct ph_bytes entitlements_der;
    struct ph_bytes info_plist;
    uint64_t code_limit; /* bytes that are signed */
};

/* A request that keeps of the old signature (state NONE or OK) what survives
 * ad-hoc signing; `identifier` stands in where there was none. */
void ph_codesign_prepare(const struct ph_macho *m,
        const struct ph_codesign *old, const char *identifier,
        uint64_t code_limit, struct ph_codesign_request *out);
/* Bytes of the signature, a multiple of 16; 0: too large for the format. */
size_t ph_codesign_size(const struct ph_codesign_request *r);
/* Writes ph_codesign_size bytes. The parts are the code_limit signed bytes. */
void ph_codesign_build(const struct ph_codesign_request *r,
        const struct ph_bytes *parts, size_t count, uint8_t *out);
