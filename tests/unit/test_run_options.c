/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "cli/run.h"

#include "check.h"
#include "common/macros.h"

struct parsed {
    struct ph_run_options opts;
    enum ph_opt_result result;
    int operands;
    char *argv[16];
    char error[256];
};

static struct parsed parse(const char *const *args)
{
    static char text[16][128];
    struct parsed p = {.opts = ph_run_defaults};
    int argc = 0;
    p.argv[argc++] = (char *)"run";
    for (; *args; args++, argc++) {
        snprintf(text[argc], sizeof(text[argc]), "%s", *args);
        p.argv[argc] = text[argc];
    }
    p.result = ph_opt_parse(&ph_run_usage, argc, p.argv, &p.opts, &p.operands,
            p.error, sizeof(p.error));
    return p;
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void test_defaults(void)
{
    struct parsed p = PARSE("--");
    CHECK_EQ(p.result, PH_OPT_OK);
    CHECK_EQ(p.operands, 0);
    CHECK_STR(p.opts.desktop, "sway");
    CHECK_EQ(p.opts.size.width, 1920);
    CHECK_EQ(p.opts.size.height, 1080);
    CHECK_EQ(p.opts.fps, 60);
    CHECK_EQ(p.opts.bitrate, 0);
    CHECK_STR(p.opts.host, "local");
    CHECK_STR(p.opts.layout, "us");
    CHECK(p.opts.http == NULL && p.opts.encoder == NULL);
    CHECK(p.opts.cursor == NULL && p.opts.downloads == NULL);
    CHECK(!p.opts.open && !p.opts.once);
}

static void test_values(void)
{
    struct parsed p = PARSE("--size=1280x720", "--fps", "30", "--bitrate", "8M",
            "--once", "-l", "de", "--cursor=client", "--downloads=none", "--",
            "foot", "--server");
    CHECK_EQ(p.result, PH_OPT_OK);
    CHECK_EQ(p.opts.size.width, 1280);
    CHECK_EQ(p.opts.size.height, 720);
    CHECK_EQ(p.opts.fps, 30);
    CHECK_EQ(p.opts.bitrate, 8000000);
    CHECK(p.opts.once);
    CHECK_STR(p.opts.layout, "de");
    CHECK_STR(p.opts.cursor, "client");
    CHECK_STR(p.opts.downloads, "none");
    CHECK_EQ(p.operands, 2);
    CHECK_STR(p.argv[0], "foot");
    CHECK_STR(p.argv[1], "--server");
}

static void test_refused(void)
{
    CHECK_EQ(PARSE("--size", "1920").result, PH_OPT_INVALID);
    CHECK_EQ(PARSE("--size", "8193x100").result, PH_OPT_INVALID);
    CHECK_EQ(PARSE("--fps", "0").result, PH_OPT_INVALID);
    CHECK_EQ(PARSE("--fps", "241").result, PH_OPT_INVALID);
    CHECK_EQ(PARSE("--bitrate", "5").result, PH_OPT_INVALID);
    CHECK_EQ(PARSE("--cursor", "mouse").result, PH_OPT_INVALID);
    CHECK_EQ(PARSE("--keepalive", "keys").result, PH_OPT_INVALID);
    CHECK_EQ(PARSE("--no-such").result, PH_OPT_INVALID);
}

static void test_http(void)
{
    static const char *const bad[] = {"", ":", "8080", "localhost", "[::1]",
            "[::1]:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:80x",
            ":8080"};
    struct ph_endpoint ep;
    char error[256];
    CHECK(ph_run_parse_http("0.0.0.0:80", &ep, error, sizeof(error)));
    CHECK_EQ(ep.port, 80);
    CHECK_STR(ep.address, "0.0.0.0");
    CHECK(ph_run_parse_http("[::1]:8080", &ep, error, sizeof(error)));
    CHECK_STR(ep.address, "::1");
    for (size_t i = 0; i < PH_LEN(bad); i++) {
        if (!CHECK(!ph_run_parse_http(bad[i], &ep, error, sizeof(error)))) {
            fprintf(stderr, "  taken: '%s'\n", bad[i]);
        }
    }
}

static void test_pointer(void)
{
    struct ph_run_options o = ph_run_defaults;
    char error[256];
    CHECK(ph_run_check_pointer(&o, "wlr", error, sizeof(error)));
    o.cursor = "client";
    CHECK(!ph_run_check_pointer(&o, "wlr", error, sizeof(error)));
    CHECK(ph_run_check_pointer(&o, "x11", error, sizeof(error)));
    o.keepalive = "pointer";
    CHECK(!ph_run_check_pointer(&o, "mutter", error, sizeof(error)));
    o.cursor = NULL;
    CHECK(ph_run_check_pointer(&o, "mutter:virtual", error, sizeof(error)));
    CHECK(!ph_run_check_pointer(&o, "wlr", error, sizeof(error)));
    o.keepalive = "none";
    CHECK(ph_run_check_pointer(&o, "wlr", error, sizeof(error)));
}

static void test_host(void)
{
    struct ph_run_options o = ph_run_defaults;
    char error[256];
    o.encoder = "libx264";
    CHECK(ph_run_check_host(&o, error, sizeof(error)));
    o.host = "none";
    CHECK(ph_run_check_host(&o, error, sizeof(error)));
    o.host = "tcp:10.0.2.2:15937";
    CHECK(!ph_run_check_host(&o, error, sizeof(error)));
    o.encoder = NULL;
    CHECK(ph_run_check_host(&o, error, sizeof(error)));
    o.host = "somewhere";
    CHECK(!ph_run_check_host(&o, error, sizeof(error)));
}

int main(void)
{
    test_host();
    test_pointer();
    test_defaults();
    test_values();
    test_refused();
    test_http();
    return CHECK_DONE();
}
