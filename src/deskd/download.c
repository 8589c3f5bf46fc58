/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/download.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/macros.h"

enum {
    MAX_COPIES = 1000, /* "name (999).txt" */
    COPY_SPACE = 8, /* bytes of " (999)" and a NUL */
};

struct ph_download {
    int folder;
    int file;
    char part[32]; /* its name until it is whole; empty: it has none */
    char name[PH_DOWNLOAD_MAX_NAME + 1];
    uint64_t total;
    uint64_t written;
};

void ph_download_safe_name(const char *name, char out[PH_DOWNLOAD_MAX_NAME + 1])
{
    for (const char *p = name; *p; p++) {
        name = *p == '/' || *p == '\\' ? p + 1 : name;
    }
    g_autofree char *valid = g_utf8_make_valid(name, -1);
    g_strlcpy(out, valid, PH_DOWNLOAD_MAX_NAME + 1 - COPY_SPACE);
    const char *end = NULL;
    if (!g_utf8_validate(out, -1, &end)) {
        out[end - out] = '\0';
    }
    for (char *p = out; *p; p++) {
        *p = (unsigned char)*p < 0x20 || *p == 0x7f ? '_' : *p;
    }
    if (out[0] == '.') { /* neither hidden nor a folder */
        out[0] = '_';
    }
    if (!out[0]) {
        g_strlcpy(out, "file", PH_DOWNLOAD_MAX_NAME + 1);
    }
}

static bool fail(char *error, size_t size, const char *what)
{
    snprintf(error, size, "%s: %s", what, g_strerror(errno));
    return false;
}

struct ph_download *ph_download_create(const char *folder, const char *name,
        uint64_t total, char *error, size_t size)
{
    struct ph_download *d = g_new0(struct ph_download, 1);
    d->file = -1;
    d->total = total;
    ph_download_safe_name(name, d->name);
    g_mkdir_with_parents(folder, 0700);
    d->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (d->folder < 0) {
        fail(error, size, "the download folder cannot be used");
        goto fail;
    }
    snprintf(d->part, sizeof(d->part), ".porthole-%08x%08x", g_random_int(),
            g_random_int());
    d->file = openat(d->folder, d->part,
            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (d->file < 0) {
        d->part[0] = '\0';
        fail(error, size, "the download folder takes no file");
        goto fail;
    }
    return d;
fail:
    ph_download_destroy(d);
    return NULL;
}

bool ph_download_write(struct ph_download *d, const uint8_t *data, size_t len,
        char *error, size_t size)
{
    if (len > d->total - d->written) {
        snprintf(error, size, "more came than was announced");
        return false;
    }
    while (len > 0) {
        ssize_t n = write(d->file, data, len);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return fail(error, size, "the file cannot be written");
        }
        data += n;
        len -= (size_t)n;
        d->written += (size_t)n;
    }
    return true;
}

/* The name with a number in it: "a.tar.gz" becomes "a (1).tar.gz". */
static void number_name(const char *name, int number, char *out, size_t size)
{
    const char *dot = strchr(name + 1, '.');
    int stem = dot ? (int)(dot - name) : (int)strlen(name);
    snprintf(out, size, "%.*s (%d)%s", stem, name, number, dot ? dot : "");
}

/* False with EEXIST: somebody else has it. */
static bool give_name(struct ph_download *d, const char *name)
{
    int result =
            renameat2(d->folder, d->part, d->folder, name, RENAME_NOREPLACE);
    if (result < 0 && errno == EINVAL) { /* some file systems cannot */
        result = linkat(d->folder, d->part, d->folder, name, 0);
        if (result == 0) {
            unlinkat(d->folder, d->part, 0);
        }
    }
    if (result == 0) {
        d->part[0] = '\0';
    }
    return result == 0;
}

bool ph_download_finish(struct ph_download *d,
        char name[PH_DOWNLOAD_MAX_NAME + 1], char *error, size_t size)
{
    if (d->written != d->total) {
        snprintf(error, size, "less came than was announced");
        return false;
    }
    if (fchmod(d->file, 0644) < 0) {
        return fail(error, size, "the file cannot be written");
    }
    g_strlcpy(name, d->name, PH_DOWNLOAD_MAX_NAME + 1);
    for (int i = 1; i < MAX_COPIES; i++) {
        if (give_name(d, name)) {
            return true;
        }
        if (errno != EEXIST) {
            break;
        }
        number_name(d->name, i, name, PH_DOWNLOAD_MAX_NAME + 1);
    }
    return fail(error, size, "the file cannot get its name");
}

void ph_download_destroy(struct ph_download *d)
{
    if (d) {
        if (d->part[0]) {
            unlinkat(d->folder, d->part, 0);
        }
        ph_close(&d->file);
        ph_close(&d->folder);
        g_free(d);
    }
}
