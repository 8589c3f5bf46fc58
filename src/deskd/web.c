/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/web.h"

#include <gio/gio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/macros.h"

#define RESOURCE_PREFIX "/porthole/web"

static const struct {
    const char *suffix;
    const char *type;
} types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".ico", "image/x-icon"},
        {".wasm", "application/wasm"},
};

static const char *find_type(const char *path)
{
    for (size_t i = 0; i < PH_LEN(types); i++) {
        if (g_str_has_suffix(path, types[i].suffix)) {
            return types[i].type;
        }
    }
    return NULL;
}

/* Names of letters, digits, '-', '_' and '.', none of them beginning with a
 * dot: nothing that leaves the folder. */
static bool is_plain(const char *path)
{
    for (const char *c = path; *c; c++) {
        if (!g_ascii_isalnum(*c) && !strchr("-_./", *c)) {
            return false;
        }
        if (*c == '/' && (c[1] == '.' || c[1] == '/')) {
            return false;
        }
    }
    return path[0] == '/';
}

static GBytes *read_file(const char *folder, const char *path)
{
    g_autofree char *name = g_build_filename(folder, path, NULL);
    g_autofree char *text = NULL;
    gsize size = 0;
    struct stat st;
    if (stat(name, &st) != 0 || !S_ISREG(st.st_mode) ||
            !g_file_get_contents(name, &text, &size, NULL)) {
        return NULL;
    }
    return g_bytes_new_take(g_steal_pointer(&text), size);
}

bool ph_web_find(const char *folder, const char *path, struct ph_web_file *out)
{
    const char *file = strcmp(path, "/") == 0 ? "/index.html" : path;
    out->type = find_type(file);
    if (!out->type || !is_plain(file)) {
        return false;
    }
    g_autofree char *resource = g_strconcat(RESOURCE_PREFIX, file, NULL);
    out->data = folder ? read_file(folder, file)
                       : g_resources_lookup_data(
                                 resource, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    if (!out->data) {
        return false;
    }
    g_autofree char *sum =
            g_compute_checksum_for_bytes(G_CHECKSUM_SHA256, out->data);
    snprintf(out->etag, sizeof(out->etag), "\"%.32s\"", sum);
    return true;
}
