/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/session.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"

/* The user's folder for sockets, or NULL. */
static const char *runtime_dir(void)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");
    return dir && dir[0] == '/' ? dir : NULL;
}

static bool try_create(struct ph_session *s, const char *above)
{
    int n = snprintf(s->dir, sizeof(s->dir), "%s/porthole-XXXXXX", above);
    return n > 0 && (size_t)n < sizeof(s->dir) && mkdtemp(s->dir);
}

bool ph_session_create(struct ph_session *s, char *error, size_t size)
{
    *s = (struct ph_session){0};
    /* Root's is not taken: a desktop that had to become another user could
     * not come through it. */
    const char *runtime = geteuid() != 0 ? runtime_dir() : NULL;
    if (!(runtime && try_create(s, runtime)) && !try_create(s, "/tmp")) {
        snprintf(error, size, "cannot make a folder in /tmp: %s",
                strerror(errno));
        return false;
    }
    snprintf(s->id, sizeof(s->id), "%s", s->dir + strlen(s->dir) - 6);
    return true;
}

void ph_session_path(
        const struct ph_session *s, const char *name, char *out, size_t size)
{
    snprintf(out, size, "%s/%s", s->dir, name);
}

void ph_session_registry(char *out, size_t size)
{
    const char *runtime = runtime_dir();
    if (runtime) {
        snprintf(out, size, "%s/porthole/sessions", runtime);
    } else {
        snprintf(out, size, "/tmp/porthole-%u/sessions", (unsigned)geteuid());
    }
}

/* Makes a folder, or finds it there: ours, and nobody else may write. In /tmp
 * somebody else may have made it to read what we put there. */
static bool own_dir(const char *path)
{
    struct stat st;
    if (mkdir(path, 0700) != 0 && errno != EEXIST) {
        return false;
    }
    if (lstat(path, &st) != 0) {
        return false;
    }
    if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() ||
            (st.st_mode & 022) != 0) {
        errno = EPERM;
        return false;
    }
    return true;
}

static bool write_facts(FILE *out, const struct ph_session *s,
        const struct ph_session_facts *facts)
{
    struct ph_json j;
    ph_json_init(&j, out, 2);
    ph_json_open_object(&j, NULL);
    ph_json_string(&j, "id", s->id);
    ph_json_string(&j, "name", facts->name);
    ph_json_u64(&j, "pid", (uint64_t)getpid());
    ph_json_string(&j, "url", facts->url);
    ph_json_string(&j, "token_file", facts->token_file);
    ph_json_string(&j, "view_token_file", facts->view_token_file);
    ph_json_string(&j, "directory", s->dir);
    ph_json_close(&j);
    return ph_json_finish(&j);
}

/* Splits off the last part of a path. */
static void parent_of(const char *path, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)(strrchr(path, '/') - path), path);
}

/* Moves the finished file to where others look for it: renamed when whole,
 * so that a reader never sees half of it. */
static bool move_to_registry(struct ph_session *s, const char *draft)
{
    char registry[PH_SESSION_PATH_MAX - 16];
    char above[sizeof(registry)];
    ph_session_registry(registry, sizeof(registry));
    parent_of(registry, above, sizeof(above));
    snprintf(s->file, sizeof(s->file), "%s/%s.json", registry, s->id);
    bool moved = false;
    /* Twice: a session that ends meanwhile removes the empty folder. */
    for (int i = 0; i < 2 && !moved; i++) {
        moved = own_dir(above) && own_dir(registry) &&
                rename(draft, s->file) == 0;
    }
    if (!moved) {
        s->file[0] = 0;
    }
    return moved;
}

bool ph_session_publish(
        struct ph_session *s, const struct ph_session_facts *facts)
{
    char draft[PH_SESSION_PATH_MAX];
    ph_session_path(s, "session.json", draft, sizeof(draft));
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) {
        ph_close(&fd);
        return false;
    }
    bool ok = write_facts(out, s, facts);
    return fclose(out) == 0 && ok && move_to_registry(s, draft);
}

static int remove_one(
        const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    remove(path);
    return 0;
}

void ph_session_remove(struct ph_session *s)
{
    if (s->file[0]) {
        char registry[PH_SESSION_PATH_MAX];
        char above[PH_SESSION_PATH_MAX];
        unlink(s->file);
        parent_of(s->file, registry, sizeof(registry));
        parent_of(registry, above, sizeof(above));
        /* Both only when they are empty. */
        if (rmdir(registry) == 0) {
            rmdir(above);
        }
    }
    if (s->dir[0]) {
        nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    }
    *s = (struct ph_session){0};
}

bool ph_session_read_line(const char *path, char *out, size_t size)
{
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size);
    if (n < 0) {
        return false;
    }
    size_t len = 0;
    while (len < (size_t)n && out[len] != '\n') {
        len++;
    }
    if (len == 0 || len == size) {
        errno = EINVAL;
        return false;
    }
    out[len] = 0;
    return true;
}
