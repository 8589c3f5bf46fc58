/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "hostd/surface.h"

#ifdef F_ADD_SEALS
bool ph_memfile_supported(void)
{
    return true;
}

int ph_memfile_create(size_t size)
{
    AUTOCLOSE int fd =
            memfd_create("porthole-slots", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0 || ftruncate(fd, (off_t)size) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
                    0) {
        return -1;
    }
    return ph_steal_fd(&fd);
}
#else
bool ph_memfile_supported(void)
{
    return false;
}

int ph_memfile_create(size_t size)
{
    errno = ENOTSUP;
    return -1;
}
#endif
