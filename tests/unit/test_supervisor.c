/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/supervisor.h"

#include <stdlib.h>
#include <unistd.h>

#include "check.h"
#include "common/macros.h"

static char dir[] = "/tmp/ph-supervisor-XXXXXX";

/* Starts a shell with this script; "": it did not become ready. */
static const char *ready_line(const char *script, const char *ready)
{
    static struct ph_supervisor s;
    static struct ph_service service;
    const char *const argv[] = {"sh", "-c", script, NULL};
    ph_supervisor_init(&s, dir);
    service = (struct ph_service){
            .name = "service", .child = {.argv = argv}, .ready = ready};
    bool started = ph_supervisor_start(&s, &service);
    ph_supervisor_stop(&s);
    return started ? service.ready_line : "";
}

static void test_ready(void)
{
    CHECK_STR(
            ready_line("echo no; echo 'up: 1'; exec sleep 9", "up: "), "up: 1");
    /* A child of sway's was in the middle of a line. */
    CHECK_STR(ready_line("printf 'I am '; echo 'up: 2'; exec sleep 9", "up: "),
            "up: 2");
    /* One that was ready is, also when it has ended meanwhile. */
    for (int i = 0; i < 20; i++) {
        CHECK_STR(ready_line("echo 'up: 3'", "up: "), "up: 3");
    }
    CHECK_STR(ready_line("echo 7 up; echo 42; exec sleep 9", PH_SERVICE_NUMBER),
            "42");
}

int main(void)
{
    if (!CHECK(mkdtemp(dir))) {
        return CHECK_DONE();
    }
    char log[sizeof(dir) + 16];
    snprintf(log, sizeof(log), "%s/service.log", dir);
    test_ready();
    CHECK_EQ(unlink(log), 0);
    CHECK_EQ(rmdir(dir), 0);
    return CHECK_DONE();
}
