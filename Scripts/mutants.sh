#!/usr/bin/env bash
# Changes the code in many small ways, one at a time, and lists the changes that no test notices:
#   Scripts/mutants.sh [MODULE...] [--count 100] [--seed 1] [--budget 40]
# How it goes is told at the top of Scripts/mutants.py. It works in .build/mutants, and leaves a table there.
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/setup.sh --tests
exec python3 Scripts/mutants.py "$@"
