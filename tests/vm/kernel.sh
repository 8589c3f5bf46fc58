#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Debian's kernel for a test guest, the few modules of it that we load, and a
# busybox.
# usage: kernel.sh ARCH DIR     (ARCH: amd64 or arm64)
#
# Makes DIR/kernel, which QEMU's -kernel takes, DIR/modules, laid out as
# modprobe wants it, and DIR/busybox. Downloaded once and kept; apt's own state
# is left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
arch=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)

modules=(virtio_pci virtio_mmio virtio_net virtio_console virtio-gpu
    vmw_vsock_virtio_transport vsock_loopback 9p 9pnet_virtio virtiofs)

apt_foreign() {
    apt-get -q -y -o APT::Architecture="$arch" -o APT::Architectures="$arch" \
        -o Debug::NoLocking=1 -o Dir::State="$dir/apt" \
        -o Dir::State::Lists="$dir/apt/lists" \
        -o Dir::State::status="$dir/apt/status" \
        -o Dir::Cache="$dir/apt/cache" "$@"
}

# Into DIR/apt/cache/archives: the kernel that the metapackage depends on.
download() {
    rm -rf "$dir/apt"
    mkdir -p "$dir/apt/lists/partial" "$dir/apt/cache/archives/partial"
    : >"$dir/apt/status"
    apt_foreign update
    local package
    package=$(apt-cache -o APT::Architecture="$arch" \
        -o APT::Architectures="$arch" -o Dir::State::Lists="$dir/apt/lists" \
        -o Dir::State="$dir/apt" -o Dir::Cache="$dir/apt/cache" \
        depends "linux-image-$arch" | awk '/Depends:/ { print $2; exit }')
    (cd "$dir/apt/cache/archives" && apt_foreign download "$package" busybox-static)
}

# An amd64 image unpacks itself, which takes seconds under emulation; QEMU
# starts the ELF file in it at once.
unpack_kernel() {
    local image=$1
    if [ "$arch" != amd64 ] ||
        ! python3 "$here/vmlinux.py" "$image" "$dir/kernel"; then
        cp "$image" "$dir/kernel"
    fi
}

# The modules named above with all that they need, unpacked.
pick_modules() {
    local root=$1 version=$2 name file
    busybox depmod -b "$root" "$version" 2>/dev/null
    for name in "${modules[@]}"; do
        awk -F'[: ]+' -v want="/$name.ko" '
            index($1, want) { for (i = 1; i <= NF; i++) if ($i) print $i }' \
            "$root/lib/modules/$version/modules.dep"
    done | sort -u >"$dir/wanted"
    local to=$dir/modules/lib/modules/$version
    rm -rf "$dir/modules"
    mkdir -p "$to"
    while read -r file; do
        cp "$root/lib/modules/$version/${file#/lib/modules/"$version"/}" "$to"
    done <"$dir/wanted"
    find "$to" -name '*.xz' -exec xz -d {} +
    busybox depmod -b "$dir/modules" "$version"
    rm -f "$dir/wanted"
}

if cmp -s "$0" "$dir/made-by"; then
    exit 0
fi
download
rm -rf "$dir/root"
mkdir "$dir/root"
for deb in "$dir"/apt/cache/archives/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$dir/root"
done
rm -rf "$dir/apt"
version=$(ls "$dir/root/lib/modules")
cp "$dir/root/bin/busybox" "$dir/busybox"
unpack_kernel "$dir/root/boot/vmlinuz-$version"
pick_modules "$dir/root" "$version"
rm -rf "$dir/root"
cp "$0" "$dir/made-by"
