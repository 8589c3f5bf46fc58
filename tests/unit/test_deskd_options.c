/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "deskd/options.h"

#include "check.h"
#include "common/macros.h"

#define MAX_ARGS 12

/* Parses "--a b --c d"; false with error filled when it is refused. */
static bool parse(const char *line, struct ph_deskd_options *o, char error[256])
{
    static char text[512]; /* what the options point into */
    char *argv[MAX_ARGS] = {text};
    int argc = 1;
    int operands = 0;
    snprintf(text, sizeof(text), "deskd %s", line);
    for (char *c = text; *c; c++) {
        if (*c == ' ') {
            *c = 0;
            argv[argc++] = c + 1;
        }
    }
    *o = ph_deskd_defaults;
    error[0] = 0;
    return ph_opt_parse(&ph_deskd_usage, argc, argv, o, &operands, error,
                   256) == PH_OPT_OK &&
            operands == 0 && ph_deskd_options_check(o, error, 256);
}

static void test_good(void)
{
    struct ph_deskd_options o;
    char error[256];
    CHECK(parse("--fps 60", &o, error));
    CHECK_STR(o.http_endpoint.address, "127.0.0.1");
    CHECK_EQ(o.http_endpoint.port, 8080);
    CHECK(o.local_host);
    CHECK_EQ(o.max_viewers, 256);
    CHECK_EQ(o.fps, 60);

    CHECK(parse("--http [::1]:0 --host unix:/run/h --bitrate 8M", &o, error));
    CHECK_STR(o.http_endpoint.address, "::1");
    CHECK_EQ(o.http_endpoint.port, 0);
    CHECK(!o.local_host);
    CHECK_EQ(o.host_endpoint.kind, PH_ENDPOINT_UNIX);
    CHECK_EQ(o.bitrate, 8000000);

    CHECK(parse("--capture test --size 640x480 --host tcp:h:1 --stats "
                "--allow-host a --allow-host b:1",
            &o, error));
    CHECK_EQ(o.size.width, 640);
    CHECK_EQ(o.host_endpoint.port, 1);
    CHECK_EQ(o.allow_host.count, 2);
    CHECK(o.stats);
    CHECK_EQ(o.cursor_kind, PH_DESKTOP_CURSOR_AUTO);
    CHECK(parse("--cursor embedded", &o, error));
    CHECK_EQ(o.cursor_kind, PH_DESKTOP_CURSOR_EMBEDDED);
    CHECK(parse("--cursor client", &o, error));
    CHECK_EQ(o.cursor_kind, PH_DESKTOP_CURSOR_CLIENT);
    CHECK_EQ(o.keepalive_kind, PH_DESKTOP_KEEPALIVE_NONE);
    CHECK(parse("--capture mutter --keepalive pointer", &o, error));
    CHECK_EQ(o.keepalive_kind, PH_DESKTOP_KEEPALIVE_POINTER);
    CHECK_EQ(o.cursor_kind, PH_DESKTOP_CURSOR_EMBEDDED);

    CHECK(parse("--output DP-1 --output all-of-it", &o, error));
    CHECK_EQ(o.output.count, 2);
    CHECK(!o.all_outputs);
    CHECK(parse("--output all", &o, error));
    CHECK(o.all_outputs);
}

static void test_bad(void)
{
    static const char *const lines[] = {"--http 127.0.0.1", "--http 8080",
            "--http :8080", "--http [::1]", "--http h:70000",
            "--http h:", "--host 10.0.2.2",
            "--host tcp:", "--host unix:", "--fps 0", "--fps 241", "--size 0x5",
            "--size 9000x5", "--bitrate 9", "--max-viewers 0", "--capture beos",
            "--cursor mouse", "--keepalive", "--keepalive keys",
            "--capture wlr --keepalive pointer",
            "--capture mutter --keepalive pointer --cursor client",
            "--output=", "--output a --output a", "--output all --output a",
            "--nonsense", "operand"};
    for (size_t i = 0; i < PH_LEN(lines); i++) {
        struct ph_deskd_options o;
        char error[256];
        if (!CHECK(!parse(lines[i], &o, error))) {
            fprintf(stderr, "accepted: %s\n", lines[i]);
        }
        CHECK(error[0] || !strcmp(lines[i], "operand"));
    }
}

int main(void)
{
    test_good();
    test_bad();
    return CHECK_DONE();
}
