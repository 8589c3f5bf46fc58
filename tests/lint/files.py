# SPDX-License-Identifier: LGPL-2.1-or-later
"""Which files the checks look at, and C source without comments or strings."""
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]

# Not ours: taken over under their own licences, or made by a tool.
FOREIGN = ("protocols/", "LICENSE", "package-lock.json")


def tracked(*suffixes):
    """Files of the project (untracked but not ignored ones too), relative."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"],
        cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True,
    ).stdout.split("\0")
    return sorted(
        name for name in set(names)
        if name and (ROOT / name).is_file()
        and not name.startswith(FOREIGN)
        and not name.endswith("package-lock.json")
        and (not suffixes or name.endswith(suffixes))
    )


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def scripts():
    """Shell scripts, by suffix or by their first line."""
    found = []
    for name in tracked():
        if name.endswith(".sh"):
            found.append(name)
        elif "." not in pathlib.PurePath(name).name:
            with open(ROOT / name, "rb") as f:
                if re.match(rb"#!.*\b(ba|da|)sh\b", f.readline(80)):
                    found.append(name)
    return found


_TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'',
    re.DOTALL,
)


def bare_c(text):
    """C text with comments and strings blanked, line numbers kept."""
    def blank(match):
        token = match.group()
        if token[0] == "/":
            return "\n" * token.count("\n") or " "
        return token[0] * 2
    return _TOKEN.sub(blank, text)
