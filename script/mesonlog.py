# SPDX-License-Identifier: LGPL-2.1-or-later
"""Turns meson's testlog.json into rows of results.tsv.

usage: mesonlog.py TESTLOG STAGE NAME

A test that skipped itself has proved nothing and counts as failed.
"""
import json
import sys


def main():
    path, stage, name = sys.argv[1:]
    try:
        with open(path, encoding="utf-8") as f:
            tests = [json.loads(line) for line in f]
    except OSError:
        tests = []
    if not tests:
        print(f"{stage}\t{name}: no test ran\tfail\t0")
        return 1
    for test in tests:
        good = test["result"] in ("OK", "EXPECTEDFAIL")
        label = test["name"].replace("\t", " ")
        if test["result"] == "SKIP":
            label += " (skipped itself)"
        print(
            f"{stage}\t{name}: {label}\t{'pass' if good else 'fail'}"
            f"\t{test['duration']:.1f}"
        )
    skipped = any(t["result"] == "SKIP" for t in tests)
    return 1 if skipped else 0


if __name__ == "__main__":
    sys.exit(main())
