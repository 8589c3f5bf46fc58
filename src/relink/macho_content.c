/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/macho_content.h"

#include <string.h>

#include "common/bytes.h"
#include "common/macros.h"

enum {
    SEGMENT_SIZE = 72,
    SECTION_SIZE = 80,
    SECTION_TYPE_MASK = 0xff,
    ZEROFILL = 1,
    GB_ZEROFILL = 12,
    THREAD_LOCAL_ZEROFILL = 18,
};

static bool fits(const struct ph_macho *m, uint64_t offset, uint64_t size)
{
    return offset <= m->size && size <= m->size - offset;
}

/* Content at offset ends the room of the load commands. */
static void limit_room(struct ph_macho *m, uint64_t offset)
{
    if (offset < m->room_end) {
        m->room_end = (uint32_t)PH_MAX(offset, m->commands_end);
    }
}

/* Bytes that belong to the image, in __LINKEDIT or elsewhere. */
static bool add_content(struct ph_macho *m, uint64_t offset, uint64_t size)
{
    if (size == 0) {
        return true;
    }
    if (!fits(m, offset, size)) {
        return false;
    }
    limit_room(m, offset);
    m->content_end = PH_MAX(m->content_end, offset + size);
    return true;
}

static bool has_name(const uint8_t *field, const char *name)
{
    char padded[16] = {0};
    memcpy(padded, name, strlen(name));
    return memcmp(field, padded, sizeof(padded)) == 0;
}

static enum ph_macho_result read_section(
        struct ph_macho *m, const uint8_t *section)
{
    uint64_t size = ph_load_u64(section + 40);
    uint32_t offset = ph_load_u32(section + 48);
    uint32_t relocs = ph_load_u32(section + 56);
    uint32_t reloc_count = ph_load_u32(section + 60);
    uint32_t type = ph_load_u32(section + 64) & SECTION_TYPE_MASK;
    if (!add_content(m, relocs, (uint64_t)reloc_count * 8)) {
        return PH_MACHO_BAD_SEGMENT;
    }
    if (type == ZEROFILL || type == GB_ZEROFILL ||
            type == THREAD_LOCAL_ZEROFILL || size == 0) {
        return PH_MACHO_OK;
    }
    if (!add_content(m, offset, size)) {
        return PH_MACHO_BAD_SEGMENT;
    }
    if (has_name(section, "__info_plist") && has_name(section + 16, "__TEXT")) {
        m->info_plist = (struct ph_macho_range){offset, size};
    }
    return PH_MACHO_OK;
}

/* Keeps the two segments that matter; each may be there once. */
static bool keep_segment(struct ph_macho *m, const uint8_t *name,
        const struct ph_macho_segment *s)
{
    struct ph_macho_segment *slot = has_name(name, "__TEXT") ? &m->text
            : has_name(name, "__LINKEDIT")                   ? &m->linkedit
                                                             : NULL;
    if (!slot) {
        return true;
    }
    if (slot->command) {
        return false;
    }
    *slot = *s;
    return true;
}

enum ph_macho_result ph_macho_read_segment(
        struct ph_macho *m, const struct ph_macho_command *c)
{
    if (c->size < SEGMENT_SIZE) {
        return PH_MACHO_BAD_SEGMENT;
    }
    struct ph_macho_segment s = {
            .command = c->offset,
            .vmaddr = ph_load_u64(c->data + 24),
            .vmsize = ph_load_u64(c->data + 32),
            .file = {ph_load_u64(c->data + 40), ph_load_u64(c->data + 48)},
    };
    uint32_t sections = ph_load_u32(c->data + 64);
    if (sections > (c->size - SEGMENT_SIZE) / SECTION_SIZE ||
            !fits(m, s.file.offset, s.file.size) ||
            s.vmaddr > UINT64_MAX - s.vmsize ||
            !keep_segment(m, c->data + 8, &s)) {
        return PH_MACHO_BAD_SEGMENT;
    }
    bool is_linkedit = m->linkedit.command == c->offset;
    if (s.file.offset > 0 && s.file.size > 0) {
        limit_room(m, s.file.offset);
    }
    if (!is_linkedit) {
        m->content_end = PH_MAX(m->content_end, s.file.offset + s.file.size);
    }
    enum ph_macho_result r = PH_MACHO_OK;
    for (uint32_t i = 0; r == PH_MACHO_OK && i < sections; i++) {
        r = read_section(m, c->data + SEGMENT_SIZE + i * SECTION_SIZE);
    }
    return r;
}

/* Tables of a command: an offset at `at`, a count right behind, so many bytes
 * an entry. */
struct table {
    uint8_t at;
    uint8_t entry;
};

