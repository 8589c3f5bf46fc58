/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/macho.h"

#include "common/macros.h"
#include "relink/codesign.h"
#include "relink/plist.h"

#include "check.h"
#include "fixture.h"

static void test_sound(void)
{
    size_t size = 0;
    uint8_t *data = fixture_read("dylib-signed", &size);
    struct ph_macho_file f;
    CHECK_EQ(ph_macho_parse_file(data, size, &f), PH_MACHO_OK);
    CHECK(!f.fat);
    CHECK_EQ(f.count, 1);
    const struct ph_macho *m = &f.slices[0].image;
    CHECK_STR(ph_macho_id(m), "/b/lib/libone.dylib");
    CHECK_STR(ph_macho_arch_name(m), "arm64");
    CHECK_EQ(m->room_end - m->commands_end, 300);
    CHECK_EQ(m->signature.offset + m->signature.size, size);
    static const char *const want[] = {"/b/lib/libone.dylib",
            "/usr/lib/libSystem.B.dylib", "/b/lib/libtwo.dylib",
            "@rpath/libthree.dylib", "/b/lib"};
    struct ph_macho_command c = {0};
    size_t names = 0;
    while (ph_macho_next(m, &c)) {
        if (ph_macho_has_name(c.cmd) && CHECK(names < PH_LEN(want))) {
            CHECK_STR(ph_macho_name(&c), want[names++]);
        }
    }
    CHECK_EQ(names, PH_LEN(want));
    free(data);
}

static void test_fat(void)
{
    static const char *const names[] = {"fat", "fat64"};
    for (size_t i = 0; i < PH_LEN(names); i++) {
        size_t size = 0;
        uint8_t *data = fixture_read(names[i], &size);
        struct ph_macho_file f;
        CHECK_EQ(ph_macho_parse_file(data, size, &f), PH_MACHO_OK);
        CHECK(f.fat);
        CHECK_EQ(f.fat64, i == 1);
        CHECK_EQ(f.count, 2);
        CHECK_STR(ph_macho_arch_name(&f.slices[1].image), "x86_64");
        free(data);
    }
}

/* Each hostile file, and what it is found to be. */
static void test_hostile(void)
{
    static const struct {
        const char *name;
        enum ph_macho_result result;
    } cases[] = {
            {"empty", PH_MACHO_NOT_MACHO},
            {"java-class", PH_MACHO_NOT_MACHO},
            {"bits-32", PH_MACHO_UNSUPPORTED_CPU},
            {"big-endian", PH_MACHO_UNSUPPORTED_CPU},
            {"object", PH_MACHO_UNSUPPORTED_TYPE},
            {"cut-commands", PH_MACHO_BAD_COMMANDS},
            {"cut-linkedit", PH_MACHO_BAD_SEGMENT},
            {"no-commands", PH_MACHO_BAD_COMMANDS},
            {"count-large", PH_MACHO_BAD_COMMANDS},
            {"size-large", PH_MACHO_BAD_COMMANDS},
            {"command-size-0", PH_MACHO_BAD_COMMANDS},
            {"command-size-odd", PH_MACHO_BAD_COMMANDS},
            {"command-size-large", PH_MACHO_BAD_COMMANDS},
            {"id-twice", PH_MACHO_BAD_COMMANDS},
            {"id-missing", PH_MACHO_BAD_COMMANDS},
            {"name-before", PH_MACHO_BAD_NAME},
            {"name-behind", PH_MACHO_BAD_NAME},
            {"name-open", PH_MACHO_BAD_NAME},
            {"name-empty", PH_MACHO_BAD_NAME},
            {"segment-behind", PH_MACHO_BAD_SEGMENT},
            {"segment-wraps", PH_MACHO_BAD_SEGMENT},
            {"address-wraps", PH_MACHO_BAD_SEGMENT},
            {"sections-large", PH_MACHO_BAD_SEGMENT},
            {"section-behind", PH_MACHO_BAD_SEGMENT},
            {"linkedit-twice", PH_MACHO_BAD_SEGMENT},
            {"symbols-behind", PH_MACHO_BAD_LINKEDIT},
            {"signature-behind", PH_MACHO_BAD_LINKEDIT},
            {"fat-count", PH_MACHO_BAD_FAT},
            {"fat-overlap", PH_MACHO_BAD_FAT},
            {"fat-behind", PH_MACHO_BAD_FAT},
            {"fat-align", PH_MACHO_BAD_FAT},
            {"fat-in-header", PH_MACHO_BAD_FAT},
    };
    for (size_t i = 0; i < PH_LEN(cases); i++) {
        size_t size = 0;
        uint8_t *data = fixture_read(cases[i].name, &size);
        struct ph_macho_file f;
        if (!CHECK_EQ(ph_macho_parse_file(data, size, &f), cases[i].result)) {
            fprintf(stderr, "  in %s\n", cases[i].name);
        }
        free(data);
    }
}

