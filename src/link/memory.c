/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* Without seals (macOS) a peer could cut the file short and we would die of
 * SIGBUS: not offered there. */
#ifdef F_GET_SEALS
bool ph_memory_supported(void)
{
    return true;
}

static bool is_sealed(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK);
}
#else
bool ph_memory_supported(void)
{
    return false;
}

static bool is_sealed(int fd)
{
    return false;
}
#endif

uint8_t *ph_memory_map(int fd, size_t size)
{
    struct stat st;
    if (!is_sealed(fd)) {
        errno = EPERM;
        return NULL;
    }
    if (fstat(fd, &st) < 0) {
        return NULL;
    }
    if (st.st_size < 0 || (uint64_t)st.st_size < size) {
        errno = EINVAL;
        return NULL;
    }
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    return p == MAP_FAILED ? NULL : p;
}

void ph_memory_unmap(uint8_t *memory, size_t size)
{
    munmap(memory, size);
}
