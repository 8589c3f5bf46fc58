/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/share.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/alloc.h"
#include "common/cleanup.h"
#include "common/macros.h"
#include "proto/hxfr_ext.h"

#define LOG_MODULE "share"
#include "common/log.h"

enum {
    PAGE = PH_HXFR_REGION_PAGE,
    RANGES_MAX = 64,
    NEW_SIZE = 64 << 20,
    NAME_MAX_SIZE = 64,
};

struct ph_share {
    uint8_t place; /* enum ph_hxfr_slots_place */
    uint64_t id;
    int fd; /* the file, or the folder */
    uint8_t *memory; /* ivshmem */
    uint64_t size;
    pthread_mutex_t lock;
    struct ph_share_range ranges[RANGES_MAX]; /* ivshmem: those taken */
};

static uint64_t random_id(void)
{
    uint64_t id = 0;
    while (id == 0) { /* which means: none */
        if (getentropy(&id, sizeof(id)) < 0) {
            abort(); /* not for so few bytes */
        }
    }
    return id;
}

static struct ph_share *add(struct ph_shares *shares, uint8_t place, int fd)
{
    struct ph_share *s = ph_xcalloc(1, sizeof(*s));
    s->place = place;
    s->id = random_id();
    s->fd = fd;
    pthread_mutex_init(&s->lock, NULL);
    shares->items[shares->count++] = s;
    return s;
}

static bool has_room(const struct ph_shares *shares)
{
    if (shares->count == PH_SHARES_MAX) {
        LOG_ERR("more than %d of --ivshmem and --share", PH_SHARES_MAX);
    }
    return shares->count < PH_SHARES_MAX;
}

/* --- ivshmem --- */

/* Its size, given to it where it is new. 0: errno. */
static uint64_t size_file(int fd)
{
    struct stat st;
    if (fstat(fd, &st) < 0) {
        return 0;
    }
    if (!S_ISREG(st.st_mode)) {
        errno = EINVAL;
        return 0;
    }
    if (st.st_size == 0) {
        return ftruncate(fd, NEW_SIZE) < 0 ? 0 : NEW_SIZE;
    }
    if (st.st_size < 2 * PAGE) {
        errno = EFBIG;
        return 0;
    }
    return (uint64_t)st.st_size;
}

bool ph_shares_add_ivshmem(struct ph_shares *shares, const char *path)
{
    if (!has_room(shares)) {
        return false;
    }
    AUTOCLOSE int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    uint64_t size = fd < 0 ? 0 : size_file(fd);
    if (!size || flock(fd, LOCK_EX | LOCK_NB) < 0) {
        LOG_ERRNO("--ivshmem %s", path);
        return false;
    }
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        LOG_ERRNO("--ivshmem %s: mmap", path);
        return false;
    }
    struct ph_share *s = add(shares, PH_HXFR_SLOTS_IVSHMEM, ph_steal_fd(&fd));
    s->memory = p;
    s->size = size;
    /* The magic last: who sees it may believe the rest. */
    memset(s->memory, 0, PAGE);
    ph_store_u64(s->memory + sizeof(PH_HXFR_REGION_MAGIC), s->id);
    atomic_thread_fence(memory_order_seq_cst);
    memcpy(s->memory, PH_HXFR_REGION_MAGIC, sizeof(PH_HXFR_REGION_MAGIC));
    return true;
}

static bool is_free(const struct ph_share *s, uint64_t offset, uint64_t size)
{
    if (offset > s->size || size > s->size - offset) {
        return false;
    }
    for (size_t i = 0; i < PH_LEN(s->ranges); i++) {
        const struct ph_share_range *r = &s->ranges[i];
        if (r->size && offset < r->offset + r->size &&
                r->offset < offset + size) {
            return false;
        }
    }
    return true;
}

/* The lowest place: behind the first page, or behind what is taken. */
static uint64_t find_place(const struct ph_share *s, uint64_t size)
{
    uint64_t best = is_free(s, PAGE, size) ? PAGE : 0;
    for (size_t i = 0; i < PH_LEN(s->ranges); i++) {
        const struct ph_share_range *r = &s->ranges[i];
        uint64_t offset = r->offset + r->size;
        if (r->size && (!best || offset < best) && is_free(s, offset, size)) {
            best = offset;
        }
    }
    return best;
}

