/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/framework.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "relink/output.h"
#define LOG_MODULE "framework"
#include "common/log.h"

enum {
    INFO_PLIST_MAX = 1 << 20,
};

static char *xml_escape(const char *text)
{
    char *out = ph_xmalloc(strlen(text) * 5 + 1);
    size_t n = 0;
    for (; *text; text++) {
        const char *entity = *text == '&' ? "&amp;"
                : *text == '<'            ? "&lt;"
                : *text == '>'            ? "&gt;"
                                          : NULL;
        size_t len = entity ? strlen(entity) : 1;
        memcpy(out + n, entity ? entity : text, len);
        n += len;
    }
    out[n] = 0;
    return out;
}

/* Bundle identifiers are letters, digits, '-' and '.'. */
static char *bundle_identifier(const char *name)
{
    char *out = ph_xasprintf("porthole.relink.%s", name);
    for (char *p = out; *p; p++) {
        if (!isalnum((unsigned char)*p) && *p != '-' && *p != '.') {
            *p = '-';
        }
    }
    return out;
}

char *ph_framework_info_plist(const char *name)
{
    AUTOFREE char *escaped = xml_escape(name);
    AUTOFREE char *identifier = bundle_identifier(name);
    return ph_xasprintf(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
            "<!DOCTYPE plist PUBLIC \"-//Apple//DTD PLIST 1.0//EN\" "
            "\"http://www.apple.com/DTDs/PropertyList-1.0.dtd\">\n"
            "<plist version=\"1.0\">\n<dict>\n"
            "\t<key>CFBundleExecutable</key>\n\t<string>%s</string>\n"
            "\t<key>CFBundleIdentifier</key>\n\t<string>%s</string>\n"
            "\t<key>CFBundleInfoDictionaryVersion</key>\n"
            "\t<string>6.0</string>\n"
            "\t<key>CFBundleName</key>\n\t<string>%s</string>\n"
            "\t<key>CFBundlePackageType</key>\n\t<string>FMWK</string>\n"
            "\t<key>CFBundleShortVersionString</key>\n"
            "\t<string>1.0</string>\n"
            "\t<key>CFBundleVersion</key>\n\t<string>1</string>\n"
            "</dict>\n</plist>\n",
            escaped, identifier, escaped);
}

static bool stage_link(
        struct ph_stage *s, const char *final, const char *points_to)
{
    char now[256];
    ssize_t n = readlink(final, now, sizeof(now) - 1);
    if (n >= 0) {
        now[n] = 0;
        if (strcmp(now, points_to) == 0) {
            return true;
        }
    }
    const char *staged = ph_stage_add(s, final);
    if (!staged) {
        return false;
    }
    if (symlink(points_to, staged) < 0) {
        LOG_ERRNO("cannot write %s", staged);
        return false;
    }
    return true;
}

/* The Info.plist of the framework that the library comes from, if any. */
static bool find_original(const struct ph_lib *lib, struct ph_mapping *out)
{
    AUTOFREE char *dir = ph_path_dir(lib->path);
    AUTOFREE char *deep = ph_path_join(dir, "Resources/Info.plist");
    AUTOFREE char *flat = ph_path_join(dir, "Info.plist");
    *out = (struct ph_mapping){0};
    if (!ph_path_framework_tail(lib->path)) {
        return false;
    }
    AUTOCLOSE int fd = open(deep, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fd = open(flat, O_RDONLY | O_CLOEXEC);
    }
    struct stat st;
    return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
            st.st_size > 0 && st.st_size < INFO_PLIST_MAX &&
            ph_mapping_open(out, fd, (size_t)st.st_size);
}

static bool stage_info_plist(struct ph_stage *s, const char *final,
        const struct ph_lib *lib, const char *name)
{
    if (access(final, F_OK) == 0) {
        return true;
    }
    AUTOFREE char *text = ph_framework_info_plist(name);
    struct ph_bytes chunk = {(const uint8_t *)text, strlen(text)};
    struct ph_mapping original;
    if (find_original(lib, &original)) {
        chunk = (struct ph_bytes){original.data, original.size};
        LOG_WARN("%s: of its framework only the library and Info.plist are "
                 "copied",
                lib->path);
    }
    const char *staged = ph_stage_add(s, final);
    bool ok = staged && ph_output_write(staged, &chunk, 1, 0644);
    ph_mapping_finish(&original);
    return ok;
}

bool ph_framework_stage(
        struct ph_stage *s, const char *into, const struct ph_lib *lib)
{
    const char *name = ph_path_base(lib->target);
    AUTOFREE char *root = ph_xasprintf("%s/%s.framework", into, name);
    AUTOFREE char *info =
            ph_xasprintf("%s/Versions/A/Resources/Info.plist", root);
    AUTOFREE char *current = ph_xasprintf("%s/Versions/Current", root);
    AUTOFREE char *resources = ph_xasprintf("%s/Resources", root);
    AUTOFREE char *library = ph_xasprintf("%s/%s", root, name);
    AUTOFREE char *to_library = ph_xasprintf("Versions/Current/%s", name);
    return stage_info_plist(s, info, lib, name) &&
            stage_link(s, current, "A") &&
            stage_link(s, resources, "Versions/Current/Resources") &&
            stage_link(s, library, to_library);
}
