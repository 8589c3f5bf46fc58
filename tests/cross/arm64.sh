#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Builds everything for arm64 Linux, and runs the unit tests of it under
# qemu's user emulation when there is one. usage: arm64.sh BUILDDIR
#
# The arm64 packages that the build needs are downloaded and unpacked below
# BUILDDIR, with apt's state there too: the machine's own is left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
. "$root/script/lib.sh"
mkdir -p "$1"
dir=$(cd "$1" && pwd)
sysroot=$dir/sysroot
multiarch=aarch64-linux-gnu

apt_arm64() {
    apt-get -q -y -o APT::Architecture=arm64 -o APT::Architectures=arm64 \
        -o Debug::NoLocking=1 -o Dir::State="$dir/apt" \
        -o Dir::State::Lists="$dir/apt/lists" \
        -o Dir::State::status="$dir/apt/status" \
        -o Dir::Cache="$dir/apt/cache" "$@"
}

# Libraries and headers of the [build] section, with all they depend on.
make_sysroot() {
    local wanted deb
    rm -rf "$sysroot" "$dir/apt"
    mkdir -p "$sysroot" "$dir/apt/lists/partial" \
        "$dir/apt/cache/archives/partial"
    : >"$dir/apt/status"
    mapfile -t wanted < <(listed_packages build | awk '/-dev/ { print $1 }')
    apt_arm64 update
    apt_arm64 install --download-only --no-install-recommends \
        "${wanted[@]}" wayland-protocols
    for deb in "$dir"/apt/cache/archives/*.deb; do
        case ${deb##*/} in
        # What no library of ours needs in order to be linked or run.
        adwaita* | binutils* | cpp* | dpkg* | g++* | gcc-1?_* | libgl1-mesa* | \
            libgtk* | libllvm* | libz3* | perl* | python3* | systemd*)
            continue
            ;;
        esac
        dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$sysroot" \
            --exclude=./usr/share/doc --exclude=./usr/share/locale \
            --exclude=./usr/share/man --exclude=./usr/bin
    done
    rm -rf "$dir/apt"
}

cross_file() {
    cat <<EOF
[binaries]
c = '$multiarch-gcc'
ar = '$multiarch-ar'
strip = '$multiarch-strip'
pkgconfig = 'pkg-config'
exe_wrapper = ['qemu-aarch64', '-L', '$sysroot']
[built-in options]
c_args = ['--sysroot=$sysroot']
c_link_args = ['--sysroot=$sysroot']
[properties]
sys_root = '$sysroot'
pkg_config_libdir = '$sysroot/usr/lib/$multiarch/pkgconfig:$sysroot/usr/share/pkgconfig'
[host_machine]
system = 'linux'
cpu_family = 'aarch64'
cpu = 'cortex-a57'
endian = 'little'
EOF
}

# Anew when this script or the packages changed.
cat "$0" <(listed_packages build) >"$dir/now"
if ! cmp -s "$dir/now" "$dir/made-by"; then
    rm -rf "$dir/build"
    make_sysroot
    cp "$dir/now" "$dir/made-by"
fi
if [ ! -f "$dir/build/build.ninja" ]; then
    cross_file >"$dir/arm64.ini"
    meson setup "$dir/build" "$root" --cross-file "$dir/arm64.ini" \
        -Dwerror=true -Dauto_features=enabled
fi
ninja -C "$dir/build"
