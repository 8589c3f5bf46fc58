#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# sway.sh WxH[@HZ] COMMAND [ARGS]: runs a command with a headless sway of its
# own and ends both. The command finds WAYLAND_DISPLAY, SWAYSOCK (for swaymsg)
# and a private XDG_RUNTIME_DIR and HOME in its environment, and SWAY_AGAIN, a
# command that runs another sway after the first one ended. Exits as the
# command does; 77 (skipped) when there is no sway.
set -eu

mode=$1
shift
command -v sway >/dev/null || {
    echo "sway.sh: sway is not installed: skipped" >&2
    exit 77
}

dir=$(mktemp -d "${TMPDIR:-/tmp}/porthole-sway-XXXXXX")
pid=
end() {
    if [ -n "$pid" ]; then
        kill "$pid" 2>/dev/null || :
        wait "$pid" 2>/dev/null || :
        # What sway started and did not end with it.
        kill -s KILL -- "-$pid" 2>/dev/null || :
    fi
    rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

case $mode in
*@*) ;;
*) mode=$mode@60 ;;
esac
cat >"$dir/config" <<EOF
output * mode ${mode}Hz position 0 0
xwayland disable
default_border none
exec sh -c 'echo "WAYLAND_DISPLAY=\$WAYLAND_DISPLAY SWAYSOCK=\$SWAYSOCK" \
>$dir/env.new && mv $dir/env.new $dir/env'
EOF

unset WAYLAND_DISPLAY WAYLAND_SOCKET SWAYSOCK DISPLAY
export HOME="$dir" XDG_RUNTIME_DIR="$dir"
# sway refuses to run as root; a user namespace makes it somebody else.
wrap=
if [ "$(id -u)" = 0 ]; then
    wrap='unshare -U --map-user=1000 --map-group=1000'
fi
SWAY_AGAIN="env WLR_BACKENDS=headless WLR_LIBINPUT_NO_DEVICES=1 \
WLR_RENDERER=pixman $wrap sway -c $dir/config"
export SWAY_AGAIN
# shellcheck disable=SC2086
setsid $SWAY_AGAIN >"$dir/sway.log" 2>&1 &
pid=$!

tries=0
while [ ! -e "$dir/env" ]; do
    if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -ge 600 ]; then
        echo "sway.sh: sway did not start:" >&2
        cat "$dir/sway.log" >&2
        exit 1
    fi
    tries=$((tries + 1))
    sleep 0.05
done
# shellcheck disable=SC2046
export $(cat "$dir/env")

"$@"
