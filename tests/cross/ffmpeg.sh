#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiles what uses libavcodec against the headers of another Debian release:
# nothing that is deprecated or gone there. usage: ffmpeg.sh RELEASE BUILDDIR
#
# apt's lists and the unpacked headers are below BUILDDIR.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$here/release.sh"
mkdir -p "$2"
dir=$(cd "$2" && pwd)
headers=$dir/root/usr/include/$(gcc -print-multiarch)

if [ ! -f "$headers/libavcodec/avcodec.h" ]; then
    release_open "$dir" "$1"
    release_unpack "$dir/root" libavcodec-dev libavutil-dev
    release_close
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
