/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "link/serial.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/net.h"
#include "common/parse.h"

#define CLASS "/sys/class/virtio-ports"

/* The name that the host gave a port: of the file, without the newline. */
static bool read_name(const char *path, char *out, size_t size)
{
    AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, out, size - 1);
    if (n <= 0) {
        return false;
    }
    out[n] = 0;
    out[strcspn(out, "\n")] = 0;
    return true;
}

static bool is_ours(const char *name)
{
    uint32_t number = 0;
    size_t len = strlen(PH_SERIAL_PREFIX);
    return !strncmp(name, PH_SERIAL_PREFIX, len) &&
            ph_parse_u32(name + len, 0, UINT16_MAX, &number);
}

/* Calls with the device and the name of each port of ours, until true. */
static bool each_port(
        bool (*use)(const char *dev, const char *name, void *data), void *data)
{
    DIR *dir = opendir(CLASS);
    bool done = false;
    for (struct dirent *e; dir && !done && (e = readdir(dir)) != NULL;) {
        char path[sizeof(CLASS) + NAME_MAX + sizeof("//name")];
        char name[128];
        if (e->d_name[0] == '.') {
            continue;
        }
        snprintf(path, sizeof(path), CLASS "/%s/name", e->d_name);
        if (read_name(path, name, sizeof(name)) && is_ours(name)) {
            snprintf(path, sizeof(path), "/dev/%s", e->d_name);
            done = use(path, name, data);
        }
    }
    if (dir) {
        closedir(dir);
    }
    return done;
}

struct search {
    const char *name;
    char dev[PATH_MAX];
};

static bool has_name(const char *dev, const char *name, void *data)
{
    struct search *s = data;
    if (strcmp(name, s->name) != 0) {
        return false;
    }
    snprintf(s->dev, sizeof(s->dev), "%s", dev);
    return true;
}

/* Whatever the path was: what the device itself is called counts. */
static bool check_name(int fd, char *why, size_t size)
{
    struct stat st;
    char path[64];
    char name[128];
    if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode)) {
        snprintf(why, size, "it is no device");
        return false;
    }
    snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/name", major(st.st_rdev),
            minor(st.st_rdev));
    if (!read_name(path, name, sizeof(name))) {
        snprintf(why, size, "it is no virtio-serial port");
        return false;
    }
    if (!is_ours(name)) {
        snprintf(why, size, "the port's name is %.40s: only %sN are ours", name,
                PH_SERIAL_PREFIX);
        return false;
    }
    return true;
}

int ph_serial_open(const char *what, char *why, size_t size)
{
    struct search s = {.name = what};
    if (!strchr(what, '/')) {
        if (!each_port(has_name, &s)) {
            snprintf(why, size, "this machine has no such port");
            return -1;
        }
        what = s.dev;
    }
    AUTOCLOSE int fd = open(what, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0) {
        snprintf(why, size, "%s%s", strerror(errno),
                errno == EBUSY ? ": somebody uses it (one guest a port)" : "");
        return -1;
    }
    return check_name(fd, why, size) && ph_net_adopt(fd) ? ph_steal_fd(&fd)
                                                         : -1;
}

struct choice {
    char *out;
    size_t size;
};

static bool take_free(const char *dev, const char *name, void *data)
{
    struct choice *c = data;
    int fd = open(dev, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    bool is_free = fd >= 0;
    ph_close(&fd);
    if (is_free || !c->out[0]) {
        snprintf(c->out, c->size, "%s", name);
    }
    return is_free;
}

bool ph_serial_find(char *out, size_t size)
{
    struct choice c = {out, size};
    out[0] = 0;
    each_port(take_free, &c);
    return out[0] != 0;
}
