# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# The stages of script/test. Each build has a folder of its own below
# build-test/ and is kept, so that the next run only builds what changed.

stages=(lint build unit sanitize fuzz cross web integration vm)
quick_stages=(build lint unit web)

# Suite full waits for clocks and screens two thirds of its time.
mostly_waiting=$((jobs + 1))

# ready NAME CC MESON-OPTIONS...: configures, where needed, and builds.
ready() {
    local dir=$out/$1 cc=$2 wanted
    shift 2
    wanted="$cc $*"
    if [ "$(cat "$dir.options" 2>/dev/null)" != "$wanted" ] ||
        [ ! -f "$dir/build.ninja" ]; then
        rm -rf "$dir" "$dir.options"
        CC=$cc meson setup "$dir" "$root" -Dwerror=true "$@" || return 1
        printf '%s' "$wanted" >"$dir.options"
    fi
    ninja -C "$dir" -j "$jobs"
}

gcc_debug() {
    ready gcc-debug gcc -Dauto_features=enabled
}

clang_debug() {
    ready clang-debug clang -Dauto_features=enabled -Dbuildtype=debug
}

stage_build() {
    step gcc-debug gcc_debug
    [ -z "$quick" ] || return
    step clang-debug clang_debug
    step gcc-release ready gcc-release gcc -Dauto_features=enabled \
        -Dbuildtype=release
    step clang-release ready clang-release clang -Dauto_features=enabled \
        -Dbuildtype=release
    step features-off ready features-off gcc -Dauto_features=disabled
}

# The tools that npm brings, at the versions of package-lock.json.
node_tools() {
    local stamp=node_modules/.porthole-lock
    cmp -s package-lock.json "$stamp" && return
    npm ci --no-audit --no-fund && cp package-lock.json "$stamp"
}

format_check() {
    git ls-files -z --cached --others --exclude-standard -- '*.c' '*.h' |
        xargs -0r clang-format --dry-run --Werror
}

shellcheck_all() {
    git ls-files -z --cached --others --exclude-standard |
        xargs -0r grep -lZm1 -E '^#!.*\b(ba|da)?sh\b' |
        xargs -0r shellcheck -x -a -P SCRIPTDIR
}

codespell_all() {
    git ls-files -z --cached --others --exclude-standard \
        ':!protocols' ':!LICENSE' ':!*package-lock.json' ':!*.hex' \
        ':!tests/fuzz/corpus' ':!*.png' |
        xargs -0r codespell -L datas,renderd # names of PipeWire and of Linux
}

stage_lint() {
    local check
    step clang-format format_check
    for check in $(python3 tests/lint/checks.py --list); do
        step "$check" python3 tests/lint/checks.py "$check"
    done
    step shellcheck shellcheck_all
    step codespell codespell_all
    step npm-ci node_tools
    step eslint npx --no-install eslint .
    step types npm run --silent types
    [ -z "$quick" ] || return
    if step build clang_debug; then
        step headers-alone python3 tests/lint/compiled.py headers "$out/clang-debug"
        step clang-tidy python3 tests/lint/compiled.py tidy "$out/clang-debug"
    fi
}

stage_unit() {
    if step build gcc_debug; then
        meson_tests gcc-debug "$out/gcc-debug" --suite quick
    fi
    [ -z "$quick" ] || return
    local name
    for name in gcc-release clang-release features-off; do
        if [ -f "$out/$name/build.ninja" ]; then
            meson_tests "$name" "$out/$name" --suite quick
        else
            record "$name: not built" fail 0
        fi
    done
}

