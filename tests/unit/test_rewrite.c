/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/rewrite.h"

#include "common/macros.h"
#include "relink/codesign.h"

#include "check.h"
#include "fixture.h"

struct result {
    enum ph_rewrite_result code;
    struct ph_rewrite_failure failure;
    bool changed;
    bool squeezed;
    bool unsigned_left;
    uint8_t *input;
    uint8_t *data;
    size_t size;
    struct ph_macho_file file; /* of data */
};

static uint8_t *flatten(const struct ph_output *out)
{
    size_t at = 0;
    uint8_t *data = calloc(1, (size_t)out->size + 1);
    for (size_t i = 0; data && i < out->count; i++) {
        if (out->chunks[i].data) {
            memcpy(data + at, out->chunks[i].data, out->chunks[i].len);
        }
        at += out->chunks[i].len;
    }
    CHECK_EQ(at, out->size);
    return data;
}

static void rewrite(struct result *r, const char *name,
        const struct ph_edits *e, enum ph_sign sign)
{
    *r = (struct result){0};
    struct ph_macho_file f;
    struct ph_output out;
    size_t size = 0;
    r->input = fixture_read(name, &size);
    CHECK_EQ(ph_macho_parse_file(r->input, size, &f), PH_MACHO_OK);
    r->code = ph_rewrite_file(&f, e, sign, "leaf", &out, &r->failure);
    struct ph_rewrite_failure dry;
    CHECK_EQ(ph_rewrite_check(&f, e, sign, &dry), r->code);
    CHECK_EQ(dry.missing, r->failure.missing);
    r->changed = out.changed;
    r->squeezed = out.squeezed;
    r->unsigned_left = out.unsigned_left;
    if (r->code == PH_REWRITE_OK) {
        r->data = flatten(&out);
        r->size = (size_t)out.size;
        CHECK_EQ(ph_macho_parse_file(r->data, r->size, &f), PH_MACHO_OK);
        r->file = f;
    }
    ph_output_finish(&out);
}

static void finish(struct result *r)
{
    free(r->input);
    free(r->data);
}

static void check_signed(const struct ph_macho *m, const char *identifier)
{
    struct ph_codesign sign;
    struct ph_codesign_verdict v;
    ph_codesign_read(m, &sign);
    ph_codesign_verify(m, &v);
    CHECK_EQ(sign.state, PH_CODESIGN_OK);
    CHECK_STR(sign.identifier, identifier);
    CHECK_STR(v.problem, NULL);
    CHECK(sign.flags & PH_CS_ADHOC);
    CHECK_EQ(m->signature.offset + m->signature.size, m->size);
    CHECK_EQ(m->linkedit.file.offset + m->linkedit.file.size, m->size);
}

static const struct ph_rename renames[] = {
        {"/b/lib/libtwo.dylib", "@rpath/libtwo.dylib"}};
static const char *const drop[] = {"/b/lib"};
static const struct ph_edits move = {.id = "@rpath/libone.dylib",
        .renames = renames,
        .rename_count = 1,
        .drop_rpaths = drop,
        .drop_count = 1};

static void test_move(void)
{
    struct result r;
    rewrite(&r, "dylib-signed", &move, PH_SIGN_ADHOC);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    CHECK(r.changed && !r.squeezed);
    const struct ph_macho *m = &r.file.slices[0].image;
    CHECK_STR(ph_macho_id(m), "@rpath/libone.dylib");
    check_signed(m, "libone");
    struct ph_macho_command c = {0};
    while (ph_macho_next(m, &c)) {
        CHECK(c.cmd != PH_LC_RPATH);
    }
    /* The rest stays, byte for byte. */
    CHECK_MEM(r.data + 960, r.input + 960, 64 + 32);
    finish(&r);
}

static void test_nothing_to_do(void)
{
    struct ph_edits none = {0};
    struct result r;
    rewrite(&r, "dylib-signed", &none, PH_SIGN_ADHOC);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    CHECK(!r.changed);
    CHECK_MEM(r.data, r.input, r.size);
    finish(&r);
}

/* A name of `len` characters for one dependency. */
static void with_name(struct result *r, const char *fixture, size_t len)
{
    static char name[400];
    memset(name, 'n', len);
    name[len] = 0;
    struct ph_rename rename = {"/b/lib/libtwo.dylib", name};
    struct ph_edits e = {.renames = &rename, .rename_count = 1};
    rewrite(r, fixture, &e, PH_SIGN_ADHOC);
}

/* The command has 48 bytes, for names up to 23 characters; the header has room
 * for 40 more, and 24 are to be had from commands that only inform. */
static void test_room(void)
{
    struct result r;
    with_name(&r, "dylib-room-40", 23 + 40);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    CHECK(!r.squeezed);
    finish(&r);
    with_name(&r, "dylib-room-40", 24 + 40);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    CHECK(r.squeezed);
    check_signed(&r.file.slices[0].image, "libone");
    finish(&r);
    with_name(&r, "dylib-room-40", 23 + 40 + 24);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    finish(&r);
    with_name(&r, "dylib-room-40", 24 + 40 + 24);
    CHECK_EQ(r.code, PH_REWRITE_NO_ROOM);
    CHECK_EQ(r.failure.missing, 8);
    finish(&r);
    with_name(&r, "dylib-no-room", 399);
    CHECK_EQ(r.code, PH_REWRITE_NO_ROOM);
    CHECK_EQ(r.failure.missing, 376 - 24);
    finish(&r);
}

