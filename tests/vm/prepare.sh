#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of this folder need for one kind of machine, below DIR.
# usage: prepare.sh ARCH BUILDDIR DIR   (BUILDDIR: a meson build for ARCH)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
arch=$1
build=$2
dir=$3
programs=(tests/vm/vm-guest tests/vm/vm-hostd src/cli/porthole-bench-static)
[ "$arch" != amd64 ] || programs+=(tests/vm/vm-resource)
mkdir -p "$dir"
ninja -C "$build" "${programs[@]}"
"$here/kernel.sh" "$arch" "$dir/kernel-$arch"
"$here/initramfs.sh" "$dir/kernel-$arch" "$dir/root-$arch" \
    "${programs[@]/#/$build/}"
if [ "$arch" = amd64 ]; then # they run outside of the machine too
    desktop=(src/cli/porthole src/deskd/porthole-deskd
        src/hostd/porthole-hostd)
    vsockenc=src/vsockenc/libgstporthole.so
    ninja -C "$build" "${desktop[@]}" "$vsockenc"
    cp "${programs[@]/#/$build/}" "${desktop[@]/#/$build/}" "$dir/"
    "$here/libraries.sh" "$dir/root-$arch" "$dir/desk-$arch" \
        "$build/src/deskd/porthole-deskd"
    plugins=$(pkg-config --variable=pluginsdir gstreamer-1.0)
    "$here/libraries.sh" "$dir/root-$arch" "$dir/gst-$arch" \
        "$(command -v gst-launch-1.0)" "$build/$vsockenc" \
        "$plugins"/libgst{coreelements,videoconvertscale,videoparsersbad,videotestsrc}.so
fi
