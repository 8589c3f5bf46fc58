# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
# Steps of script/test: each runs with its output in a log, and its outcome is
# one line of build-test/results.tsv: stage, name, pass or fail, seconds.
# A step that fails does not end the run; what it said last is shown, and once
# more at the end.

out=$root/build-test
results=$out/results.tsv
said=$out/failed.txt
logs=$out/logs
stage=
child=

steps_begin() {
    mkdir -p "$logs"
    : >"$results"
    : >"$said"
    set -m # each step is a process group of its own, so that it can be ended
    trap 'steps_interrupted INT 130' INT
    trap 'steps_interrupted TERM 143' TERM
    trap 'steps_interrupted HUP 129' HUP
}

steps_interrupted() {
    trap '' INT TERM HUP
    if [ -n "$child" ]; then
        kill -TERM -- "-$child" 2>/dev/null
        for _ in $(seq 50); do
            kill -0 -- "-$child" 2>/dev/null || break
            sleep 0.1
        done
        kill -KILL -- "-$child" 2>/dev/null
        record interrupted fail 0
    fi
    say "interrupted by SIG$1"
    exit "$2"
}

# record NAME pass|fail SECONDS
record() {
    printf '%s\t%s\t%s\t%s\n' "$stage" "$1" "$2" "$3" >>"$results"
}

begin_stage() {
    stage=$1
    printf '== %s\n' "$stage"
}

now() {
    date +%s.%N
}

since() {
    awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'
}

# run_logged LOG COMMAND...: its exit status; Ctrl-C ends it and us.
run_logged() {
    local log=$1 status=0
    shift
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    while :; do
        status=0
        wait "$child" || status=$?
        # With job control, wait also returns when the job is only stopped.
        kill -0 "$child" 2>/dev/null || break
        sleep 0.2
    done
    child=
    return "$status"
}

# step NAME COMMAND...: one thing that passes or fails.
step() {
    local name=$1 log start took status=0
    shift
    log=$logs/$stage-${name//[^A-Za-z0-9._-]/_}.log
    start=$(now)
    run_logged "$log" "$@" || status=$?
    took=$(since "$start")
    if [ "$status" -eq 0 ]; then
        record "$name" pass "$took"
        printf '   ok    %-44s %6s s\n' "$name" "$took"
        return 0
    fi
    record "$name" fail "$took"
    printf '   FAIL  %-44s %6s s  (exit %s)\n' "$name" "$took" "$status"
    {
        printf '%s: %s\n' "$stage" "$name"
        tail -n 60 "$log"
    } | show_failure "$log"
    return 1
}

# show_failure LOG: of what is read, and for the end.
show_failure() {
    tee -a "$said" | sed 's/^/   | /'
    printf '   | the whole log: %s\n' "$1"
}

# meson_tests NAME BUILDDIR ARGS...: each meson test is one result.
meson_tests() {
    local name=$1 dir=$2 log json start took status=0
    shift 2
    log=$logs/$stage-$name.log
    json=$dir/meson-logs/testlog.json
    rm -f "$json"
    start=$(now)
    run_logged "$log" meson test -C "$dir" --no-rebuild --print-errorlogs \
        --timeout-multiplier 2 "$@" || status=$?
    took=$(since "$start")
    python3 "$root/script/mesonlog.py" rows "$json" "$stage" "$name" \
        >>"$results" || status=1
    if [ "$status" -eq 0 ]; then
        printf '   ok    %-44s %6s s  (%s tests)\n' "$name" "$took" \
            "$(grep -c . "$json")"
        return 0
    fi
    printf '   FAIL  %-44s %6s s\n' "$name" "$took"
    if cut -f1-3 "$results" | grep -q "^$stage.$name: .*.fail$"; then
        python3 "$root/script/mesonlog.py" failures "$json" "$stage"
    else
        record "$name" fail "$took" # meson itself failed
        printf '%s: %s\n' "$stage" "$name"
        tail -n 60 "$log"
    fi | show_failure "$log"
    return 1
}

# The table of stages; false when anything failed.
steps_summary() {
    local failed
    printf '\n%-12s %7s %7s %9s\n' stage passed failed seconds
    awk -F'\t' '
        !($1 in n) { order[++stages] = $1 }
        { n[$1]++; s[$1] += $4; if ($3 != "pass") f[$1]++ }
        END {
            for (i = 1; i <= stages; i++) {
                x = order[i]
                printf "%-12s %7d %7d %9.1f\n", x, n[x] - f[x], f[x], s[x]
                N += n[x]; F += f[x]; S += s[x]
            }
            printf "%-12s %7d %7d %9.1f\n", "all", N - F, F, S
        }' "$results"
    failed=$(awk -F'\t' '$3 != "pass" { print "   " $1 ": " $2 }' "$results")
    if [ -n "$failed" ]; then
        printf '\n%s\n\nfailed:\n%s\n' "$(cat "$said")" "$failed"
        return 1
    fi
    [ -s "$results" ]
}
