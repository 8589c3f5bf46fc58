/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/macho.h"

#include <string.h>

#include "common/bytes.h"
#include "common/macros.h"
#include "relink/macho_content.h"

enum {
    MAGIC_64 = (int)0xfeedfacfu,
    MAGIC_32 = (int)0xfeedfaceu,
    MAGIC_64_SWAPPED = (int)0xcffaedfeu,
    MAGIC_32_SWAPPED = (int)0xcefaedfeu,
    SUBTYPE_ARM64E = 2,
};

const char *ph_macho_result_text(enum ph_macho_result r)
{
    switch (r) {
    case PH_MACHO_OK:
        return "well-formed";
    case PH_MACHO_NOT_MACHO:
        return "not a Mach-O file";
    case PH_MACHO_UNSUPPORTED_CPU:
        return "not (only) for arm64, arm64e and x86_64; take the other "
               "slices out with lipo -remove first";
    case PH_MACHO_UNSUPPORTED_TYPE:
        return "a Mach-O file, but no executable, dylib or bundle";
    case PH_MACHO_BAD_FAT:
        return "damaged: its fat header does not fit the file";
    case PH_MACHO_BAD_COMMANDS:
        return "damaged: its load commands do not fit their header";
    case PH_MACHO_BAD_NAME:
        return "damaged: a load command has no proper path in it";
    case PH_MACHO_BAD_SEGMENT:
        return "damaged: a segment does not fit the file";
    case PH_MACHO_BAD_LINKEDIT:
        return "damaged: link-edit data do not fit the file";
    }
    return "?";
}

const char *ph_macho_arch_name(const struct ph_macho *m)
{
    if (m->cpu == PH_MACHO_X86_64) {
        return "x86_64";
    }
    return (m->subtype & PH_MACHO_SUBTYPE_MASK) == SUBTYPE_ARM64E ? "arm64e"
                                                                  : "arm64";
}

bool ph_macho_is_load(enum ph_macho_lc cmd)
{
    switch ((int)cmd) {
    case PH_LC_LOAD_DYLIB:
    case PH_LC_LOAD_WEAK_DYLIB:
    case PH_LC_REEXPORT_DYLIB:
    case PH_LC_LOAD_UPWARD_DYLIB:
    case PH_LC_LAZY_LOAD_DYLIB:
        return true;
    default:
        return false;
    }
}

bool ph_macho_has_name(enum ph_macho_lc cmd)
{
    return cmd == PH_LC_ID_DYLIB || cmd == PH_LC_RPATH || ph_macho_is_load(cmd);
}

uint32_t ph_macho_name_offset(const struct ph_macho_command *c)
{
    return ph_load_u32(c->data + 8);
}

const char *ph_macho_name(const struct ph_macho_command *c)
{
    return (const char *)c->data + ph_macho_name_offset(c);
}

bool ph_macho_next(const struct ph_macho *m, struct ph_macho_command *c)
{
    uint32_t at = c->data ? c->offset + c->size : PH_MACHO_HEADER_SIZE;
    if (at >= m->commands_end) {
        return false;
    }
    c->offset = at;
    c->data = m->data + at;
    c->cmd = (enum ph_macho_lc)ph_load_u32(c->data);
    c->size = ph_load_u32(c->data + 4);
    return true;
}

const char *ph_macho_id(const struct ph_macho *m)
{
    if (!m->id_command) {
        return NULL;
    }
    const uint8_t *p = m->data + m->id_command;
    return (const char *)p + ph_load_u32(p + 8);
}

/* Counts and bounds the load commands; what they say comes later. */
static enum ph_macho_result check_commands(struct ph_macho *m)
{
    uint32_t at = PH_MACHO_HEADER_SIZE;
    for (uint32_t i = 0; i < m->command_count; i++) {
        if (m->commands_end - at < 8) {
            return PH_MACHO_BAD_COMMANDS;
        }
        uint32_t size = ph_load_u32(m->data + at + 4);
        if (size < 8 || size % 8 || size > m->commands_end - at) {
            return PH_MACHO_BAD_COMMANDS;
        }
        at += size;
    }
    return at == m->commands_end ? PH_MACHO_OK : PH_MACHO_BAD_COMMANDS;
}