stage_web() {
    local file
    for file in tests/web/*.test.mjs tests/golden/*.test.mjs; do
        step "${file#tests/}" node --test "$file"
    done
    [ -z "$quick" ] || return
    for file in tests/browser/*.test.mjs; do
        step "${file#tests/}" node --test "$file"
    done
}

stage_integration() {
    if step build gcc_debug && step npm-ci node_tools; then
        meson_tests integration "$out/gcc-debug" --suite full \
            --num-processes "$mostly_waiting"
    fi
}

asan() {
    ready asan clang -Dauto_features=enabled -Dbuildtype=debug \
        -Doptimization=1 -Db_sanitize=address,undefined
}

# Memory, undefined behaviour and data races, with clang's run-time checkers.
stage_sanitize() {
    # GIO's proxy module throws C++ exceptions; ASan stands that only where the
    # program itself is linked with the C++ library.
    export GIO_USE_PROXY_RESOLVER=dummy
    # Into files: a supervised program that dies of it would be started again
    # and nobody would see why.
    local reports=$out/reports options=halt_on_error=1:abort_on_error=1
    rm -rf "$reports"
    mkdir -p "$reports"
    export ASAN_OPTIONS=$options:log_path=$reports/asan
    export UBSAN_OPTIONS=$options:print_stacktrace=1:log_path=$reports/ubsan
    export LSAN_OPTIONS=print_suppressions=0 # they would be reports
    export TSAN_OPTIONS=$options:log_path=$reports/tsan
    if step asan asan; then
        meson_tests asan-quick "$out/asan" --suite quick
        meson_tests asan-full "$out/asan" --suite full --no-suite timing \
            --num-processes "$mostly_waiting"
    fi
    if step tsan ready tsan clang -Dauto_features=enabled -Dbuildtype=debug \
        -Doptimization=1 -Db_sanitize=thread; then
        meson_tests tsan-quick "$out/tsan" --suite quick
    fi
    step reports no_reports "$reports"
    unset ASAN_OPTIONS LSAN_OPTIONS UBSAN_OPTIONS TSAN_OPTIONS GIO_USE_PROXY_RESOLVER
}

no_reports() {
    local found
    found=$(find "$1" -type f -size +0)
    [ -z "$found" ] || {
        printf '%s\n' "$found"
        xargs -d '\n' tail -n 50 <<<"$found"
        return 1
    }
}

stage_fuzz() {
    local seconds=10
    [ "$soak" -eq 0 ] || seconds=300
    step build ready fuzz clang -Dauto_features=enabled -Dbuildtype=debug \
        -Doptimization=1 -Db_sanitize=address,undefined -Dfuzz=true || return
    meson_tests targets "$out/fuzz" --suite fuzz \
        --test-args=-max_total_time=$seconds
}

# Other machines: each is compiled and linked, arm64 is run under qemu too.
stage_cross() {
    step macos tests/cross/macos.sh "$out/macos"
    if step arm64 tests/cross/arm64.sh "$out/arm64"; then
        meson_tests arm64 "$out/arm64/build" --suite quick \
            --no-suite native --timeout-multiplier 10 # emulated: 20 times slower
    fi
    step ffmpeg-trixie tests/cross/ffmpeg.sh trixie "$out/ffmpeg-trixie"
}

# Virtual machines of our own, emulated whatever the machine can do.
stage_vm() {
    local file
    step build gcc_debug || return
    step prepare tests/vm/prepare.sh amd64 "$out/gcc-debug" "$out/vm" || return
    step arm64 tests/cross/arm64.sh "$out/arm64" &&
        step prepare-arm64 tests/vm/prepare.sh arm64 "$out/arm64/build" "$out/vm"
    export VM_DIR=$out/vm
    for file in tests/vm/*.test.mjs; do
        step "${file#tests/vm/}" node --test "$file"
    done
    unset VM_DIR
}

# A host and its guests, as long as all the rest: everything under ASan + UBSan,
# again and again.
stage_soak() {
    local end round=1
    step build gcc_debug || return
    step hostd "$out/gcc-debug/tests/integration/soak_hostd" \
        "$out/gcc-debug/src/hostd/porthole-hostd" $((soak * 30))
    step newer-sway tests/cross/sway.sh forky "$out/sway-forky" \
        meson test -C "$out/gcc-debug" --no-rebuild capture_wlr outputs
    step asan asan || return
    end=$(($(date +%s) + soak * 30))
    while [ "$(date +%s)" -lt "$end" ]; do
        meson_tests "round-$round" "$out/asan" --no-suite timing \
            --num-processes "$mostly_waiting" || return
        round=$((round + 1))
    done
}
