/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/macros.h"
#include "relink/graph.h"
#define LOG_MODULE "output"
#include "common/log.h"

enum {
    /* Some systems write no more than 2 GiB at a time. */
    WRITE_MAX = 64 << 20,
};

static const uint8_t zeros[1 << 14];

static bool write_all(int fd, const uint8_t *data, size_t len)
{
    while (len > 0) {
        size_t part = data ? PH_MIN(len, (size_t)WRITE_MAX)
                           : PH_MIN(len, sizeof(zeros));
        ssize_t n = write(fd, data ? data : zeros, part);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            return false;
        }
        data = data ? data + n : NULL;
        len -= (size_t)n;
    }
    return true;
}

bool ph_output_write(const char *path, const struct ph_bytes *chunks,
        size_t count, mode_t mode)
{
    AUTOCLOSE int fd =
            open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool ok = fd >= 0;
    for (size_t i = 0; ok && i < count; i++) {
        ok = write_all(fd, chunks[i].data, chunks[i].len);
    }
    ok = ok && fchmod(fd, mode) == 0;
    /* Network file systems say only here that the disk is full. */
    ok = ok && close(ph_steal_fd(&fd)) == 0;
    if (!ok) {
        LOG_ERRNO("cannot write %s", path);
    }
    return ok;
}

static bool same_bytes(
        const struct ph_mapping *m, const struct ph_bytes *chunks, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const struct ph_bytes *c = &chunks[i];
        if (c->len > m->size - at) {
            return false;
        }
        if (c->data) {
            if (memcmp(m->data + at, c->data, c->len) != 0) {
                return false;
            }
        } else {
            for (size_t k = 0; k < c->len; k++) {
                if (m->data[at + k]) {
                    return false;
                }
            }
        }
        at += c->len;
    }
    return at == m->size;
}

bool ph_output_equals(
        const char *path, const struct ph_bytes *chunks, size_t count)
{
    AUTOCLOSE int fd =
            open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    struct stat st;
    struct ph_mapping m;
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
            !ph_mapping_open(&m, fd, (size_t)st.st_size)) {
        return false;
    }
    bool same = same_bytes(&m, chunks, count);
    ph_mapping_finish(&m);
    return same;
}
