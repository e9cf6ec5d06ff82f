#!/usr/bin/env bash
# Runs tests under a sanitizer, and fails if it reports anything, also about a program that a test has started:
#   Scripts/sanitize.sh [thread|address] [--relay] [--build] [what the tests take, as --filter TCPCarrierTests]
# Without 'thread' or 'address': both, one after the other. With --relay: the relay's tests and those of TLS alone, which build
# no other package. With --build: builds, and runs nothing.
set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/steps.sh
sanitizers=(thread address)
runs=true
folder=sanitizer
case "${1:-}" in
    thread | address) sanitizers=("$1"); shift ;;
esac
if [[ "${1:-}" == --relay ]]; then
    export WEIR_ONLY=WeirRelayTests,WeirTLSTests
    folder=sanitizer-relay
    shift
fi
if [[ "${1:-}" == --build ]]; then
    runs=false
    shift
fi
Scripts/setup.sh --tests

reports=$(mktemp -d)
trap 'rm -rf "$reports" "$reports.lane"' EXIT
half='^WeirRelayTests\.(Su|U)|^WeirTLSTests\.'
# Each process writes its reports to a file of its own there: a test may not look at what its program said.
export TSAN_OPTIONS="log_path=$reports/thread"
export ASAN_OPTIONS="log_path=$reports/address:detect_stack_use_after_return=1"
export LSAN_OPTIONS="suppressions=$PWD/Tests/lsan.supp:print_suppressions=0"
# Makes tests that move gigabytes move less.
export WEIR_SANITIZED=1
unset WEIR_TESTING
for sanitizer in "${sanitizers[@]}"; do
    # Swift 6.3.1 makes invalid code of GzipInflater.swift under the thread sanitizer: it is left out there.
    traits=()
    [[ $sanitizer = address || -n ${WEIR_ONLY:-} ]] || traits=(--traits Admin,LiveCapture,Scenarios,TLS)
    path=.build/$sanitizer-$folder
    swift_build --sanitize="$sanitizer" ${traits[@]+"${traits[@]}"} --scratch-path "$path" --build-tests
    $runs || continue
    echo "== tests under the $sanitizer sanitizer"
    status=0
    run=("$path/debug/weirPackageTests.xctest" --testing-library swift-testing --no-parallel "$@")
    if [[ -n ${WEIR_ONLY:-} && $# -eq 0 ]]; then
        # Two lanes beside each other, about equal in seconds: their tests wait most of the time.
        "${run[@]}" --filter "$half" >"$reports.lane" 2>&1 &
        lane=$!
        "${run[@]}" --skip "$half" || status=$?
        wait "$lane" || status=$?
        cat "$reports.lane"
    else
        "${run[@]}" || status=$?
    fi
    if compgen -G "$reports/*" >/dev/null; then
        cat "$reports"/*
        echo "sanitize: the $sanitizer sanitizer has reports, above" >&2
        exit 1
    fi
    [[ $status -eq 0 ]] || exit "$status"
done
