#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# xvfb.sh WxH COMMAND [ARGS]: runs a command with an X server of its own, of
# that size at most, and ends both. The command finds DISPLAY, XVFB_PID and a
# private XDG_RUNTIME_DIR and HOME in its environment. Exits as the command
# does; 77 (skipped) when there is no Xvfb.
set -eu

size=$1
shift
command -v Xvfb >/dev/null || {
    echo "xvfb.sh: Xvfb is not installed: skipped" >&2
    exit 77
}

dir=$(mktemp -d "${TMPDIR:-/tmp}/porthole-xvfb-XXXXXX")
XVFB_PID=
end() {
    if [ -n "$XVFB_PID" ]; then
        kill "$XVFB_PID" 2>/dev/null || :
        wait "$XVFB_PID" 2>/dev/null || :
    fi
    rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

unset WAYLAND_DISPLAY WAYLAND_SOCKET XAUTHORITY
export HOME="$dir" XDG_RUNTIME_DIR="$dir"
Xvfb -screen 0 "${size}x24" -nolisten tcp -noreset -displayfd 3 \
    3>"$dir/display" 2>"$dir/log" &
XVFB_PID=$!
export XVFB_PID

tries=0
while [ ! -s "$dir/display" ]; do
    if ! kill -0 "$XVFB_PID" 2>/dev/null || [ "$tries" -ge 600 ]; then
        echo "xvfb.sh: Xvfb did not start:" >&2
        cat "$dir/log" >&2
        exit 1
    fi
    tries=$((tries + 1))
    sleep 0.05
done
DISPLAY=:$(cat "$dir/display")
export DISPLAY

"$@"
