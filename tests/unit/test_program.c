/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/program.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"

static char folder[] = "/tmp/porthole-test-XXXXXX";
static char program[128];

static void test_libexec(void)
{
    char out[256];
    setenv("PORTHOLE_LIBEXEC", folder, 1);
    CHECK(ph_program_find("porthole-x", out, sizeof(out)));
    CHECK_STR(out, program);
    CHECK(!ph_program_find("porthole-y", out, sizeof(out)));
    CHECK_STR(out, "");
    /* A file that cannot be run and a folder are no programs. */
    CHECK_EQ(chmod(program, S_IRUSR), 0);
    CHECK(!ph_program_find("porthole-x", out, sizeof(out)));
    CHECK_EQ(chmod(program, S_IRWXU), 0);
    CHECK(!ph_program_find("..", out, sizeof(out)));
    /* No room for the whole path. */
    CHECK(!ph_program_find("porthole-x", out, strlen(program)));
    CHECK(ph_program_find("porthole-x", out, strlen(program) + 1));
    unsetenv("PORTHOLE_LIBEXEC");
}

static void test_path(void)
{
    char out[256];
    char path[256];
    snprintf(path, sizeof(path), ":/nowhere::%s:", folder);
    setenv("PATH", path, 1);
    CHECK(ph_program_find("porthole-x", out, sizeof(out)));
    CHECK_STR(out, program);
    setenv("PATH", "", 1);
    CHECK(!ph_program_find("porthole-x", out, sizeof(out)));
}

/* This program lies in tests/unit of the build folder, under this name. */
static void test_beside(void)
{
    char out[4096];
    CHECK(ph_program_find("test_program", out, sizeof(out)));
    CHECK(access(out, X_OK) == 0);
}

int main(void)
{
    if (!CHECK(mkdtemp(folder))) {
        return CHECK_DONE();
    }
    snprintf(program, sizeof(program), "%s/porthole-x", folder);
    int fd = open(program, O_WRONLY | O_CREAT | O_CLOEXEC, S_IRWXU);
    CHECK(fd >= 0);
    close(fd);
    unsetenv("PORTHOLE_LIBEXEC");
    test_libexec();
    test_path();
    test_beside();
    unlink(program);
    rmdir(folder);
    return CHECK_DONE();
}
