/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* ivshmem devices, through sysfs: no driver of the kernel's knows them. */
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/bytes.h"
#include "common/cleanup.h"
#include "link/region.h"
#include "proto/hxfr_ext.h"

#define DEVICES "/sys/bus/pci/devices"

enum {
    PATH_SIZE = sizeof(DEVICES) + NAME_MAX + 32,
    PAGE = PH_HXFR_REGION_PAGE,
};

static bool has_value(const char *device, const char *file, const char *value)
{
    char path[PATH_SIZE];
    char text[16] = "";
    snprintf(path, sizeof(path), DEVICES "/%.255s/%s", device, file);
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
            !strncmp(text, value, strlen(value));
}

/* Lets the device answer to its addresses. */
static void enable(const char *device)
{
    char path[PATH_SIZE];
    if (has_value(device, "enable", "0")) {
        snprintf(path, sizeof(path), DEVICES "/%.255s/enable", device);
        AUTOCLOSE int fd = open(path, O_WRONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? 0 : write(fd, "1", 1);
        (void)n; /* else the mapping reads as ones: no magic */
    }
}

/* Its memory; write-combining where there is a choice, since arm64 allows
 * nothing but aligned words in the other. */
static int open_memory(const char *device)
{
    char path[PATH_SIZE];
    snprintf(path, sizeof(path), DEVICES "/%.255s/resource2_wc", device);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) {
        snprintf(path, sizeof(path), DEVICES "/%.255s/resource2", device);
        fd = open(path, O_RDWR | O_CLOEXEC);
    }
    return fd;
}

static uint64_t read_id(int fd)
{
    void *p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    if (p == MAP_FAILED) {
        return 0;
    }
    const uint8_t *page = p;
    uint64_t id = 0;
    if (!memcmp(page, PH_HXFR_REGION_MAGIC, sizeof(PH_HXFR_REGION_MAGIC))) {
        id = ph_load_u64(page + sizeof(PH_HXFR_REGION_MAGIC));
    }
    munmap(p, PAGE);
    return id;
}

int ph_region_open_bar(uint64_t *id)
{
    DIR *dir = opendir(DEVICES);
    int found = -1;
    for (struct dirent *e; dir && found < 0 && (e = readdir(dir)) != NULL;) {
        if (!has_value(e->d_name, "vendor", "0x1af4\n") ||
                !has_value(e->d_name, "device", "0x1110\n")) {
            continue;
        }
        enable(e->d_name);
        AUTOCLOSE int fd = open_memory(e->d_name);
        *id = fd < 0 ? 0 : read_id(fd);
        if (*id) {
            found = ph_steal_fd(&fd);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return found;
}
