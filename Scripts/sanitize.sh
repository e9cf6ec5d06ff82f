#!/usr/bin/env bash
# Runs all tests under a sanitizer, and fails where it reports anything, also of a program that a test has started:
#   Scripts/sanitize.sh [thread|address] [what 'swift test' takes]
# Without an argument: both, one after the other.
set -euo pipefail
cd "$(dirname "$0")/.."
case "${1:-}" in
    thread | address) sanitizers=("$1"); shift ;;
    *) sanitizers=(thread address) ;;
esac
Scripts/setup.sh --tests

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
# Each process writes its reports to a file of its own there: a test may not look at what its program said.
export TSAN_OPTIONS="log_path=$reports/thread suppressions=$PWD/Tests/tsan.supp"
export ASAN_OPTIONS="log_path=$reports/address:detect_stack_use_after_return=1"
export LSAN_OPTIONS="suppressions=$PWD/Tests/lsan.supp:print_suppressions=0"
# Makes tests that move gigabytes move less.
export WEIR_SANITIZED=1
for sanitizer in "${sanitizers[@]}"; do
    echo "== all tests under the $sanitizer sanitizer"
    status=0
    # Swift 6.3.1 makes invalid code of GzipInflater.swift under the thread sanitizer: it is left out there.
    traits=()
    [[ $sanitizer = address ]] || traits=(--traits LiveCapture)
    swift test --sanitize="$sanitizer" "${traits[@]}" --scratch-path ".build/$sanitizer-sanitizer" --no-parallel "$@" \
        || status=$?
    if compgen -G "$reports/*" >/dev/null; then
        cat "$reports"/*
        echo "sanitize: the $sanitizer sanitizer has reports, above" >&2
        exit 1
    fi
    [[ $status -eq 0 ]] || exit "$status"
done
