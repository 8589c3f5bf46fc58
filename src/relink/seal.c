/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/seal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/macros.h"
#include "relink/codesign.h"
#include "relink/plan.h"
#include "relink/plist.h"

enum {
    NAME_MAX_SIZE = 4096,
};

char *ph_seal_bundle_of(const char *path)
{
    static const char *const kinds[] = {".app", ".framework", ".xpc", ".appex"};
    for (const char *p = path; *p; p++) {
        size_t n = strcspn(p, "/");
        for (size_t i = 0; i < PH_LEN(kinds); i++) {
            size_t len = strlen(kinds[i]);
            if (n > len && strncmp(p + n - len, kinds[i], len) == 0) {
                return ph_xasprintf("%.*s", (int)(p + n - path), path);
            }
        }
        p += n;
        if (!*p) {
            break;
        }
    }
    return NULL;
}

static bool map_path(const char *path, struct ph_mapping *out)
{
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat st;
    *out = (struct ph_mapping){0};
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
            ph_mapping_open(out, fd, (size_t)st.st_size);
}

static bool matches_hash(const char *path, const uint8_t hash[PH_SHA256_SIZE])
{
    struct ph_mapping m;
    uint8_t now[PH_SHA256_SIZE];
    if (!map_path(path, &m)) {
        return false;
    }
    struct ph_bytes all = {m.data, m.size};
    ph_digest_sha256(&all, 1, now);
    ph_mapping_finish(&m);
    return memcmp(now, hash, sizeof(now)) == 0;
}

/* The program or library of a nested bundle, or the file itself. */
static char *main_file(const char *path)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISDIR(st.st_mode)) {
        return ph_xstrdup(path);
    }
    const char *base = ph_path_base(path);
    const char *dot = strrchr(base, '.');
    int len = dot ? (int)(dot - base) : (int)strlen(base);
    char *flat = ph_xasprintf("%s/%.*s", path, len, base);
    if (access(flat, F_OK) == 0) {
        return flat;
    }
    free(flat);
    return ph_xasprintf("%s/Contents/MacOS/%.*s", path, len, base);
}

/* The seal names one slice's code directory: which, is the signer's choice. */
static bool matches_cdhash(const char *path, const uint8_t *cdhash)
{
    AUTOFREE char *file_path = main_file(path);
    struct ph_mapping m;
    struct ph_macho_file file;
    bool same = false;
    if (!map_path(file_path, &m)) {
        return false;
    }
    if (ph_macho_parse_file(m.data, m.size, &file) == PH_MACHO_OK) {
        for (unsigned i = 0; i < file.count; i++) {
            struct ph_codesign sign;
            ph_codesign_read(&file.slices[i].image, &sign);
            same = same ||
                    (sign.state == PH_CODESIGN_OK &&
                            memcmp(sign.cdhash, cdhash, PH_CS_CDHASH_SIZE) ==
                                    0);
        }
    }
    ph_mapping_finish(&m);
    return same;
}

static bool entry_fits(const char *path, const struct ph_plist_text *entry)
{
    uint8_t hash[PH_SHA256_SIZE];
    if (ph_plist_data(entry, "cdhash", hash, sizeof(hash)) ==
            PH_CS_CDHASH_SIZE) {
        return matches_cdhash(path, hash);
    }
    if (ph_plist_data(entry, "hash2", hash, sizeof(hash)) == sizeof(hash)) {
        return matches_hash(path, hash) ||
                (ph_plist_has(entry, "optional") && access(path, F_OK) < 0);
    }
    return true; /* a symlink, or of an older kind */
}

/* A sealed name that is the file or a nested bundle around it. */
static bool is_sealed(const struct ph_strings *names, const char *relative)
{
    for (size_t i = 0; i < names->count; i++) {
        if (ph_path_under(relative, names->items[i])) {
            return true;
        }
    }
    return false;
}

/* Programs are left out: the bundle's own is sealed by its signature. */
struct ph_strings ph_seal_files(const struct ph_graph *g, const char *into)
{
    struct ph_strings files = {0};
    for (size_t i = 0; i < g->count; i++) {
        const struct ph_lib *lib = g->libs[i];
        if (!lib->same_as && ph_lib_type(lib) != PH_MACHO_EXECUTE) {
            ph_strings_take(&files, ph_plan_final_path(into, lib));
        }
    }
    return files;
}

/* Files that came after the seal. */
static char *find_added(const char *base, const struct ph_strings *names,
        const struct ph_strings *files)
{
    for (size_t i = 0; i < files->count; i++) {
        const char *path = files->items[i];
        if (!ph_path_under(path, base)) {
            continue;
        }
        const char *relative = path + strlen(base) + 1;
        if (!is_sealed(names, relative) && strchr(relative, '/')) {
            return ph_xasprintf("%s is not in it", relative);
        }
    }
    return NULL;
}

static char *compare(const char *base, const struct ph_mapping *m,
        const struct ph_strings *files)
{
    const char *text = (const char *)m->data;
    struct ph_plist_text all = {text, text + m->size};
    struct ph_plist_text sealed;
    struct ph_plist_text entry;
    char name[NAME_MAX_SIZE];
    struct ph_strings names = {0};
    char *what = NULL;
    if (!text || !ph_plist_find_dict(&all, "files2", &sealed)) {
        return ph_xstrdup("it cannot be read");
    }
    while (!what && ph_plist_next(&sealed, name, sizeof(name), &entry)) {
        AUTOFREE char *path = ph_path_join(base, name);
        ph_strings_add(&names, name);
        if (!entry_fits(path, &entry)) {
            what = ph_xasprintf("%s is another one now", name);
        }
    }
    if (!what) {
        what = find_added(base, &names, files);
    }
    ph_strings_finish(&names);
    return what;
}

enum ph_seal_state ph_seal_check(
        const char *bundle, const struct ph_strings *files, char **what)
{
    static const char *const places[] = {"Contents", "Versions/A", "."};
    *what = NULL;
    for (size_t i = 0; i < PH_LEN(places); i++) {
        AUTOFREE char *joined = ph_path_join(bundle, places[i]);
        AUTOFREE char *base = ph_path_clean(joined);
        AUTOFREE char *path =
                ph_path_join(base, "_CodeSignature/CodeResources");
        struct ph_mapping m;
        if (map_path(path, &m)) {
            *what = compare(base, &m, files);
            ph_mapping_finish(&m);
            return *what ? PH_SEAL_STALE : PH_SEAL_FITS;
        }
    }
    return PH_SEAL_NONE;
}
