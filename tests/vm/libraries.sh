#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A root file system with more in it: usage: libraries.sh BASE OUT PROGRAM...
# BASE is initramfs.sh's; the programs go to /bin, plugins (*.so) to
# /lib/plugins, with the libraries that they need where this machine has them.
set -euo pipefail
base=$1
to=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir -p "$root/bin" "$root/lib/plugins"
for program; do
    case $program in
    *.so) cp "$program" "$root/lib/plugins/" ;;
    *) cp "$program" "$root/bin/" ;;
    esac
    ldd "$program"
done | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\/.*ld-linux/ { print $1 }' |
    sort -u |
    while read -r file; do
        mkdir -p "$root${file%/*}"
        cp -L "$file" "$root$file"
    done
# The kernel reads one archive after the other.
(cat "$base" && cd "$root" && find . | cpio --quiet -o -H newc) >"$to.new"
mv "$to.new" "$to"