/* A prefix is never taken for the whole. */
static void test_prefixes(void)
{
    size_t size = 0;
    uint8_t *data = fixture_read("dylib-signed", &size);
    for (size_t len = 0; len < size; len++) {
        uint8_t *exact = malloc(len ? len : 1);
        struct ph_macho_file f;
        memcpy(exact, data, len);
        CHECK(ph_macho_parse_file(exact, len, &f) != PH_MACHO_OK);
        free(exact);
    }
    free(data);
}

/* No single byte can send the reader out of the block (a sanitizer sees), and
 * a byte of the signed part that changed does not pass. */
static void test_flipped_bytes(void)
{
    size_t size = 0;
    uint8_t *data = fixture_read("program-entitled", &size);
    struct ph_macho_file f;
    CHECK_EQ(ph_macho_parse_file(data, size, &f), PH_MACHO_OK);
    size_t limit = f.slices[0].image.signature.offset;
    for (size_t i = 0; i < size; i++) {
        for (int flip = 1; flip <= 0xff; flip += 0xfe) {
            data[i] ^= (uint8_t)flip;
            if (ph_macho_parse_file(data, size, &f) == PH_MACHO_OK) {
                struct ph_codesign sign;
                struct ph_codesign_verdict v;
                ph_codesign_read(&f.slices[0].image, &sign);
                ph_codesign_verify(&f.slices[0].image, &v);
                CHECK(i >= limit || v.problem);
            }
            data[i] ^= (uint8_t)flip;
        }
    }
    free(data);
}

static void test_signature(void)
{
    size_t size = 0;
    uint8_t *data = fixture_read("program-entitled", &size);
    struct ph_macho_file f;
    struct ph_codesign sign;
    struct ph_codesign_verdict v;
    CHECK_EQ(ph_macho_parse_file(data, size, &f), PH_MACHO_OK);
    ph_codesign_read(&f.slices[0].image, &sign);
    CHECK_EQ(sign.state, PH_CODESIGN_OK);
    CHECK_STR(sign.identifier, "org.example.one");
    CHECK_EQ(sign.flags, PH_CS_RUNTIME);
    CHECK_EQ(sign.runtime, 0xb0000);
    CHECK(sign.entitlements.len > 8 && sign.entitlements_der.len == 10);
    CHECK(sign.info_plist && !sign.resources && !sign.team);
    ph_codesign_verify(&f.slices[0].image, &v);
    CHECK_STR(v.problem, NULL);
    CHECK_EQ(v.pages, 1);
    free(data);
}

static void test_damaged_signatures(void)
{
    static const char *const names[] = {"superblob-large", "superblob-count",
            "blob-behind", "blob-length", "hashes-behind", "identifier-behind",
            "specials-large", "pages-large", "page-shift", "signature-empty"};
    for (size_t i = 0; i < PH_LEN(names); i++) {
        size_t size = 0;
        uint8_t *data = fixture_read(names[i], &size);
        struct ph_macho_file f;
        struct ph_codesign sign;
        struct ph_codesign_verdict v;
        CHECK_EQ(ph_macho_parse_file(data, size, &f), PH_MACHO_OK);
        ph_codesign_read(&f.slices[0].image, &sign);
        ph_codesign_verify(&f.slices[0].image, &v);
        if (!CHECK_EQ(sign.state, PH_CODESIGN_BAD) || !CHECK(v.problem)) {
            fprintf(stderr, "  in %s\n", names[i]);
        }
        free(data);
    }
}

static void test_plist(void)
{
    static const char text[] =
            "<key>files2</key><dict><key>a&amp;b</key><dict><key>cdhash</key>"
            "<data>\n\tAQID\nBA==</data></dict><key>c</key><data>AA==</data>"
            "</dict><key>d</key>";
    struct ph_plist_text all = {text, text + sizeof(text) - 1};
    struct ph_plist_text files;
    struct ph_plist_text entry;
    char key[8];
    uint8_t bytes[4];
    CHECK(!ph_plist_find_dict(&all, "files", &files));
    if (!CHECK(ph_plist_find_dict(&all, "files2", &files)) ||
            !CHECK(ph_plist_next(&files, key, sizeof(key), &entry))) {
        return;
    }
    CHECK_STR(key, "a&b");
    CHECK_EQ(ph_plist_data(&entry, "cdhash", bytes, sizeof(bytes)), 4);
    CHECK_MEM(bytes, "\1\2\3\4", 4);
    CHECK_EQ(ph_plist_data(&entry, "cdhash", bytes, 3), 0);
    CHECK_EQ(ph_plist_data(&entry, "hash2", bytes, sizeof(bytes)), 0);
    CHECK(ph_plist_next(&files, key, sizeof(key), &entry));
    CHECK_STR(key, "c");
    CHECK(!ph_plist_next(&files, key, sizeof(key), &entry));
}

int main(void)
{
    test_sound();
    test_fat();
    test_hostile();
    test_prefixes();
    test_flipped_bytes();
    test_signature();
    test_damaged_signatures();
    test_plist();
    return CHECK_DONE();
}
