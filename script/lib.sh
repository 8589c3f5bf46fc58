# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# What the scripts share: messages, packages, the build in build/.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc 2>/dev/null || echo 2)

say() {
    printf '%s\n' "$*" >&2
}

die() {
    say "${0##*/}: $*"
    exit 1
}

# The packages of the sections $@ that are not installed, one a line.
missing_packages() {
    local package command
    local -A installed=()
    while read -r package; do
        installed[$package]=1
    done < <(dpkg-query -W -f='${Package} ${db:Status-Status}\n' |
        sed -n 's/ installed$//p')
    while read -r package command; do
        if [ -n "${installed[$package]:-}" ]; then
            continue
        fi
        if [ -n "$command" ] && command -v "$command" >/dev/null; then
            continue
        fi
        printf '%s\n' "$package"
    done < <(listed_packages "$@")
}

# The lines of the sections $@ of script/packages.
listed_packages() {
    awk -v want=" $* " '
        /^#/ || NF == 0 { next }
        /^\[/ { on = index(want, " " substr($1, 2, length($1) - 2) " "); next }
        on { print $1, $2 }' "$root/script/packages"
}

# Installs what the sections $@ of script/packages name and is missing; does
# not touch apt when nothing is.
need_packages() {
    local missing sudo=()
    if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null
    then
        say "no apt here: you have to provide what script/packages names" \
            "under [${*// /], [}]; going on"
        return
    fi
    mapfile -t missing < <(missing_packages "$@")
    if [ "${#missing[@]}" -eq 0 ]; then
        return
    fi
    if [ "$(id -u)" -ne 0 ]; then
        command -v sudo >/dev/null || die "packages are missing and there is" \
            "no sudo; as root: apt-get install --no-install-recommends" \
            "${missing[*]}"
        sudo=(sudo)
    fi
    say "installing ${missing[*]}"
    apt_get "${sudo[@]}" -- update
    apt_get "${sudo[@]}" -- install -y --no-install-recommends "${missing[@]}"
}

# apt_get [sudo] -- ARGS: quiet unless it fails.
apt_get() {
    local pre=() log status=0
    while [ "$1" != -- ]; do
        pre+=("$1")
        shift
    done
    shift
    log=$(mktemp)
    "${pre[@]}" env DEBIAN_FRONTEND=noninteractive apt-get \
        -o DPkg::Lock::Timeout=300 -q "$@" >"$log" 2>&1 </dev/null ||
        status=$?
    if [ "$status" -ne 0 ]; then
        cat "$log" >&2
    fi
    rm -f "$log"
    # A failing update of one foreign source need not matter; a missing
    # package shows in the install.
    if [ "$status" -ne 0 ] && [ "$1" != update ]; then
        die "apt-get $1 failed (above)"
    fi
}

# Configures (once) and builds build/, quietly unless it fails.
build_default() {
    local log
    log=$(mktemp)
    if ! {
        { [ -f "$root/build/build.ninja" ] ||
            meson setup "$root/build" "$root"; } &&
            ninja -C "$root/build" -j "$jobs"
    } >"$log" 2>&1 </dev/null; then
        cat "$log" >&2
        rm -f "$log"
        die "the build failed (above); build/ can be removed to start anew"
    fi
    rm -f "$log"
}
