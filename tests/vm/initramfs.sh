#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The root file system of a test guest. usage: initramfs.sh KERNELDIR OUT
# [PROGRAM...]. KERNELDIR is kernel.sh's; the programs, linked statically, go
# to /bin.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
from=$1
to=$2
shift 2
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
mkdir "$root/bin"
cp "$here/init" "$root/init"
chmod 755 "$root/init"
cp -r "$from/modules/lib" "$root/lib"
cp "$from/busybox" "$@" "$root/bin/"
for program in "$root"/bin/*-static; do
    mv "$program" "${program%-static}"
done
(cd "$root" && find . | cpio --quiet -o -H newc) >"$to.new"
mv "$to.new" "$to"
