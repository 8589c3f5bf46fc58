/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/region.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "proto/hxfr_ext.h"

enum {
    PAGE = PH_HXFR_REGION_PAGE,
    PATH_SIZE = 512,
};

/* Exactly 16 hexadecimal digits. 0: it is none. */
static uint64_t parse_id(const char *text)
{
    uint64_t id = 0;
    for (int i = 0; i < 16; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9') {
            id = id << 4 | (uint64_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            id = id << 4 | (uint64_t)(c - 'a' + 10);
        } else {
            return 0;
        }
    }
    return id;
}

uint64_t ph_region_folder_id(const char *folder)
{
    static const char magic[] = PH_HXFR_REGION_MAGIC " ";
    char text[64] = "";
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/" PH_HXFR_REGION_FILE, folder);
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0 ||
            strncmp(text, magic, strlen(magic)) != 0) {
        return 0;
    }
    return parse_id(text + strlen(magic));
}

int ph_region_open_slots(const char *folder, uint64_t nonce)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), "%s/" PH_HXFR_REGION_SLOTS, folder, nonce);
    return open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
}

uint8_t *ph_region_map(int bar, uint64_t offset, uint64_t nonce, size_t size)
{
    void *p = mmap(NULL, PAGE + size, PROT_READ | PROT_WRITE, MAP_SHARED, bar,
            (off_t)offset);
    if (p == MAP_FAILED) {
        return NULL;
    }
    uint8_t *memory = p;
    if (ph_load_u64(memory) != nonce) {
        munmap(p, PAGE + size);
        errno = EPERM;
        return NULL;
    }
    return memory + PAGE;
}

void ph_region_unmap(uint8_t *memory, size_t size)
{
    munmap(memory - PAGE, PAGE + size);
}
