# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reads meson's testlog.json.

usage: mesonlog.py rows TESTLOG STAGE NAME   as rows of results.tsv
       mesonlog.py failures TESTLOG STAGE    what the failed tests said last

A test that skipped itself has proved nothing and counts as failed.
"""
import json
import re
import sys

LINES = 24  # of each failed test
COLUMNS = 200
# Of node's reports: what passed, and what only counts.
DULL = re.compile(
    r"\s*(ok \d|---|\.\.\.|duration_ms|# (Subtest|tests|suites|pass|fail|"
    r"cancelled|skipped|todo|duration_ms) |\d+\.\.\d+$|type:|$)"
)


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f]
    except OSError:
        return []


def is_good(test):
    return test["result"] in ("OK", "EXPECTEDFAIL")


def rows(path, stage, name):
    tests = read(path)
    if not tests:
        print(f"{stage}\t{name}: no test ran\tfail\t0")
        return 1
    for test in tests:
        label = test["name"].replace("\t", " ")
        if test["result"] == "SKIP":
            label += " (skipped itself)"
        print(
            f"{stage}\t{name}: {label}\t{'pass' if is_good(test) else 'fail'}"
            f"\t{test['duration']:.1f}"
        )
    skipped = any(t["result"] == "SKIP" for t in tests)
    return 1 if skipped else 0


def failures(path, stage):
    for test in read(path):
        if is_good(test):
            continue
        print(f"{stage}: {test['name']}: {test['result']}, {test['duration']:.1f} s")
        said = test.get("stdout", "") + "\n" + test.get("stderr", "")
        lines = [s.rstrip() for s in said.split("\n") if not DULL.match(s)]
        for line in lines[-LINES:]:
            print(f"  {line[:COLUMNS]}")
    return 0


if __name__ == "__main__":
    sys.exit({"rows": rows, "failures": failures}[sys.argv[1]](*sys.argv[2:]))
