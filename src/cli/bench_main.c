/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* porthole-bench: `porthole bench` alone, without libsoup: small enough for a
 * guest that has nothing else. */
#include "cli/command.h"
#include "common/log.h"

int main(int argc, char **argv)
{
    ph_log_init("porthole-bench");
    return ph_bench_main(argc, argv);
}
