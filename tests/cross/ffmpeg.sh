#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiles what uses libavcodec against the headers of another Debian release:
# nothing that is deprecated or gone there. usage: ffmpeg.sh RELEASE BUILDDIR
#
# apt's lists and the unpacked headers are below BUILDDIR.
set -euo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
release=$1
mkdir -p "$2/lists/partial" "$2/cache/archives/partial"
dir=$(cd "$2" && pwd)
headers=$dir/root/usr/include/$(gcc -print-multiarch)

apt_release() {
    "$1" -q -o Dir::Etc::sourcelist="$dir/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Debug::NoLocking=1 \
        -o Dir::State="$dir" -o Dir::State::Lists="$dir/lists" \
        -o Dir::State::status="$dir/status" -o Dir::Cache="$dir/cache" \
        "${@:2}"
}

# The mirror that this machine has Debian itself from.
mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' \
        'Created-By: Packages' |
        awk '$2 == "main" && $1 !~ /security/ && !n++ { print $1 }'
}

get_headers() {
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg deb from
    from=$(mirror)
    [ -n "$from" ] || {
        echo "apt has no Debian mirror here: run apt-get update"
        exit 1
    }
    : >"$dir/status"
    echo "deb [signed-by=$keys] $from $release main" >"$dir/sources.list"
    apt_release apt-get update
    (cd "$dir" && apt_release apt-get download libavcodec-dev libavutil-dev)
    for deb in "$dir"/*.deb; do
        dpkg-deb -x "$deb" "$dir/root"
    done
    rm -rf "$dir/lists" "$dir/cache" "$dir"/*.deb
}

if [ ! -f "$headers/libavcodec/avcodec.h" ]; then
    get_headers
fi
grep -hE 'LIBAVCODEC_VERSION_(MAJOR|MINOR) +[0-9]' \
    "$headers"/libavcodec/version*.h
mapfile -t sources < <(cd "$root" && grep -lE '^#include <libav' -r src \
    --include='*.c')
[ "${#sources[@]}" -gt 0 ] || {
    echo "no source includes libav headers"
    exit 1
}
failed=0
for source in "${sources[@]}"; do
    echo "$source"
    gcc -std=c11 -fsyntax-only -Wall -Wextra -Wno-unused-parameter \
        -Wno-missing-field-initializers -Werror -D_GNU_SOURCE \
        -DPH_VERSION='""' -I"$root/src" -isystem "$headers" \
        "$root/$source" || failed=1
done
exit "$failed"
