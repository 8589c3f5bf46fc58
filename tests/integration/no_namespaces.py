#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs a command as root where user namespaces are refused, as in Docker.

usage: no_namespaces.py all|one COMMAND...   (as root)

all: every user id exists there. one: only root's.
"""
import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000


def inside(ready, go, command):
    if ctypes.CDLL(None).unshare(CLONE_NEWUSER) != 0:
        sys.exit("cannot make a user namespace to begin with")
    os.write(ready, b"x")
    os.read(go, 1)
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    with open("/proc/sys/user/max_user_namespaces", "w") as limit:
        limit.write("0")
    os.execvp(command[0], command)


def main():
    ids = "0 0 65536\n" if sys.argv[1] == "all" else "0 0 1\n"
    ready = os.pipe()
    go = os.pipe()
    child = os.fork()
    if child == 0:
        inside(ready[1], go[0], sys.argv[2:])
    os.read(ready[0], 1)
    for name in ("uid_map", "gid_map"):
        with open(f"/proc/{child}/{name}", "w") as file:
            file.write(ids)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, _: os.kill(child, got))
    os.write(go[1], b"x")
    status = os.waitpid(child, 0)[1]
    sys.exit(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    main()