static enum ph_macho_result check_name(const struct ph_macho_command *c)
{
    uint32_t fixed = c->cmd == PH_LC_RPATH ? 12 : 24;
    if (c->size <= fixed) {
        return PH_MACHO_BAD_NAME;
    }
    uint32_t at = ph_macho_name_offset(c);
    if (at < fixed || at >= c->size || !c->data[at] ||
            !memchr(c->data + at, 0, c->size - at)) {
        return PH_MACHO_BAD_NAME;
    }
    return PH_MACHO_OK;
}

static enum ph_macho_result read_command(
        struct ph_macho *m, const struct ph_macho_command *c)
{
    if (c->cmd == PH_LC_ID_DYLIB) {
        if (m->id_command) {
            return PH_MACHO_BAD_COMMANDS;
        }
        m->id_command = c->offset;
    }
    if (ph_macho_has_name(c->cmd)) {
        return check_name(c);
    }
    if (c->cmd == PH_LC_SEGMENT_64) {
        return ph_macho_read_segment(m, c);
    }
    return ph_macho_read_content(m, c);
}

/* Room for load commands ends at the first content or non-zero byte. */
static void measure_room(struct ph_macho *m)
{
    uint32_t end = m->commands_end;
    while (end < m->room_end && m->data[end] == 0) {
        end++;
    }
    m->room_end = end;
}

static enum ph_macho_result read_header(struct ph_macho *m)
{
    if (m->size < 4) {
        return PH_MACHO_NOT_MACHO;
    }
    switch ((int)ph_load_u32(m->data)) {
    case MAGIC_64:
        break;
    case MAGIC_32:
    case MAGIC_32_SWAPPED:
    case MAGIC_64_SWAPPED:
        return PH_MACHO_UNSUPPORTED_CPU;
    default:
        return PH_MACHO_NOT_MACHO;
    }
    if (m->size < PH_MACHO_HEADER_SIZE) {
        return PH_MACHO_BAD_COMMANDS;
    }
    m->cpu = (enum ph_macho_cpu)ph_load_u32(m->data + 4);
    m->subtype = ph_load_u32(m->data + 8);
    m->type = (enum ph_macho_type)ph_load_u32(m->data + 12);
    m->command_count = ph_load_u32(m->data + 16);
    if (m->cpu != PH_MACHO_ARM64 && m->cpu != PH_MACHO_X86_64) {
        return PH_MACHO_UNSUPPORTED_CPU;
    }
    if (m->type != PH_MACHO_EXECUTE && m->type != PH_MACHO_DYLIB &&
            m->type != PH_MACHO_BUNDLE) {
        return PH_MACHO_UNSUPPORTED_TYPE;
    }
    uint32_t commands = ph_load_u32(m->data + 20);
    if (m->command_count > PH_MACHO_COMMANDS_MAX ||
            commands > PH_MACHO_COMMANDS_SIZE_MAX ||
            commands > m->size - PH_MACHO_HEADER_SIZE) {
        return PH_MACHO_BAD_COMMANDS;
    }
    m->commands_end = PH_MACHO_HEADER_SIZE + commands;
    return check_commands(m);
}

enum ph_macho_result ph_macho_parse(
        const uint8_t *data, size_t size, struct ph_macho *out)
{
    struct ph_macho m = {.data = data, .size = size, .vm_limit = UINT64_MAX};
    enum ph_macho_result r = read_header(&m);
    m.room_end = (uint32_t)PH_MIN(size, UINT32_MAX);
    struct ph_macho_command c = {0};
    while (r == PH_MACHO_OK && ph_macho_next(&m, &c)) {
        r = read_command(&m, &c);
    }
    if (r == PH_MACHO_OK) {
        r = ph_macho_check_layout(&m);
    }
    if (r == PH_MACHO_OK) {
        measure_room(&m);
        *out = m;
    }
    return r;
}
