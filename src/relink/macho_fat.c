/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The container around the images: fat and fat64 headers. */
#include "relink/macho.h"

#include "common/macros.h"
#include "relink/be.h"

enum {
    FAT_MAGIC = (int)0xcafebabeu,
    FAT_MAGIC_64 = (int)0xcafebabfu,
    FAT_HEADER_SIZE = 8,
    FAT_ARCH_SIZE = 20,
    FAT_ARCH_64_SIZE = 32,
    /* Java classes share the magic: theirs reads as 45 and more slices. */
    FAT_COUNT_PLAUSIBLE = 40,
};

static bool same_subtype(uint32_t a, uint32_t b)
{
    return ((a ^ b) & PH_MACHO_SUBTYPE_MASK) == 0;
}

static size_t entry_size(const struct ph_macho_file *f)
{
    return f->fat64 ? FAT_ARCH_64_SIZE : FAT_ARCH_SIZE;
}

/* Where the header says that the slice is; true if that can be. */
static bool read_place(const struct ph_macho_file *f, const uint8_t *arch,
        struct ph_macho_slice *out)
{
    uint64_t size = 0;
    if (f->fat64) {
        out->offset = ph_be_load_u64(arch + 8);
        size = ph_be_load_u64(arch + 16);
        out->align = ph_be_load_u32(arch + 24);
    } else {
        out->offset = ph_be_load_u32(arch + 8);
        size = ph_be_load_u32(arch + 12);
        out->align = ph_be_load_u32(arch + 16);
    }
    out->image.data = f->data + PH_MIN(out->offset, f->size);
    out->image.size = (size_t)size;
    return out->offset >= FAT_HEADER_SIZE + f->count * entry_size(f) &&
            out->offset <= f->size && size <= f->size - out->offset &&
            out->align <= PH_MACHO_ALIGN_MAX &&
            (out->offset & ((UINT64_C(1) << out->align) - 1)) == 0;
}

static bool overlap(
        const struct ph_macho_slice *a, const struct ph_macho_slice *b)
{
    return a->offset < b->offset + b->image.size &&
            b->offset < a->offset + a->image.size;
}

/* The image of a slice; the header must agree with it, and no other slice be
 * for the same machine. */
static enum ph_macho_result read_image(struct ph_macho_file *f, unsigned n)
{
    const uint8_t *arch = f->data + FAT_HEADER_SIZE + n * entry_size(f);
    struct ph_macho *m = &f->slices[n].image;
    enum ph_macho_result r = ph_macho_parse(m->data, m->size, m);
    if (r != PH_MACHO_OK) {
        return r;
    }
    if ((uint32_t)m->cpu != ph_be_load_u32(arch) ||
            !same_subtype(m->subtype, ph_be_load_u32(arch + 4))) {
        return PH_MACHO_BAD_FAT;
    }
    for (unsigned i = 0; i < n; i++) {
        const struct ph_macho *other = &f->slices[i].image;
        if (other->cpu == m->cpu && same_subtype(other->subtype, m->subtype)) {
            return PH_MACHO_BAD_FAT;
        }
    }
    return PH_MACHO_OK;
}

static enum ph_macho_result read_fat(struct ph_macho_file *f)
{
    uint32_t count = ph_be_load_u32(f->data + 4);
    if (count > FAT_COUNT_PLAUSIBLE) {
        return PH_MACHO_NOT_MACHO;
    }
    if (count == 0 || count > PH_MACHO_SLICES_MAX ||
            (f->size - FAT_HEADER_SIZE) / entry_size(f) < count) {
        return PH_MACHO_BAD_FAT;
    }
    f->count = count;
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *arch = f->data + FAT_HEADER_SIZE + i * entry_size(f);
        if (!read_place(f, arch, &f->slices[i])) {
            return PH_MACHO_BAD_FAT;
        }
        for (unsigned k = 0; k < i; k++) {
            if (overlap(&f->slices[k], &f->slices[i])) {
                return PH_MACHO_BAD_FAT;
            }
        }
    }
    enum ph_macho_result r = PH_MACHO_OK;
    for (unsigned i = 0; r == PH_MACHO_OK && i < count; i++) {
        r = read_image(f, i);
    }
    return r;
}

enum ph_macho_result ph_macho_parse_file(
        const uint8_t *data, size_t size, struct ph_macho_file *out)
{
    *out = (struct ph_macho_file){.data = data, .size = size};
    int magic = size >= FAT_HEADER_SIZE ? (int)ph_be_load_u32(data) : 0;
    if (magic == FAT_MAGIC || magic == FAT_MAGIC_64) {
        out->fat = true;
        out->fat64 = magic == FAT_MAGIC_64;
        return read_fat(out);
    }
    out->count = 1;
    return ph_macho_parse(data, size, &out->slices[0].image);
}
