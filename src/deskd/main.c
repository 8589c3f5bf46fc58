/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* porthole-deskd: one desktop for many browsers. */
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/log.h"
#include "common/macros.h"
#include "deskd/app.h"
#include "deskd/glog.h"
#include "deskd/options.h"

/* A descriptor a viewer: the usual 1024 are few. */
static void raise_descriptor_limit(void)
{
    enum {
        WANTED = 65536
    };
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = PH_MIN(limit.rlim_max, (rlim_t)WANTED);
        setrlimit(RLIMIT_NOFILE, &limit);
    }
}

int main(int argc, char **argv)
{
    struct ph_deskd_options options = ph_deskd_defaults;
    int operands = 0;
    char error[512];
    ph_log_init("porthole-deskd");
    int code = ph_opt_main(&ph_deskd_usage, argc, argv, &options, &operands);
    if (code >= 0) {
        return code;
    }
    if (operands > 0) {
        snprintf(error, sizeof(error), "unexpected operand '%s'", argv[0]);
        code = 2;
    } else if (!ph_deskd_options_check(&options, error, sizeof(error))) {
        code = 2;
    }
    if (code == 2) {
        fprintf(stderr, "porthole-deskd: %s\nTry 'porthole-deskd --help'.\n",
                error);
        return code;
    }
    signal(SIGPIPE, SIG_IGN);
    ph_glog_init();
    raise_descriptor_limit();
    return ph_app_run(&options);
}
