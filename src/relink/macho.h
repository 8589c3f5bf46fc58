/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Reads Mach-O images in memory: 64-bit little-endian executables, dylibs and
 * bundles, thin or fat. Pure: no I/O, no allocation, no log. Every offset,
 * size and string of the file is checked here, against the slice that holds
 * it, so that code behind ph_macho_parse may walk the load commands without
 * checks of its own. The structs point into the caller's bytes and own
 * nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    PH_MACHO_HEADER_SIZE = 32,
    PH_MACHO_SLICES_MAX = 16,
    PH_MACHO_COMMANDS_SIZE_MAX = 1 << 20,
    PH_MACHO_COMMANDS_MAX = 4096,
    PH_MACHO_SUBTYPE_MASK = 0x00ffffff, /* without the capability bits */
    PH_MACHO_ALIGN_MAX = 15, /* log2; what lipo accepts */
};

enum ph_macho_cpu {
    PH_MACHO_X86_64 = 0x01000007,
    PH_MACHO_ARM64 = 0x0100000c,
};

enum ph_macho_type {
    PH_MACHO_EXECUTE = 2,
    PH_MACHO_DYLIB = 6,
    PH_MACHO_BUNDLE = 8,
};

enum ph_macho_lc {
    PH_LC_SYMTAB = 0x2,
    PH_LC_DYSYMTAB = 0xb,
    PH_LC_LOAD_DYLIB = 0xc,
    PH_LC_ID_DYLIB = 0xd,
    PH_LC_TWOLEVEL_HINTS = 0x16,
    PH_LC_SEGMENT_64 = 0x19,
    PH_LC_CODE_SIGNATURE = 0x1d,
    PH_LC_SPLIT_INFO = 0x1e,
    PH_LC_LAZY_LOAD_DYLIB = 0x20,
    PH_LC_DYLD_INFO = 0x22,
    PH_LC_FUNCTION_STARTS = 0x26,
    PH_LC_DATA_IN_CODE = 0x29,
    PH_LC_SOURCE_VERSION = 0x2a,
    PH_LC_DYLIB_CODE_SIGN_DRS = 0x2b,
    PH_LC_ENCRYPTION_INFO_64 = 0x2c,
    PH_LC_LINKER_OPTIMIZATION_HINT = 0x2e,
    PH_LC_NOTE = 0x31,
    PH_LC_BUILD_VERSION = 0x32,
    PH_LC_ATOM_INFO = 0x36,
    PH_LC_REQ_DYLD = (int)0x80000000u, /* bit of those below */
    PH_LC_LOAD_WEAK_DYLIB = (int)0x80000018u,
    PH_LC_RPATH = (int)0x8000001cu,
    PH_LC_REEXPORT_DYLIB = (int)0x8000001fu,
    PH_LC_DYLD_INFO_ONLY = (int)0x80000022u,
    PH_LC_LOAD_UPWARD_DYLIB = (int)0x80000023u,
    PH_LC_EXPORTS_TRIE = (int)0x80000033u,
    PH_LC_CHAINED_FIXUPS = (int)0x80000034u,
};

enum ph_macho_result {
    PH_MACHO_OK,
    PH_MACHO_NOT_MACHO,
    PH_MACHO_UNSUPPORTED_CPU, /* 32-bit, big-endian, or an unknown one */
    PH_MACHO_UNSUPPORTED_TYPE, /* an object, a core, a stub, ... */
    PH_MACHO_BAD_FAT,
    PH_MACHO_BAD_COMMANDS,
    PH_MACHO_BAD_NAME,
    PH_MACHO_BAD_SEGMENT,
    PH_MACHO_BAD_LINKEDIT,
};

struct ph_macho_command {
    enum ph_macho_lc cmd;
    uint32_t offset; /* in the slice */
    uint32_t size;
    const uint8_t *data;
};

/* Bytes of the slice; size 0: there are none. */
struct ph_macho_range {
    uint64_t offset;
    uint64_t size;
};

struct ph_macho_segment {
    uint32_t command; /* offset of its load command; 0: there is none */
    uint64_t vmaddr;
    uint64_t vmsize;
    struct ph_macho_range file;
};

/* One image: a thin file or a slice of a fat one. */
struct ph_macho {
    const uint8_t *data;
    size_t size;
    enum ph_macho_cpu cpu;
    uint32_t subtype;
    enum ph_macho_type type;
    uint32_t command_count;
    uint32_t commands_end; /* header and load commands end here */
    /* The load commands may grow up to here: where the first content of a
     * section or segment starts, or the first byte that is not zero. */
    uint32_t room_end;
    struct ph_macho_segment text;
    struct ph_macho_segment linkedit;
    /* The lowest address of a segment above __LINKEDIT; UINT64_MAX if none */
    uint64_t vm_limit;
    /* Where the content ends that is not the code signature. */
    uint64_t content_end;
    uint32_t signature_command; /* offset of it; 0: there is none */
    struct ph_macho_range signature;
    struct ph_macho_range info_plist; /* __TEXT,__info_plist */
    bool encrypted;
    uint32_t id_command; /* offset of LC_ID_DYLIB; 0: there is none */
};

struct ph_macho_slice {
    uint64_t offset; /* in the file */
    uint32_t align; /* log2 */
    struct ph_macho image;
};

struct ph_macho_file {
    const uint8_t *data;
    size_t size;
    bool fat;
    bool fat64; /* fat header with 64-bit offsets */
    unsigned count;
    struct ph_macho_slice slices[PH_MACHO_SLICES_MAX];
};

/* A sentence part: "load commands run past the header". */
const char *ph_macho_result_text(enum ph_macho_result r);
/* "arm64", "arm64e", "x86_64". */
const char *ph_macho_arch_name(const struct ph_macho *m);

/* Reads a file, thin or fat. *out means something only on PH_MACHO_OK. */
enum ph_macho_result ph_macho_parse_file(
        const uint8_t *data, size_t size, struct ph_macho_file *out);
/* Reads one image. Writes *out only on PH_MACHO_OK. */
enum ph_macho_result ph_macho_parse(
        const uint8_t *data, size_t size, struct ph_macho *out);

/* Walks the load commands: start with a zeroed *c. */
bool ph_macho_next(const struct ph_macho *m, struct ph_macho_command *c);

/* LC_LOAD_DYLIB and its kin, but not LC_ID_DYLIB. */
bool ph_macho_is_load(enum ph_macho_lc cmd);
/* Whether the command carries a path: an id, a dependency, an rpath. */
bool ph_macho_has_name(enum ph_macho_lc cmd);
/* The path of such a command. */
const char *ph_macho_name(const struct ph_macho_command *c);
/* Where the path starts in the command. */
uint32_t ph_macho_name_offset(const struct ph_macho_command *c);
/* The install name of a dylib, or NULL. */
const char *ph_macho_id(const struct ph_macho *m);
