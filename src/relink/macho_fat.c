/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The container around the images: fat and fat64 headers. */
#include "relink/be.h"
#include "relink/macho.h"

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

static enum ph_macho_result read_slice(struct ph_macho_file *f,
        const uint8_t *arch, struct ph_macho_slice *out)
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
    if (out->offset > f->size || size > f->size - out->offset ||
            out->align > PH_MACHO_ALIGN_MAX ||
            out->offset & ((1u << out->align) - 1)) {
        return PH_MACHO_BAD_FAT;
    }
    enum ph_macho_result r =
            ph_macho_parse(f->data + out->offset, (size_t)size, &out->image);
    if (r == PH_MACHO_OK &&
            ((uint32_t)out->image.cpu != ph_be_load_u32(arch) ||
                    !same_subtype(
                            out->image.subtype, ph_be_load_u32(arch + 4)))) {
        return PH_MACHO_BAD_FAT;
    }
    return r;
}

/* Whether the slice overlaps an earlier one, or is for the same machine. */
static bool clashes(const struct ph_macho_file *f, unsigned n)
{
    const struct ph_macho_slice *b = &f->slices[n];
    for (unsigned i = 0; i < n; i++) {
        const struct ph_macho_slice *a = &f->slices[i];
        if ((a->offset < b->offset + b->image.size &&
                    b->offset < a->offset + a->image.size) ||
                (a->image.cpu == b->image.cpu &&
                        same_subtype(a->image.subtype, b->image.subtype))) {
            return true;
        }
    }
    return false;
}

static enum ph_macho_result read_fat(struct ph_macho_file *f)
{
    uint32_t count = ph_be_load_u32(f->data + 4);
    if (count > FAT_COUNT_PLAUSIBLE) {
        return PH_MACHO_NOT_MACHO;
    }
    size_t entry = f->fat64 ? FAT_ARCH_64_SIZE : FAT_ARCH_SIZE;
    if (count == 0 || count > PH_MACHO_SLICES_MAX ||
            (f->size - FAT_HEADER_SIZE) / entry < count) {
        return PH_MACHO_BAD_FAT;
    }
    for (unsigned i = 0; i < count; i++) {
        const uint8_t *arch = f->data + FAT_HEADER_SIZE + i * entry;
        enum ph_macho_result r = read_slice(f, arch, &f->slices[i]);
        if (r != PH_MACHO_OK) {
            return r;
        }
        if (f->slices[i].offset < FAT_HEADER_SIZE + count * entry ||
                clashes(f, i)) {
            return PH_MACHO_BAD_FAT;
        }
    }
    f->count = count;
    return PH_MACHO_OK;
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
