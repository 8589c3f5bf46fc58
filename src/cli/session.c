/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/session.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/json.h"
#include "common/macros.h"

#define TMP "/tmp"
#define PREFIX "porthole-"
#define LOCK "lock"

enum {
    ID_LENGTH = 6,
};

/* The user's folder for sockets, or NULL. */
static const char *runtime_dir(void)
{
    const char *dir = getenv("XDG_RUNTIME_DIR");
    return dir && dir[0] == '/' ? dir : NULL;
}

/* --- folders whose process was killed --- */

static bool is_session_name(const char *name)
{
    size_t prefix = sizeof(PREFIX) - 1;
    if (strncmp(name, PREFIX, prefix) != 0 ||
            strlen(name + prefix) != ID_LENGTH) {
        return false;
    }
    for (const char *p = name + prefix; *p; p++) {
        if (!isalnum((unsigned char)*p)) {
            return false;
        }
    }
    return true;
}

/* The lock of a folder of ours that nobody holds any more, now held by us; -1:
 * it is another's, in use, or too new to have one. */
static int take_stale(const char *dir)
{
    char path[PH_SESSION_PATH_MAX];
    struct stat st;
    snprintf(path, sizeof(path), "%s/" LOCK, dir);
    if (lstat(dir, &st) != 0 || !S_ISDIR(st.st_mode) ||
            st.st_uid != geteuid()) {
        return -1;
    }
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) != 0) {
        ph_close(&fd);
    }
    return fd;
}

/* A folder that is ours and that nobody else may write: in /tmp somebody else
 * may have made it, to read what we put there or to have us remove what a link
 * leads to. */
static bool is_own_dir(const char *path)
{
    struct stat st;
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

/* Splits off the last part of a path. */
static void parent_of(const char *path, char *out, size_t size)
{
    snprintf(out, size, "%.*s", (int)(strrchr(path, '/') - path), path);
}

/* Whether what is in there is ours to remove. */
static bool is_own_registry(const char *registry)
{
    char above[PH_SESSION_PATH_MAX];
    parent_of(registry, above, sizeof(above));
    return is_own_dir(above) && is_own_dir(registry);
}

static void name_file(struct ph_session *s)
{
    char registry[PH_SESSION_PATH_MAX - 16];
    ph_session_registry(registry, sizeof(registry));
    snprintf(s->file, sizeof(s->file), "%s/%s.json", registry, s->id);
}

/* Removes what sessions left that were killed with all their processes. */
static void remove_stale(const char *above)
{
    DIR *dir = opendir(above);
    struct dirent *e;
    while (dir && (e = readdir(dir))) {
        struct ph_session s = {0};
        int n = is_session_name(e->d_name)
                ? snprintf(s.dir, sizeof(s.dir), "%s/%s", above, e->d_name)
                : -1;
        if (n < 0 || (size_t)n >= sizeof(s.dir)) {
            continue;
        }
        s.lock = take_stale(s.dir);
        if (s.lock >= 0) {
            snprintf(s.id, sizeof(s.id), "%s", e->d_name + sizeof(PREFIX) - 1);
            ph_session_remove(&s);
        }
    }
    if (dir) {
        closedir(dir);
    }
}

static bool has_folder(const char *id)
{
    const char *const above[] = {runtime_dir(), TMP};
    for (size_t i = 0; i < PH_LEN(above); i++) {
        char dir[PH_SESSION_PATH_MAX];
        struct stat st;
        if (above[i]) {
            snprintf(dir, sizeof(dir), "%s/" PREFIX "%s", above[i], id);
            if (lstat(dir, &st) == 0 || errno != ENOENT) {
                return true;
            }
        }
    }
    return false;
}

/* Removes the files of sessions whose folder somebody else removed: one with
 * another XDG_RUNTIME_DIR does not find the file, nor does what cleans /tmp. */
static void remove_orphans(void)
{
    char registry[PH_SESSION_PATH_MAX - 16];
    ph_session_registry(registry, sizeof(registry));
    DIR *dir = is_own_registry(registry) ? opendir(registry) : NULL;
    struct dirent *e;
    while (dir && (e = readdir(dir))) {
        struct ph_session s = {.lock = -1};
        char *end = strstr(e->d_name, ".json");
        if (end == e->d_name + ID_LENGTH && strcmp(end, ".json") == 0) {
            snprintf(s.id, sizeof(s.id), "%.*s", ID_LENGTH, e->d_name);
            if (!has_folder(s.id)) {
                ph_session_remove(&s);
            }
        }
    }
    if (dir) {
        closedir(dir);
    }
}

/* --- life --- */

/* Locked before it has its name: nobody can take it for a stale one. */
static int make_lock(const char *dir)
{
    char draft[PH_SESSION_PATH_MAX];
    char path[PH_SESSION_PATH_MAX];
    snprintf(draft, sizeof(draft), "%s/" LOCK ".new", dir);
    snprintf(path, sizeof(path), "%s/" LOCK, dir);
    int fd = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0 &&
            (flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(draft, path) != 0)) {
        ph_close(&fd);
    }
    return fd;
}

