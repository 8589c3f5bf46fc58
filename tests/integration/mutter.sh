#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
# mutter.sh WxH COMMAND [ARGS]: runs a command with a bus, a PipeWire and a
# headless Mutter of its own, and ends them all. The command finds
# DBUS_SESSION_BUS_ADDRESS, WAYLAND_DISPLAY, MUTTER_PID and a private
# XDG_RUNTIME_DIR and HOME in its environment, and MUTTER_AGAIN, a command that
# runs another Mutter after the first one ended. MUTTER=gnome-shell runs GNOME
# Shell instead. Exits as the command does; 77 (skipped) when something is not
# there.
set -eu

size=$1
shift
compositor=${MUTTER:-mutter}
for program in "$compositor" dbus-daemon dbus-send pipewire wireplumber; do
    command -v "$program" >/dev/null || {
        echo "mutter.sh: $program is not installed: skipped" >&2
        exit 77
    }
done

dir=$(mktemp -d "${TMPDIR:-/tmp}/porthole-mutter-XXXXXX")
pids=
end() {
    for pid in $pids; do
        kill "$pid" 2>/dev/null || :
    done
    tries=0
    for pid in $pids; do
        while [ "$tries" -lt 200 ] && kill -0 "$pid" 2>/dev/null; do
            tries=$((tries + 1))
            sleep 0.05
        done
        if kill -s KILL "$pid" 2>/dev/null; then
            echo "mutter.sh: process $pid had to be killed" >&2
        fi
        wait "$pid" 2>/dev/null || :
    done
    rm -rf "$dir"
}
trap end EXIT
trap 'exit 1' HUP INT TERM

# wait_for WHAT PID TEST: until a command succeeds, for a minute.
wait_for() {
    what=$1
    pid=$2
    shift 2
    tries=0
    until "$@" >/dev/null 2>&1; do
        if ! kill -0 "$pid" 2>/dev/null || [ "$tries" -ge 1200 ]; then
            echo "mutter.sh: $what did not start:" >&2
            cat "$dir/$what.log" >&2
            exit 1
        fi
        tries=$((tries + 1))
        sleep 0.05
    done
}

mutter_answers() {
    [ -S "$dir/wayland-0" ] && dbus-send --session --print-reply \
        --dest=org.gnome.Mutter.RemoteDesktop /org/gnome/Mutter/RemoteDesktop \
        org.freedesktop.DBus.Peer.Ping && dbus-send --session --print-reply \
        --dest=org.gnome.Mutter.ScreenCast /org/gnome/Mutter/ScreenCast \
        org.freedesktop.DBus.Peer.Ping
}

unset WAYLAND_DISPLAY WAYLAND_SOCKET DISPLAY
export HOME="$dir" XDG_RUNTIME_DIR="$dir"
export DBUS_SESSION_BUS_ADDRESS="unix:path=$dir/bus"
export DBUS_SYSTEM_BUS_ADDRESS="$DBUS_SESSION_BUS_ADDRESS"
export XDG_SESSION_TYPE=wayland GSETTINGS_BACKEND=memory NO_AT_BRIDGE=1

dbus-daemon --session --nofork --address="$DBUS_SESSION_BUS_ADDRESS" \
    >"$dir/dbus-daemon.log" 2>&1 &
pids=$!
wait_for dbus-daemon "$!" test -S "$dir/bus"
pipewire >"$dir/pipewire.log" 2>&1 &
pids="$! $pids"
wait_for pipewire "$!" test -S "$dir/pipewire-0"
wireplumber >"$dir/wireplumber.log" 2>&1 &
pids="$! $pids"
MUTTER_AGAIN="$compositor --headless --wayland --no-x11 --virtual-monitor $size"
export MUTTER_AGAIN
# shellcheck disable=SC2086
$MUTTER_AGAIN >"$dir/$compositor.log" 2>&1 &
MUTTER_PID=$!
export MUTTER_PID
pids="$MUTTER_PID $pids"
wait_for "$compositor" "$MUTTER_PID" mutter_answers
WAYLAND_DISPLAY=wayland-0
export WAYLAND_DISPLAY

"$@"
