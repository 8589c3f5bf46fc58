/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* porthole: the command that people type. */
#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "common/log.h"
#include "common/macros.h"

#ifndef PH_HAVE_BENCH
#define ph_bench_main NULL
#endif
#ifndef PH_HAVE_RUN
#define ph_run_main NULL
#endif
#ifndef PH_HAVE_STREAM
#define ph_stream_main NULL
#endif

static int help_main(int argc, char **argv);
static int version_main(int argc, char **argv);

static const struct ph_command commands[] = {
        {"run", "start a desktop and serve it to browsers", ph_run_main,
                "desktops run on Linux"},
        {"stream", "receive a desktop and measure it, without a browser",
                ph_stream_main, "it was built without libsoup 3"},
        {"bench", "send pictures to a host and measure it", ph_bench_main,
                "it was built without libyuv"},
        {"doctor", "say what is installed here and what is missing",
                ph_doctor_main, NULL},
        {"help", "say more about a command: porthole help run", help_main,
                NULL},
        {"version", "print the version", version_main, NULL},
};

static void print_commands(FILE *out)
{
    fprintf(out,
            "Usage: porthole COMMAND [OPTIONS]\n\n"
            "Shows and drives a Linux desktop in any web browser.\n\n"
            "Commands:\n");
    for (size_t i = 0; i < PH_LEN(commands); i++) {
        fprintf(out, "  %-10s %s\n", commands[i].name, commands[i].summary);
    }
    fprintf(out,
            "\n'porthole COMMAND --help' lists the options of one.\n\n"
            "Examples:\n"
            "  porthole run                   a terminal, in the browser\n"
            "  porthole run -- firefox-esr    another program instead\n"
            "  porthole stream --duration 10  measure the desktop that runs\n");
}

static const struct ph_command *find(const char *name)
{
    for (size_t i = 0; i < PH_LEN(commands); i++) {
        if (!strcmp(commands[i].name, name)) {
            return &commands[i];
        }
    }
    return NULL;
}

static int run_command(const char *name, int argc, char **argv)
{
    const struct ph_command *command = find(name);
    if (!command) {
        fprintf(stderr,
                "porthole: there is no command '%s'\n"
                "Try 'porthole help'.\n",
                name);
        return 2;
    }
    if (!command->run) {
        fprintf(stderr, "porthole: '%s' is not in this program: %s\n", name,
                command->missing);
        return 1;
    }
    return command->run(argc, argv);
}

static int help_main(int argc, char **argv)
{
    char help[] = "--help";
    if (argc < 2 || argv[1][0] == '-' || !strcmp(argv[1], "help")) {
        print_commands(stdout);
        return 0;
    }
    char *args[] = {argv[1], help, NULL};
    return run_command(argv[1], 2, args);
}

static int version_main(int argc, char **argv)
{
    printf("porthole %s\n", PH_VERSION);
    return 0;
}

int main(int argc, char **argv)
{
    ph_log_init("porthole");
    if (argc < 2) {
        print_commands(stderr);
        return 2;
    }
    const char *name = argv[1];
    if (!strcmp(name, "--help") || !strcmp(name, "-h")) {
        name = "help";
    } else if (!strcmp(name, "--version")) {
        name = "version";
    }
    return run_command(name, argc - 1, argv + 1);
}
