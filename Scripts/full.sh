#!/usr/bin/env bash
# All that is too long for every change: makes anew what tests compare with, and fails if it differs; all tests under both
# sanitizers; a minute of each fuzz target; the long soak; a hundred small changes of the code, which tests must notice. Takes about
# two hours on 2 cores.
set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/steps.sh
step "what the tests need" Scripts/setup.sh --tests
step "followed streams, made anew" Scripts/goldens.py --check
step "tests" Scripts/test.sh
step "tests under the sanitizers" Scripts/sanitize.sh
step "fuzzing" Scripts/fuzz.sh 60
step "soak" Scripts/soak.sh
step "small changes of the code, which tests must notice" Scripts/mutants.sh
print_steps
