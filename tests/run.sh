#!/usr/bin/env bash
# What ./test runs, inside the build environment. The last lines are ctest's summaries.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export SANDPIPER_REQUIRE_SSHD=1
pattern=()
long=no
while [ $# -gt 0 ]; do
    case $1 in
        --long) long=yes; shift ;;
        -R) pattern=(-R "$2"); shift 2 ;;
        *) echo "test: unknown argument '$1'" >&2; exit 2 ;;
    esac
done
exclude=(-LE long)
[ $long = yes ] && exclude=()

failed=()
unity=ON
build() { # PRESET TARGET CMAKE-ARGUMENTS…
    local preset=$1 target=$2; shift 2
    cmake --preset "$preset" "$@" >"build/$preset.configure.log" 2>&1 || { cat "build/$preset.configure.log"; return 1; }
    cmake --build "build/$preset" --target "$target" -- --quiet
}
run() { # PRESET TARGET CTEST-ARGUMENTS…
    local preset=$1 target=$2; shift 2
    echo "== $preset: building"
    if [ -f "build/$preset/CMakeCache.txt" ]; then
        build "$preset" "$target" || { failed+=("$preset"); return; } # as it was set up
    elif ! build "$preset" "$target" -DSANDPIPER_UNITY=$unity; then
        [ $unity = ON ] || { failed+=("$preset"); return; }
        # Two files of a folder may have the same private name. That is no fault, it only costs time.
        echo "== $preset: building once more, file by file"
        unity=OFF
        build "$preset" "$target" -DSANDPIPER_UNITY=OFF || { failed+=("$preset"); return; }
    fi
    echo "== $preset: testing"
    # Real servers on two shared cores: a test may try twice, and the summary says which one had to.
    ctest --test-dir "build/$preset" --repeat until-pass:2 --output-on-failure --timeout 300 -j2 "${exclude[@]}" "${pattern[@]}" "$@" ||
        failed+=("$preset")
}
mkdir -p build
run tsan thread_tests -L thread --no-tests=ignore
run release release_tests -L release --no-tests=ignore
run asan all --no-tests=ignore
if [ ${#failed[@]} -gt 0 ]; then
    echo "Failed: ${failed[*]}" >&2
    exit 1
fi