static void test_entitlements_stay(void)
{
    struct ph_edits e = {.renames = renames, .rename_count = 1};
    struct result r;
    rewrite(&r, "program-entitled", &e, PH_SIGN_ADHOC);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    const struct ph_macho *m = &r.file.slices[0].image;
    check_signed(m, "org.example.one");
    struct ph_codesign sign;
    ph_codesign_read(m, &sign);
    CHECK_EQ(sign.flags, PH_CS_RUNTIME | PH_CS_ADHOC);
    CHECK_EQ(sign.runtime, 0xb0000);
    CHECK_EQ(sign.exec_flags, PH_CS_EXEC_MAIN_BINARY);
    CHECK(sign.entitlements.len > 8 && sign.entitlements_der.len == 10);
    CHECK(sign.info_plist);
    finish(&r);
}

static void test_unsigned(void)
{
    struct result r;
    rewrite(&r, "dylib", &move, PH_SIGN_ADHOC);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    check_signed(&r.file.slices[0].image, "leaf");
    finish(&r);
    struct ph_edits bundle = {.renames = renames, .rename_count = 1};
    rewrite(&r, "bundle-intel-no-room", &bundle, PH_SIGN_ADHOC);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    CHECK(r.changed);
    finish(&r);
    /* Nothing to change, but Apple silicon wants a signature. */
    struct ph_edits none = {0};
    rewrite(&r, "dylib", &none, PH_SIGN_ADHOC);
    CHECK(r.changed);
    check_signed(&r.file.slices[0].image, "leaf");
    finish(&r);
    rewrite(&r, "dylib-intel", &none, PH_SIGN_ADHOC);
    CHECK(!r.changed);
    finish(&r);
}

static void test_strip_and_keep(void)
{
    struct result r;
    rewrite(&r, "program-entitled",
            &(struct ph_edits){.renames = renames, .rename_count = 1},
            PH_SIGN_NONE);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    CHECK(!r.file.slices[0].image.signature_command);
    CHECK_EQ(r.size, 1024 + 32);
    CHECK_EQ(r.file.slices[0].image.linkedit.file.size, 32);
    finish(&r);
    rewrite(&r, "dylib-signed", &move, PH_SIGN_KEEP);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    struct ph_codesign_verdict v;
    ph_codesign_verify(&r.file.slices[0].image, &v);
    CHECK_EQ(v.bad_pages, 1);
    CHECK_MEM(r.data + 960, r.input + 960, r.size - 960);
    finish(&r);
}

static void test_fat(void)
{
    static const char *const names[] = {"fat", "fat64"};
    for (size_t i = 0; i < PH_LEN(names); i++) {
        struct result r;
        rewrite(&r, names[i], &move, PH_SIGN_ADHOC);
        CHECK_EQ(r.code, PH_REWRITE_OK);
        CHECK_EQ(r.file.count, 2);
        for (unsigned k = 0; k < r.file.count; k++) {
            const struct ph_macho_slice *s = &r.file.slices[k];
            CHECK_STR(ph_macho_id(&s->image), "@rpath/libone.dylib");
            check_signed(&s->image, k ? "leaf" : "libone");
            CHECK_EQ(s->offset % (1u << s->align), 0);
        }
        const struct ph_macho_slice *last = &r.file.slices[1];
        CHECK_EQ(last->offset + last->image.size, r.size);
        finish(&r);
    }
}

static void test_refused(void)
{
    static const struct {
        const char *name;
        enum ph_rewrite_result code;
    } cases[] = {
            {"encrypted", PH_REWRITE_ENCRYPTED},
            {"trailing", PH_REWRITE_TRAILING},
            {"fat-gap", PH_REWRITE_TRAILING},
            {"signature-early", PH_REWRITE_BAD_SIGNATURE},
            {"linkedit-under", PH_REWRITE_LINKEDIT_NOT_LAST},
            {"blob-length", PH_REWRITE_BAD_SIGNATURE},
            {"superblob-count", PH_REWRITE_BAD_SIGNATURE},
    };
    for (size_t i = 0; i < PH_LEN(cases); i++) {
        struct result r;
        rewrite(&r, cases[i].name, &move, PH_SIGN_ADHOC);
        if (!CHECK_EQ(r.code, cases[i].code)) {
            fprintf(stderr, "  in %s\n", cases[i].name);
        }
        finish(&r);
    }
}

static void test_add_rpath(void)
{
    static const char *const add[] = {"@executable_path/../Frameworks"};
    struct ph_edits e = {.add_rpaths = add, .add_count = 1};
    struct result r;
    rewrite(&r, "program-entitled", &e, PH_SIGN_ADHOC);
    CHECK_EQ(r.code, PH_REWRITE_OK);
    struct ph_macho_command c = {0};
    unsigned found = 0;
    while (ph_macho_next(&r.file.slices[0].image, &c)) {
        found += c.cmd == PH_LC_RPATH && strcmp(ph_macho_name(&c), add[0]) == 0;
    }
    CHECK_EQ(found, 1);
    /* Adding it again is no change. */
    struct ph_output again;
    struct ph_rewrite_failure failure;
    CHECK_EQ(ph_rewrite_file(&r.file, &e, PH_SIGN_ADHOC, "x", &again, &failure),
            PH_REWRITE_OK);
    CHECK(!again.changed);
    ph_output_finish(&again);
    finish(&r);
}

int main(void)
{
    test_move();
    test_nothing_to_do();
    test_room();
    test_entitlements_stay();
    test_unsigned();
    test_strip_and_keep();
    test_fat();
    test_refused();
    test_add_rpath();
    return CHECK_DONE();
}
