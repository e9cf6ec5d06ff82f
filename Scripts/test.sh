#!/usr/bin/env bash
# Sets up, builds once, optimised and with warnings as errors, and runs all tests, those of the benchmark too:
#   Scripts/test.sh
# With arguments it runs only what they choose, one test at a time: Scripts/test.sh --filter TCPCarrierTests
set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/steps.sh
export WEIR_TESTING=1
folder=.build/release
bundle=$folder/weirPackageTests.xctest
# Pure tests: bytes in, values out. They run in parallel, in the time that nothing else needs. The others have sockets, programs and
# time limits of their own, and run one at a time, in three lanes beside each other: those of the libraries, and those of the program
# in two halves, which wait most of the time. The halves are about equal in seconds.
pure='^Weir(Wire|Dissect|Engine|Sinks|Analysis|TLS)Tests\.'
program='^weirTests\.'
first_half='^weirTests\.[A-P]'
bench='^weir_benchTests\.'

step "what the tests need" Scripts/setup.sh --tests
# All of the loopback's packets pass one queue of each processor, which drops what is too much (1,000 packets): where tests beside each
# other send much at once, another one's datagrams are lost. Who may give it more room does, until the end.
backlog=/proc/sys/net/core/netdev_max_backlog
before=$(<"$backlog")
if (echo 100000 >"$backlog") 2>/dev/null; then trap 'echo "$before" >"$backlog"' EXIT; fi
step "build" swift_build -c release --build-tests
if [[ $# -gt 0 ]]; then
    "$bundle" --testing-library swift-testing --no-parallel "$@"
    exit
fi

run_tests() {
    local reports job failed=0 jobs=()
    local run=("$bundle" --testing-library swift-testing)
    reports=$(mktemp -d)
    # What runs beside the first lane is shown when it is done.
    chrt --idle 0 "${run[@]}" --filter "$pure" >"$reports/pure" 2>&1 &
    jobs+=($!)
    "${run[@]}" --no-parallel --skip "$pure" --skip "$program" --skip "$bench" >"$reports/libraries" 2>&1 &
    jobs+=($!)
    "${run[@]}" --no-parallel --filter "$program" --skip "$first_half" >"$reports/program" 2>&1 &
    jobs+=($!)
    "${run[@]}" --no-parallel --filter "$first_half" 2>&1 | tee "$reports/first_half" || failed=1
    for job in "${jobs[@]}"; do wait "$job" || failed=1; done
    (cd "$reports" && cat libraries program pure)
    # Once more at the end, where they are found.
    if [[ $failed -ne 0 ]]; then
        echo "== failures, and how each lane ended"
        # A line may begin with a colour.
        (cd "$reports" && grep -aE '^[^ ]*✘' ./*) || true
        for job in "$reports"/*; do echo "-- the end of $(basename "$job")" && tail -n 5 "$job"; done
    fi
    rm -r "$reports"
    return "$failed"
}
step "tests" run_tests
step "tests of the benchmark" "$bundle" --testing-library swift-testing --no-parallel --filter "$bench"
print_steps