static bool try_create(struct ph_session *s, const char *above)
{
    int n = snprintf(s->dir, sizeof(s->dir), "%s/" PREFIX "XXXXXX", above);
    if (n < 0 || (size_t)n >= sizeof(s->dir) || !mkdtemp(s->dir)) {
        s->dir[0] = 0;
        return false;
    }
    s->lock = make_lock(s->dir);
    if (s->lock < 0) {
        int why = errno;
        ph_session_remove(s);
        errno = why;
        return false;
    }
    return true;
}

bool ph_session_create(struct ph_session *s, char *error, size_t size)
{
    *s = (struct ph_session){.lock = -1};
    /* Root's is not taken: a desktop that had to become another user could
     * not come through it. */
    const char *runtime = geteuid() != 0 ? runtime_dir() : NULL;
    if (runtime) {
        remove_stale(runtime);
    }
    remove_stale(TMP);
    remove_orphans();
    if (!(runtime && try_create(s, runtime)) && !try_create(s, TMP)) {
        snprintf(error, size, "cannot make a folder in " TMP ": %s",
                strerror(errno));
        return false;
    }
    snprintf(s->id, sizeof(s->id), "%s", s->dir + strlen(s->dir) - ID_LENGTH);
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

/* Makes a folder, or finds it there. */
static bool own_dir(const char *path)
{
    return (mkdir(path, 0700) == 0 || errno == EEXIST) && is_own_dir(path);
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

static bool write_draft(const char *draft, const struct ph_session *s,
        const struct ph_session_facts *facts)
{
    unlink(draft);
    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    FILE *out = fd < 0 ? NULL : fdopen(fd, "w");
    if (!out) {
        ph_close(&fd);
        return false;
    }
    bool ok = write_facts(out, s, facts);
    return fclose(out) == 0 && ok;
}

/* Renamed when whole, so that a reader never sees half of it; the draft lies
 * beside it, for the session's folder may be on another file system. */
bool ph_session_publish(
        struct ph_session *s, const struct ph_session_facts *facts)
{
    char registry[PH_SESSION_PATH_MAX - 16];
    char above[sizeof(registry)];
    char draft[PH_SESSION_PATH_MAX];
    ph_session_registry(registry, sizeof(registry));
    parent_of(registry, above, sizeof(above));
    snprintf(draft, sizeof(draft), "%s/%s.new", registry, s->id);
    name_file(s);
    bool published = false;
    /* Twice: a session that ends meanwhile removes the empty folder. */
    for (int i = 0; i < 2 && !published; i++) {
        published = own_dir(above) && own_dir(registry) &&
                write_draft(draft, s, facts) && rename(draft, s->file) == 0;
    }
    if (!published) {
        s->file[0] = 0;
    }
    return published;
}

static int remove_one(
        const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    remove(path);
    return 0;
}

void ph_session_remove(struct ph_session *s)
{
    if (s->id[0]) {
        char registry[PH_SESSION_PATH_MAX];
        char above[PH_SESSION_PATH_MAX];
        name_file(s); /* another process of ours may have published it */
        parent_of(s->file, registry, sizeof(registry));
        parent_of(registry, above, sizeof(above));
        if (is_own_registry(registry)) {
            unlink(s->file);
            /* Both only when they are empty. */
            if (rmdir(registry) == 0) {
                rmdir(above);
            }
        }
    }
    if (s->dir[0]) {
        nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
        ph_close(&s->lock);
    }
    *s = (struct ph_session){.lock = -1};
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