static bool take_memory(
        struct ph_share *s, size_t size, struct ph_share_range *out)
{
    uint64_t whole =
            PAGE + (((uint64_t)size + PAGE - 1) & ~(uint64_t)(PAGE - 1));
    bool ok = false;
    pthread_mutex_lock(&s->lock);
    uint64_t offset = find_place(s, whole);
    for (size_t i = 0; offset && !ok && i < PH_LEN(s->ranges); i++) {
        struct ph_share_range *r = &s->ranges[i];
        if (r->size == 0) {
            *r = (struct ph_share_range){.share = s,
                    .offset = offset,
                    .nonce = random_id(),
                    .size = whole,
                    .memory = s->memory + offset + PAGE,
                    .fd = -1};
            ph_store_u64(s->memory + offset, r->nonce);
            *out = *r;
            ok = true;
        }
    }
    pthread_mutex_unlock(&s->lock);
    return ok;
}

static void give_memory(struct ph_share *s, const struct ph_share_range *range)
{
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < PH_LEN(s->ranges); i++) {
        if (s->ranges[i].size && s->ranges[i].offset == range->offset) {
            ph_store_u64(s->memory + range->offset, 0);
            s->ranges[i] = (struct ph_share_range){.fd = -1};
        }
    }
    pthread_mutex_unlock(&s->lock);
}

/* --- folders --- */

/* A new file there, whatever had its name. */
static int make_file(const struct ph_share *s, const char *name)
{
    unlinkat(s->fd, name, 0);
    return openat(s->fd, name,
            O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
}

static bool write_identity(const struct ph_share *s)
{
    char text[NAME_MAX_SIZE];
    int n = snprintf(text, sizeof(text), "%s %016" PRIx64 "\n",
            PH_HXFR_REGION_MAGIC, s->id);
    AUTOCLOSE int fd = make_file(s, PH_HXFR_REGION_FILE);
    /* Guests may be other users here: what the umask took is given. */
    return fd >= 0 && fchmod(fd, 0644) == 0 && write(fd, text, (size_t)n) == n;
}

bool ph_shares_add_folder(struct ph_shares *shares, const char *path)
{
    if (!has_room(shares)) {
        return false;
    }
    AUTOCLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        LOG_ERRNO("--share %s", path);
        return false;
    }
    struct ph_share *s = add(shares, PH_HXFR_SLOTS_FILE, ph_steal_fd(&fd));
    if (!write_identity(s)) {
        LOG_ERRNO("--share %s: %s", path, PH_HXFR_REGION_FILE);
        return false;
    }
    return true;
}

static void file_name(uint64_t nonce, char out[NAME_MAX_SIZE])
{
    snprintf(out, NAME_MAX_SIZE, PH_HXFR_REGION_SLOTS, nonce);
}

static bool take_file(
        struct ph_share *s, size_t size, struct ph_share_range *out)
{
    char name[NAME_MAX_SIZE];
    uint64_t nonce = random_id();
    file_name(nonce, name);
    AUTOCLOSE int fd = make_file(s, name);
    if (fd < 0) {
        LOG_ERRNO("a file for a guest's pixels");
        return false;
    }
    fchmod(fd, 0666);
    *out = (struct ph_share_range){
            .share = s, .nonce = nonce, .size = size, .fd = ph_steal_fd(&fd)};
    return true;
}

/* --- both --- */

bool ph_share_take(struct ph_share *s, size_t size, struct ph_share_range *out)
{
    if (s->place == PH_HXFR_SLOTS_FILE) {
        return take_file(s, size, out);
    }
    if (take_memory(s, size, out)) {
        return true;
    }
    LOG_WARN("no %zu bytes are free in the ivshmem file of %" PRIu64, size,
            s->size);
    return false;
}

void ph_share_give(struct ph_share_range *r)
{
    if (!r->share) {
        return;
    }
    if (r->share->place == PH_HXFR_SLOTS_FILE) {
        char name[NAME_MAX_SIZE];
        file_name(r->nonce, name);
        unlinkat(r->share->fd, name, 0);
        ph_close(&r->fd);
    } else {
        give_memory(r->share, r);
    }
    *r = (struct ph_share_range){.fd = -1};
}

struct ph_share *ph_shares_find(
        const struct ph_shares *shares, uint8_t place, uint64_t id)
{
    for (size_t i = 0; shares && id && i < shares->count; i++) {
        if (shares->items[i]->place == place && shares->items[i]->id == id) {
            return shares->items[i];
        }
    }
    return NULL;
}

void ph_shares_finish(struct ph_shares *shares)
{
    for (size_t i = 0; i < shares->count; i++) {
        struct ph_share *s = shares->items[i];
        if (s->memory) {
            memset(s->memory, 0, PAGE);
            munmap(s->memory, s->size);
        } else {
            unlinkat(s->fd, PH_HXFR_REGION_FILE, 0);
        }
        ph_close(&s->fd);
        pthread_mutex_destroy(&s->lock);
        free(s);
    }
    shares->count = 0;
}
