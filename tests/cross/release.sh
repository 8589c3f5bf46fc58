# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Packages of another Debian release, unpacked and not installed: to be sourced.
# apt's state is below a folder of its own, the machine's is left alone.

# The mirror that this machine has Debian itself from.
mirror() {
    # shellcheck disable=SC2016
    apt-get indextargets --format '$(REPO_URI) $(COMPONENT)' \
        'Created-By: Packages' |
        awk '$2 == "main" && $1 !~ /security/ && !n++ { print $1 }'
}

# release_open DIR RELEASE: DIR is an absolute path.
release_open() {
    local keys=/usr/share/keyrings/debian-archive-keyring.gpg from
    release_dir=$1/apt
    from=$(mirror)
    [ -n "$from" ] || {
        echo "apt has no Debian mirror here: run apt-get update"
        exit 1
    }
    mkdir -p "$release_dir/lists/partial" "$release_dir/cache/archives/partial"
    : >"$release_dir/status"
    echo "deb [signed-by=$keys] $from $2 main" >"$release_dir/sources.list"
    release_apt update
}

release_apt() {
    apt-get -q -o Dir::Etc::sourcelist="$release_dir/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o Debug::NoLocking=1 \
        -o Dir::State="$release_dir" -o Dir::State::Lists="$release_dir/lists" \
        -o Dir::State::status="$release_dir/status" \
        -o Dir::Cache="$release_dir/cache" "$@"
}

# release_unpack ROOT PACKAGES...
release_unpack() {
    local deb
    (cd "$release_dir" && release_apt download "${@:2}")
    for deb in "$release_dir"/*.deb; do
        dpkg-deb -x "$deb" "$1"
    done
}

release_close() {
    rm -rf "$release_dir"
}
