#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks that need to know how files are compiled.

usage: compiled.py tidy|headers BUILDDIR

tidy      clang-tidy over every source of the project that BUILDDIR compiles
headers   each header of src/ compiles alone, with the flags of its folder
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import subprocess
import sys

from files import ROOT, tracked


def commands(build):
    """{file relative to ROOT: its compile command} of our own C files."""
    found = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        path = (pathlib.Path(entry["directory"]) / entry["file"]).resolve()
        if path.is_relative_to(ROOT) and not path.is_relative_to(build):
            found.setdefault(str(path.relative_to(ROOT)), entry)
    return found


def run(command, **kwargs):
    return subprocess.run(command, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, **kwargs)


def tidy(build, name):
    done = run(["clang-tidy", "--quiet", "-p", str(build), name], cwd=ROOT)
    if done.returncode == 0:
        return None
    return "\n".join(line for line in done.stdout.splitlines()
                     if not line.endswith(" warnings generated."))


def flags_for(header, known):
    """Compiler and flags of a source beside the header, else the nearest."""
    folder = os.path.dirname(header)
    near = sorted(known, key=lambda name: (
        os.path.dirname(name) != folder,
        -len(os.path.commonprefix([name, header])), name))
    entry = known[near[0]]
    words = iter(shlex.split(entry["command"]))
    kept = []
    for word in words:
        if word in ("-o", "-MF", "-MQ"):
            next(words)
        elif word not in ("-c", "-MD") and not word.endswith(".c"):
            kept.append(word)
    return kept, entry["directory"]


def header(name, known):
    flags, directory = flags_for(name, known)
    text = f'#include "{name[len("src/"):]}"\n' * 2
    done = run([*flags, "-Werror", "-fsyntax-only", "-x", "c", "-"],
               input=text, cwd=directory)
    return f"{name} does not compile alone:\n{done.stdout}" \
        if done.returncode else None


def main():
    if len(sys.argv) != 3 or sys.argv[1] not in ("tidy", "headers"):
        print(__doc__)
        return 2
    build = pathlib.Path(sys.argv[2]).resolve()
    known = commands(build)
    if sys.argv[1] == "tidy":
        names = [n for n in known if n.startswith(("src/", "tests/"))]
        jobs = [lambda n=n: tidy(build, n) for n in names]
    else:
        names = [n for n in tracked(".h") if n.startswith("src/")]
        jobs = [lambda n=n: header(n, known) for n in names]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(lambda j: j(), jobs) if text]
    print("\n".join(found))
    print(f"{len(names)} files, {len(found)} with findings")
    return 1 if found or not names else 0


if __name__ == "__main__":
    sys.exit(main())
