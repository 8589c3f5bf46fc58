#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Runs a command that finds the sway of another Debian release as "sway".
# usage: sway.sh RELEASE DIR COMMAND [ARGS]
#
# What that sway needs is downloaded and unpacked below DIR, once. It runs with
# its own C library and all the others; what it starts runs with this machine's.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/release.sh"
release=$1
mkdir -p "$2"
dir=$(cd "$2" && pwd)
shift 2
root=$dir/root

get_sway() {
    local wanted
    rm -rf "$root"
    release_open "$dir" "$release"
    # Without what only a GPU or a picture on the wall needs.
    wanted=$(release_apt install --print-uris -y --no-install-recommends sway |
        awk '/^.http/ { sub(/_.*/, "", $2); print $2 }' |
        grep -vE '^(debconf|fontconfig|glycin|lib(llvm|z3|heif|jxl|rsvg)|mesa-)')
    mapfile -t wanted <<<"$wanted"
    release_unpack "$root" "${wanted[@]}"
    release_close
}

# The loader is named sway, as its process is then.
make_wrapper() {
    local libraries
    libraries=$(dirname "$(find "$root/usr/lib" -name 'libc.so.6')")
    mkdir -p "$dir/bin" "$dir/loader"
    cp "$(find "$root/usr" -name 'ld-linux*.so.*' -type f)" "$dir/loader/sway"
    cat >"$dir/bin/sway" <<EOF2
#!/bin/sh
exec "$dir/loader/sway" --library-path "$libraries" "$root/usr/bin/sway" "\$@"
EOF2
    chmod +x "$dir/bin/sway"
}

if [ ! -x "$dir/bin/sway" ]; then
    get_sway
    make_wrapper
fi
"$dir/bin/sway" --version
PATH=$dir/bin:$PATH exec "$@"
