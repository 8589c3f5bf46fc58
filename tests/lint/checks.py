#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The project's own rules that no ready-made tool knows: checks.py NAME.

Each check yields "FILE:LINE: what is wrong"; docs/testing.md lists them.
"""
import os
import re
import subprocess
import sys

from files import ROOT, bare_c, read, scripts, tracked

RANK = {"common": 0, "proto": 1, "video": 2, "link": 3, "x11": 2}
PROGRAMS = ("hostd", "deskd", "cli", "relink", "vsockenc")
MAX_FILE = 600
MAX_FILE_JS = 300
MAX_FUNCTION = 80

BANNED = (
    "sprintf vsprintf strcpy strcat strncpy strncat strtok sscanf atoi atol "
    "atof strtol strtoul strtoll strtoull gmtime localtime ctime asctime "
    "gets alloca tmpnam mktemp"
).split()
# The one home of each: numbers are parsed there and nowhere else.
BANNED_HOME = {"src/common/parse.c"}

IMPURE_HEADERS = re.compile(
    r"sys/.*|unistd\.h|fcntl\.h|poll\.h|pthread\.h|errno\.h|signal\.h|"
    r"stdlib\.h|time\.h|common/(log|net|alloc|clock|cleanup|endpoint)\.h"
)
IMPURE_CALLS = re.compile(
    r"\b(malloc|calloc|realloc|free|ph_x\w*alloc|ph_xstrdup|printf|fprintf|"
    r"puts|fopen|fread|fwrite|read|write|LOG_(ERR|WARN|INFO|DBG)\w*)\s*\("
)


def c_files(*folders):
    return [f for f in tracked(".c", ".h") if f.startswith(folders)]


def lines_of(text):
    return enumerate(text.split("\n"), 1)


def includes(name):
    for number, line in lines_of(read(name)):
        match = re.match(r'\s*#\s*include\s+([<"])([^>"]+)', line)
        if match:
            yield number, match.group(1) == '"', match.group(2)


def check_layers():
    """Program -> link -> video -> proto -> common; programs stay apart."""
    for name in c_files("src/"):
        own = name.split("/")[1]
        for number, quoted, target in includes(name):
            if not quoted or "/" not in target:
                continue  # a system header, or one that a tool generated
            other = target.split("/")[0]
            if other == own:
                continue
            if other not in RANK:
                yield f"{name}:{number}: includes {target}, of a program" \
                    if other in PROGRAMS else \
                    f"{name}:{number}: includes {target}, of no known layer"
            elif own in RANK and RANK[other] >= RANK[own]:
                yield f"{name}:{number}: {own} is below {other}, and " \
                    f"includes {target}"


def check_pure():
    """src/proto does no I/O, no allocation and no logging."""
    for name in c_files("src/proto/"):
        for number, _, target in includes(name):
            if IMPURE_HEADERS.fullmatch(target):
                yield f"{name}:{number}: a pure codec includes {target}"
        for number, line in lines_of(bare_c(read(name))):
            match = IMPURE_CALLS.search(line)
            if match:
                yield f"{name}:{number}: a pure codec calls {match.group(1)}"


def check_portable():
    """Only *_linux.c (and deskd, vsockenc) use what only Linux has."""
    linux_only = re.compile(
        r"linux/.*|sys/(epoll|eventfd|timerfd|signalfd|inotify|prctl|"
        r"sendfile|vfs)\.h|(endian|byteswap)\.h"
    )
    for name in c_files("src/"):
        if name.split("/")[1] in ("deskd", "vsockenc") or "_linux." in name:
            continue
        for number, _, target in includes(name):
            if linux_only.fullmatch(target):
                yield f"{name}:{number}: {target} is Linux only: move it " \
                    "into a *_linux.c"


def functions(name):
    """(first line, name, length) of each function, as clang-format lays
    them out: braces alone in the first column."""
    lines = bare_c(read(name)).split("\n")
    start = None
    for index, line in enumerate(lines):
        if line == "{":
            start = index
        elif line == "}" and start is not None:
            head = " ".join(lines[max(0, start - 6):start])
            called = re.findall(r"\b([A-Za-z_]\w*)\s*\(", head)
            yield start + 1, called[-1] if called else "?", index - start + 1
            start = None


def check_sizes():
    """No file over 600 lines (JavaScript: 300), no C function over 80."""
    kinds = (".c", ".h", ".py", ".sh", ".js", ".mjs", ".css", ".html", ".scd",
             ".build")
    for name in sorted(set(tracked(*kinds)) | set(scripts())):
        count = read(name).count("\n")
        most = MAX_FILE_JS if name.endswith((".js", ".mjs")) else MAX_FILE
        if count > most:
            yield f"{name}:{count}: {count} lines, more than {most}"
        if name.endswith(".c"):
            for number, function, length in functions(name):
                if length > MAX_FUNCTION:
                    yield f"{name}:{number}: {function} has {length} " \
                        f"lines, more than {MAX_FUNCTION}"


def check_banned():
    """No call of a function that style.md bans."""
    pattern = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")
    for name in c_files("src/", "tests/"):
        if name in BANNED_HOME:
            continue
        for number, line in lines_of(bare_c(read(name))):
            for match in pattern.finditer(line):
                yield f"{name}:{number}: {match.group(1)} is banned"


def check_spdx():
    """Every source file says its licence in its first lines."""
    kinds = (".c", ".h", ".py", ".sh", ".js", ".mjs", ".css", ".html",
             ".build", ".scd")
    for name in sorted(set(tracked(*kinds)) | set(scripts())):
        head = read(name).split("\n")[:3]
        if not any("SPDX-License-Identifier: LGPL-2.1-or-later" in line
                   for line in head):
            yield f"{name}:1: no SPDX-License-Identifier line at its head"


def check_includes():
    """Headers begin with #pragma once; a .c has its own header first."""
    for name in c_files("src/"):
        if name.endswith(".h"):
            if "\n#pragma once\n" not in read(name):
                yield f"{name}:1: no #pragma once"
            continue
        own = name[len("src/"):-1] + "h"
        if (ROOT / "src" / own).is_file():
            first = next(((n, t) for n, _, t in includes(name)), (1, ""))
            if first[1] != own:
                yield f"{name}:{first[0]}: its own header {own} is not the " \
                    "first include"


