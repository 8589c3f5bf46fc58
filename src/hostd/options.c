/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "hostd/options.h"

#include "common/macros.h"

const struct ph_hostd_options ph_hostd_defaults = {
        .fd = UINT32_MAX,
        .encoder = "auto",
        .bitrate = 8000000,
        .memory = UINT64_C(1) << 30,
        .max_guests = 256,
        .stats = UINT32_MAX,
};

#define AT(member) offsetof(struct ph_hostd_options, member)

static const struct ph_opt opts[] = {
        {'l', "listen", "ENDPOINT", PH_OPT_LIST, AT(listen), 0, 0, NULL,
                "tcp:HOST:PORT, unix:PATH, vsock:any:PORT, or virtio-serial:\n"
                "PATH, the socket that a chardev of QEMU connects to; may be\n"
                "given several times, port 0 picks a free one (default\n"
                "tcp:127.0.0.1:15937)"},
        {0, "fd", "N", PH_OPT_U32, AT(fd), 0, 65535, NULL,
                "serve only the guest connected to this inherited socket,\n"
                "and end with it"},
        {0, "vhost-user-vsock", "PATH", PH_OPT_LIST, AT(vhost_user_vsock), 0, 0,
                NULL,
                "be the vsock device of the QEMU that connects to this unix\n"
                "socket (-device vhost-user-vsock-pci); its guest reaches us\n"
                "as vsock:2:15937; once for each virtual machine (Linux)"},
        {0, "ivshmem", "PATH", PH_OPT_LIST, AT(ivshmem), 0, 0, NULL,
                "the file behind a virtual machine's ivshmem device (-object\n"
                "memory-backend-file,share=on): its pictures are encoded\n"
                "where they are drawn; made with 64 MiB if it is not there"},
        {0, "share", "FOLDER", PH_OPT_LIST, AT(share), 0, 0, NULL,
                "a folder that a virtual machine has mounted (9p, virtiofs):\n"
                "pixels come through files in it"},
        {'e', "encoder", "NAME", PH_OPT_STRING, AT(encoder), 0, 0,
                "PORTHOLE_ENCODER",
                "auto takes the first that works here (default auto)"},
        {0, "list-encoders", NULL, PH_OPT_FLAG, AT(list_encoders), 0, 0, NULL,
                "try each encoder of this build, say how it did, and end"},
        {'b', "bitrate", "BIT/S", PH_OPT_QUANTITY, AT(bitrate), 10000,
                1000000000, NULL,
                "the most over a second for each guest that does not ask\n"
                "for another (default 8M)"},
        {0, "memory", "BYTES", PH_OPT_MEMORY, AT(memory), 16 << 20,
                UINT64_C(1) << 40, NULL,
                "what all guests together may make the host hold; a frame\n"
                "over it is refused (default 1G)"},
        {0, "max-guests", "N", PH_OPT_U32, AT(max_guests), 1, 10000, NULL,
                "when one more comes, the one that was silent longest goes\n"
                "(default 256)"},
        {0, "stats", "SECONDS", PH_OPT_U32, AT(stats), 0, 86400, NULL,
                "say so often in the log what each guest does; 0 only on\n"
                "SIGUSR1 (default 60, with --fd 0)"},
        {0, "json", NULL, PH_OPT_FLAG, AT(json), 0, 0, NULL,
                "write that to standard output instead, as lines of JSON"},
};

const struct ph_opt_usage ph_hostd_usage = {
        .name = "porthole-hostd",
        .operands = "",
        .summary = "Encodes the frames of guests (virtual machines, "
                   "containers) on this host and\n"
                   "sends them the H.264 back, over Porthole's frame "
                   "protocol. Prints a line\n"
                   "'listening ENDPOINT' for each endpoint when it is ready.",
        .examples =
                "  porthole-hostd\n"
                "      for QEMU guests, which reach it as tcp:10.0.2.2:15937\n"
                "  porthole-hostd --listen unix:/run/user/1000/hostd.sock\n"
                "      for containers that this socket is mounted into\n"
                "  porthole-hostd --list-encoders\n"
                "      what this machine can encode with",
        .opts = opts,
        .count = PH_LEN(opts),
};
