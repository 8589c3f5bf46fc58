/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "common/opt.h"

#include <stdlib.h>

#include "common/macros.h"

#include "check.h"

struct options {
    bool verbose;
    const char *name;
    uint32_t fps;
    uint64_t bitrate;
    const char *color;
    struct ph_size size;
    struct ph_opt_list listen;
};

static const struct options defaults = {.name = "x", .fps = 60};

#define ROW(member) offsetof(struct options, member)
static const struct ph_opt opts[] = {
        {'v', "verbose", NULL, PH_OPT_FLAG, ROW(verbose), 0, 0, NULL, "more"},
        {0, "name", "NAME", PH_OPT_STRING, ROW(name), 0, 0, "TEST_NAME", "who"},
        {'f', "fps", "N", PH_OPT_U32, ROW(fps), 1, 240, "TEST_FPS", "rate"},
        {0, "bitrate", "B", PH_OPT_QUANTITY, ROW(bitrate), 1000, 1000000000,
                NULL, "bit/s"},
        {0, "color", "never|always|auto", PH_OPT_CHOICE, ROW(color), 0, 0, NULL,
                "paint"},
        {0, "size", "WxH", PH_OPT_SIZE, ROW(size), 1, 8192, NULL, "size"},
        {0, "listen", "EP", PH_OPT_LIST, ROW(listen), 0, 0, NULL, "where"},
};
static const struct ph_opt_usage usage = {
        "test", "[FILE]", "Tests.", NULL, opts, PH_LEN(opts)};

static struct options o;
static int operands;
static char error[256];
static char *args[32];

/* Parses a list that ends with NULL. */
static enum ph_opt_result parse(const char *const *list)
{
    int n = 1;
    args[0] = (char *)"test";
    for (; list[n - 1]; n++) {
        args[n] = (char *)list[n - 1];
    }
    o = defaults;
    error[0] = 0;
    return ph_opt_parse(&usage, n, args, &o, &operands, error, sizeof(error));
}
#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

static void test_valid(void)
{
    CHECK_EQ(parse((const char *const[]){NULL}), PH_OPT_OK);
    CHECK_EQ(o.fps, 60);
    CHECK_EQ(operands, 0);
    CHECK_EQ(PARSE("-v", "--name", "a", "--fps=30", "--bitrate", "8M", "b",
                     "--size", "640x480", "--listen", "l1", "--listen=l2",
                     "--color", "always"),
            PH_OPT_OK);
    CHECK(o.verbose);
    CHECK_STR(o.name, "a");
    CHECK_EQ(o.fps, 30);
    CHECK_EQ(o.bitrate, 8000000);
    CHECK_EQ(o.size.width, 640);
    CHECK_EQ(o.size.height, 480);
    CHECK_EQ(o.listen.count, 2);
    CHECK_STR(o.listen.items[1], "l2");
    CHECK_STR(o.color, "always");
    CHECK_EQ(operands, 1);
    CHECK_STR(args[0], "b");
    CHECK_EQ(PARSE("-f", "7", "--", "--verbose", "-"), PH_OPT_OK);
    CHECK_EQ(o.fps, 7);
    CHECK(!o.verbose);
    CHECK_EQ(operands, 2);
    CHECK_STR(args[0], "--verbose");
    CHECK_EQ(PARSE("--color=auto"), PH_OPT_OK);
    CHECK_EQ(PARSE("--color=never"), PH_OPT_OK);
    CHECK_EQ(PARSE("--name="), PH_OPT_OK);
    CHECK_STR(o.name, "");
    CHECK_EQ(PARSE("--help"), PH_OPT_HELP);
    CHECK_EQ(PARSE("-h", "--nonsense"), PH_OPT_HELP);
    CHECK_EQ(PARSE("--version"), PH_OPT_VERSION);
}

static void test_invalid(void)
{
    static const struct {
        const char *args[3];
        const char *says;
    } rows[] = {
            {{"--nope"}, "unknown option '--nope'"},
            {{"-x"}, "unknown option '-x'"},
            {{"-vf"}, "unknown option '-vf'"},
            {{"--verbose=1"}, "--verbose takes no value"},
            {{"--fps"}, "--fps needs a value: N"},
            {{"--fps", "0"}, "--fps: '0' is not a number from 1 to 240"},
            {{"--fps", "241"}, "--fps: '241' is not a number from 1 to 240"},
            {{"--fps", "1x"}, "--fps: '1x' is not a number from 1 to 240"},
            {{"--size", "0x5"},
                    "--size: '0x5' is not WxH with sides from 1 to 8192"},
            {{"--color", "maybe"},
                    "--color: 'maybe' is none of never|always|auto"},
            {{"--color", "always|"},
                    "--color: 'always|' is none of never|always|auto"},
            {{"--color="}, "--color: '' is none of never|always|auto"},
            {{"--bitrate", "1"},
                    "--bitrate: '1' is not a number from 1000 to 1000000000"},
    };
    for (size_t i = 0; i < PH_LEN(rows); i++) {
        CHECK_EQ(parse(rows[i].args), PH_OPT_INVALID);
        CHECK_STR(error, rows[i].says);
    }
    const char *many[40] = {0};
    for (size_t i = 0; i < 2 * (PH_OPT_LIST_MAX - 2); i += 2) {
        many[i] = "--listen";
        many[i + 1] = "x";
    }
    CHECK_EQ(parse(many), PH_OPT_OK);
}

static void test_environment(void)
{
    setenv("TEST_FPS", "24", 1);
    CHECK_EQ(parse((const char *const[]){NULL}), PH_OPT_OK);
    CHECK_EQ(o.fps, 24);
    CHECK_EQ(PARSE("--fps", "25"), PH_OPT_OK); /* the command line wins */
    CHECK_EQ(o.fps, 25);
    setenv("TEST_FPS", "fast", 1);
    CHECK_EQ(parse((const char *const[]){NULL}), PH_OPT_INVALID);
    CHECK(strstr(error, "from $TEST_FPS") != NULL);
    unsetenv("TEST_FPS");
}

static void test_help(void)
{
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    ph_opt_print_help(&usage, f);
    fclose(f);
    CHECK(strstr(text, "Usage: test [OPTIONS] [FILE]\n") == text);
    for (size_t i = 0; i < PH_LEN(opts); i++) {
        CHECK(strstr(text, opts[i].name) != NULL);
    }
    CHECK(strstr(text, "-f, --fps N") != NULL);
    CHECK(strstr(text, "($TEST_FPS)") != NULL);
    free(text);
}

int main(void)
{
    test_valid();
    test_invalid();
    test_environment();
    test_help();
    return CHECK_DONE();
}
