/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* A compositor that stands still must not make others stand still. */
#include "deskd/wayland.h"

#include <stdlib.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/net.h"

#include "check.h"

static bool connect_within(const char *name, int64_t ms, char error[256])
{
    struct ph_wayland w;
    bool ok = ph_wayland_connect(&w, name, ph_deadline_ms(ms), error, 256);
    CHECK(ok || !w.display);
    return ok;
}

/* Each try is in its backlog for ever, which is full some time. */
static void test_hung(const char *dir)
{
    enum {
        BACKLOG = 4
    };
    struct ph_endpoint ep = {.kind = PH_ENDPOINT_UNIX};
    char error[256];
    snprintf(ep.address, sizeof(ep.address), "%s/hung", dir);
    int listener = ph_net_listen(&ep, BACKLOG);
    int64_t begun = ph_clock_ns();
    for (int i = 0; i <= BACKLOG; i++) {
        CHECK(!connect_within("hung", 20, error));
        CHECK_STR(error, "the Wayland compositor does not answer");
    }
    CHECK(!connect_within(ep.address, 20, error));
    CHECK(strstr(error, "timed out") != NULL);
    CHECK(ph_clock_ns() - begun < 3 * PH_NS_PER_S); /* a single one took that */
    close(listener);
    unlink(ep.address);
}

static void test_absent(void)
{
    char error[256];
    char longest[300];
    CHECK(!connect_within("nobody", 1000, error));
    CHECK(strstr(error, "display nobody: No such file") != NULL);
    memset(longest, 'x', sizeof(longest));
    longest[sizeof(longest) - 1] = 0;
    CHECK(!connect_within(longest, 1000, error));
    unsetenv("XDG_RUNTIME_DIR");
    CHECK(!connect_within("nobody", 1000, error));
}

int main(void)
{
    char dir[] = "/tmp/porthole-test-wayland-XXXXXX";
    CHECK(mkdtemp(dir) != NULL);
    setenv("XDG_RUNTIME_DIR", dir, 1);
    test_hung(dir);
    test_absent();
    rmdir(dir);
    return CHECK_DONE();
}