def check_whitespace():
    """No trailing blanks, tabs or missing newline at the end."""
    for name in tracked(".c", ".h", ".py", ".js", ".mjs", ".css", ".html",
                        ".build", ".md", ".scd", ".sh", ".hex", ".txt"):
        text = read(name)
        if text and not text.endswith("\n"):
            yield f"{name}:1: no newline at its end"
        for number, line in lines_of(text):
            if line != line.rstrip():
                yield f"{name}:{number}: blanks at the end of the line"
            if "\t" in line and not name.endswith(".scd"):
                yield f"{name}:{number}: a tab"


def check_environment():
    """Every PORTHOLE_ variable that is read is in docs/environment.md."""
    docs = ROOT / "docs/environment.md"
    known = docs.read_text(encoding="utf-8") if docs.is_file() else ""
    pattern = re.compile(r'"(PORTHOLE_[A-Z0-9_]+)"')
    for name in c_files("src/"):
        for number, line in lines_of(read(name)):
            for variable in pattern.findall(line):
                if variable not in known:
                    yield f"{name}:{number}: {variable} is not in " \
                        "docs/environment.md"


def git(*args):
    return subprocess.run(["git", *args], cwd=ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def check_commits():
    """Subjects of the commits ahead of main: `module: Imperative subject`."""
    base = os.environ.get("PORTHOLE_LINT_BASE")
    for ref in [base] if base else ["main", "origin/main"]:
        if git("rev-parse", "--verify", "-q", ref).returncode == 0:
            break
    else:
        return
    log = git("log", "--no-merges", "--format=%h %s", f"{ref}..HEAD").stdout
    good = re.compile(r"[a-z0-9][\w./,+-]*( [\w./+-]+)?: [A-Z].*[^.]")
    for line in log.splitlines():
        commit, _, subject = line.partition(" ")
        if len(subject) > 72:
            yield f"{commit}:0: subject of {len(subject)} characters: " \
                f"{subject}"
        elif not good.fullmatch(subject):
            yield f"{commit}:0: not `module: Imperative subject`: {subject}"


CHECKS = {
    name[len("check_"):]: function
    for name, function in list(globals().items())
    if name.startswith("check_")
}


def main():
    if sys.argv[1:] == ["--list"]:
        print("\n".join(CHECKS))
        return 0
    if len(sys.argv) != 2 or sys.argv[1] not in CHECKS:
        print(f"usage: checks.py --list | {' | '.join(CHECKS)}")
        return 2
    found = list(CHECKS[sys.argv[1]]())
    print("\n".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
