#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# copies.sh BENCH_CAPTURE SECONDS ROUNDS CONTENT: frames, and the CPU of sway
# and of the capture, for each protocol that copies an output, in turns, of a
# terminal with scroll.sh's content. Run under tests/integration/sway.sh.
set -eu
bench=$1 seconds=$2 rounds=$3 content=$4
sway=${SWAYSOCK%.sock}
sway=${sway##*.}

# CPU that sway used so far, and what this script waited for, in 10 ms.
ticks() {
    for pid in "$sway" $$; do
        sed 's/.*) //' "/proc/$pid/stat"
    done | awk 'NR == 1 { print $12 + $13 } NR == 2 { print $14 + $15 }'
}

foot -o main.pad=0x0 "$(dirname "$0")/scroll.sh" "$content" 2>/dev/null &
foot=$!
trap 'kill $foot' EXIT
"$bench" 1 wlr >/dev/null # until it is there
while [ "$rounds" -gt 0 ]; do
    for protocol in ext screencopy; do
        # shellcheck disable=SC2046
        set -- $(ticks)
        seen=$("$bench" "$seconds" "wlr:$protocol")
        # shellcheck disable=SC2046
        set -- "$@" $(ticks)
        echo "$protocol: sway $((($3 - $1) * 10 / seconds)) and capture" \
            "$((($4 - $2) * 10 / seconds)) thousandths of a core, $seen"
    done
    rounds=$((rounds - 1))
done
