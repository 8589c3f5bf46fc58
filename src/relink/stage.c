/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "relink/stage.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#define LOG_MODULE "stage"
#include "common/log.h"

void ph_stage_init(struct ph_stage *s, const char *parent)
{
    *s = (struct ph_stage){.parent = parent};
}

static bool make_dir(struct ph_stage *s)
{
    AUTOFREE char *dir = ph_path_join(s->parent, ".porthole-relink-XXXXXX");
    if (!mkdtemp(dir)) {
        LOG_ERRNO("cannot make a folder to work in: %s", dir);
        return false;
    }
    s->dir = ph_steal_ptr(&dir);
    return true;
}

const char *ph_stage_add(struct ph_stage *s, const char *final)
{
    if (!s->dir && !make_dir(s)) {
        return NULL;
    }
    s->entries = ph_xrealloc(s->entries, (s->count + 1) * sizeof(*s->entries));
    struct ph_stage_entry *e = &s->entries[s->count];
    *e = (struct ph_stage_entry){
            .staged = ph_xasprintf("%s/%zu", s->dir, s->count),
            .final = ph_xstrdup(final),
    };
    s->count++;
    return e->staged;
}

/* Makes the folders above path that are not there, and notes them. */
static bool make_parents(struct ph_stage *s, const char *path)
{
    AUTOFREE char *dir = ph_path_dir(path);
    struct stat st;
    if (stat(dir, &st) == 0) {
        if (S_ISDIR(st.st_mode)) {
            return true;
        }
        LOG_ERR("%s is in the way: it is not a folder", dir);
        return false;
    }
    if (!make_parents(s, dir)) {
        return false;
    }
    if (mkdir(dir, 0755) < 0) {
        LOG_ERRNO("cannot make %s", dir);
        return false;
    }
    ph_strings_take(&s->made_dirs, ph_steal_ptr(&dir));
    return true;
}

/* Keeps what is at e->final, by a second link where the file system can (so
 * that there is a file at each moment), else by moving it away. */
static bool save_old(struct ph_stage_entry *e)
{
    struct stat st;
    if (lstat(e->final, &st) < 0) {
        return errno == ENOENT;
    }
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    AUTOFREE char *saved = ph_xasprintf("%s.old", e->staged);
    if (linkat(AT_FDCWD, e->final, AT_FDCWD, saved, 0) < 0 &&
            rename(e->final, saved) < 0) {
        return false;
    }
    e->saved = ph_steal_ptr(&saved);
    return true;
}

static bool put_in_place(struct ph_stage *s, struct ph_stage_entry *e)
{
    if (!make_parents(s, e->final)) {
        return false;
    }
    if (!save_old(e) || rename(e->staged, e->final) < 0) {
        LOG_ERRNO("cannot replace %s, so nothing is changed", e->final);
        return false;
    }
    e->in_place = true;
    return true;
}

static void put_back(struct ph_stage_entry *e)
{
    if (!e->saved) {
        if (e->in_place && unlink(e->final) < 0) {
            LOG_ERRNO("cannot remove %s again", e->final);
        }
    } else if (rename(e->saved, e->final) < 0) {
        LOG_ERRNO("cannot put %s back, it stays as %s", e->final, e->saved);
        free(e->saved);
        e->saved = NULL; /* or discard would remove the only copy */
    }
}

static void roll_back(struct ph_stage *s)
{
    for (size_t i = s->count; i-- > 0;) {
        put_back(&s->entries[i]);
    }
    for (size_t i = s->made_dirs.count; i-- > 0;) {
        rmdir(s->made_dirs.items[i]);
    }
}

bool ph_stage_commit(struct ph_stage *s)
{
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before);
    bool ok = true;
    for (size_t i = 0; ok && i < s->count; i++) {
        ok = put_in_place(s, &s->entries[i]);
    }
    if (!ok) {
        roll_back(s);
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

void ph_stage_discard(struct ph_stage *s)
{
    for (size_t i = 0; i < s->count; i++) {
        struct ph_stage_entry *e = &s->entries[i];
        unlink(e->staged);
        if (e->saved) {
            unlink(e->saved);
        }
        free(e->staged);
        free(e->final);
        free(e->saved);
    }
    if (s->dir && rmdir(s->dir) < 0) {
        LOG_WARN("cannot remove %s: %s", s->dir, strerror(errno));
    }
    free(s->entries);
    free(s->dir);
    ph_strings_finish(&s->made_dirs);
    *s = (struct ph_stage){0};
}
