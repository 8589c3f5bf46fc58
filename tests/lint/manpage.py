#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A program's manual page names each option of its --help, and no others.

usage: manpage.py PROGRAM PAGE.scd

For a program of commands (`porthole`), the help of each command counts too.
"""
import pathlib
import re
import subprocess
import sys

OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")


def help_of(*command):
    done = subprocess.run([*command, "--help"], text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} --help ended with {done.returncode}")
    return done.stdout


def main():
    program, page = sys.argv[1:]
    text = help_of(program)
    options = set(OPTION.findall(text))
    # "commands:", then an indented name a line.
    block = re.search(r"(?im)^commands:\n((?:[ \t]+.*\n)+)", text)
    for line in block.group(1).splitlines() if block else []:
        command = re.match(r"\s+([a-z][\w-]*)\s", line + " ")
        if command and command.group(1) != "help":
            options |= set(OPTION.findall(help_of(program,
                                                  command.group(1))))
    source = pathlib.Path(page).read_text(encoding="utf-8")
    named = set(OPTION.findall(source.replace("\\-", "-")))
    missing = sorted(options - named)
    unknown = sorted(named - options - {"--help", "--version"})
    print(f"{page}: {len(options)} options")
    if missing:
        print("missing in the page:", *missing)
    if unknown:
        print("in the page, not in --help:", *unknown)
    return 1 if missing or unknown or not options else 0


if __name__ == "__main__":
    sys.exit(main())