static enum ph_macho_result read_tables(struct ph_macho *m,
        const struct ph_macho_command *c, const struct table *tables,
        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (c->size < tables[i].at + 8u) {
            return PH_MACHO_BAD_COMMANDS;
        }
        const uint8_t *p = c->data + tables[i].at;
        uint64_t size = (uint64_t)ph_load_u32(p + 4) * tables[i].entry;
        if (!add_content(m, ph_load_u32(p), size)) {
            return PH_MACHO_BAD_LINKEDIT;
        }
    }
    return PH_MACHO_OK;
}

static enum ph_macho_result read_signature(
        struct ph_macho *m, const struct ph_macho_command *c)
{
    if (c->size != 16 || m->signature_command) {
        return PH_MACHO_BAD_COMMANDS;
    }
    m->signature_command = c->offset;
    m->signature = (struct ph_macho_range){
            ph_load_u32(c->data + 8), ph_load_u32(c->data + 12)};
    if (!fits(m, m->signature.offset, m->signature.size)) {
        return PH_MACHO_BAD_LINKEDIT;
    }
    limit_room(m, m->signature.offset);
    return PH_MACHO_OK;
}

static enum ph_macho_result read_note(
        struct ph_macho *m, const struct ph_macho_command *c)
{
    if (c->size < 40) {
        return PH_MACHO_BAD_COMMANDS;
    }
    return add_content(m, ph_load_u64(c->data + 24), ph_load_u64(c->data + 32))
            ? PH_MACHO_OK
            : PH_MACHO_BAD_LINKEDIT;
}

static enum ph_macho_result read_encryption(
        struct ph_macho *m, const struct ph_macho_command *c)
{
    if (c->size < 20) {
        return PH_MACHO_BAD_COMMANDS;
    }
    m->encrypted = m->encrypted || ph_load_u32(c->data + 16) != 0;
    return PH_MACHO_OK;
}

enum ph_macho_result ph_macho_read_content(
        struct ph_macho *m, const struct ph_macho_command *c)
{
    static const struct table symtab[] = {{8, 16}, {16, 1}};
    static const struct table dysymtab[] = {
            {32, 8}, {40, 56}, {48, 4}, {56, 4}, {64, 8}, {72, 8}};
    static const struct table dyld_info[] = {
            {8, 1}, {16, 1}, {24, 1}, {32, 1}, {40, 1}};
    static const struct table data[] = {{8, 1}};
    static const struct table hints[] = {{8, 4}};
    switch ((int)c->cmd) {
    case PH_LC_SYMTAB:
        return read_tables(m, c, symtab, PH_LEN(symtab));
    case PH_LC_DYSYMTAB:
        return read_tables(m, c, dysymtab, PH_LEN(dysymtab));
    case PH_LC_DYLD_INFO:
    case PH_LC_DYLD_INFO_ONLY:
        return read_tables(m, c, dyld_info, PH_LEN(dyld_info));
    case PH_LC_TWOLEVEL_HINTS:
        return read_tables(m, c, hints, PH_LEN(hints));
    case PH_LC_SPLIT_INFO:
    case PH_LC_FUNCTION_STARTS:
    case PH_LC_DATA_IN_CODE:
    case PH_LC_DYLIB_CODE_SIGN_DRS:
    case PH_LC_LINKER_OPTIMIZATION_HINT:
    case PH_LC_EXPORTS_TRIE:
    case PH_LC_CHAINED_FIXUPS:
    case PH_LC_ATOM_INFO:
        return read_tables(m, c, data, PH_LEN(data));
    case PH_LC_CODE_SIGNATURE:
        return read_signature(m, c);
    case PH_LC_NOTE:
        return read_note(m, c);
    case PH_LC_ENCRYPTION_INFO_64:
        return read_encryption(m, c);
    default:
        return PH_MACHO_OK;
    }
}

/* The lowest segment above __LINKEDIT in memory. */
static void find_vm_limit(struct ph_macho *m)
{
    struct ph_macho_command c = {0};
    while (ph_macho_next(m, &c)) {
        if (c.cmd != PH_LC_SEGMENT_64 || c.offset == m->linkedit.command) {
            continue;
        }
        uint64_t vmaddr = ph_load_u64(c.data + 24);
        if (vmaddr >= m->linkedit.vmaddr && vmaddr < m->vm_limit) {
            m->vm_limit = vmaddr;
        }
    }
}

enum ph_macho_result ph_macho_check_layout(struct ph_macho *m)
{
    if ((m->type == PH_MACHO_DYLIB) != (m->id_command != 0)) {
        return PH_MACHO_BAD_COMMANDS;
    }
    /* The header is mapped with __TEXT: without that it is no image. */
    if (!m->text.command || m->text.file.offset != 0 ||
            m->text.file.size < m->commands_end) {
        return PH_MACHO_BAD_SEGMENT;
    }
    if (m->linkedit.command) {
        find_vm_limit(m);
    }
    return PH_MACHO_OK;
}
