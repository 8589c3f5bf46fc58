#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# Desktop-like content for a terminal: scroll.sh scroll|flood|typing
# scroll: 50 numbered lines of random text a second; flood: as fast as it goes;
# typing: a character ten times a second.
case $1 in
scroll)
    exec awk 'BEGIN { srand(1); for (n = 1;; n++) {
        line = sprintf("%7d ", n)
        for (i = 0; i < 140; i++)
            line = line sprintf("%c", 33 + int(rand() * 94))
        print line; fflush(); system("sleep 0.02") } }'
    ;;
flood) exec base64 /dev/urandom ;;
typing)
    while :; do
        printf 'x'
        sleep 0.1
    done
    ;;
*)
    echo "usage: scroll.sh scroll|flood|typing" >&2
    exit 2
    ;;
esac
