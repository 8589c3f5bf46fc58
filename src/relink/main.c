/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <signal.h>
#include <stdio.h>

#include "relink/apply.h"
#include "relink/check.h"
#include "relink/move.h"
#include "relink/options.h"
#define LOG_MODULE "main"
#include "common/log.h"

static void on_signal(int number)
{
    ph_apply_interrupt();
}

static int run_check(const struct ph_relink_options *o)
{
    struct ph_check check;
    bool ok = ph_check_run(&check, o->check);
    if (ok && o->json) {
        ok = ph_check_json(stdout, &check);
    } else if (ok) {
        ph_check_text(stdout, &check);
        ok = fflush(stdout) == 0;
    }
    ok = ok && check.problems == 0;
    ph_check_finish(&check);
    return ok ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct ph_relink_options options = ph_relink_defaults;
    int operands = 0;
    ph_log_init("porthole-relink");
    int code = ph_opt_main(&ph_relink_usage, argc, argv, &options, &operands);
    if (code >= 0) {
        return code;
    }
    const char *error = ph_relink_options_check(&options, operands);
    if (error) {
        fprintf(stderr, "porthole-relink: %s\nTry 'porthole-relink --help'.\n",
                error);
        return 2;
    }
    if (options.check) {
        return run_check(&options);
    }
    /* The first one ends the move in good order, the next one at once. */
    struct sigaction sa = {
            .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
    return ph_move_run(&options, argv, (size_t)operands);
}
