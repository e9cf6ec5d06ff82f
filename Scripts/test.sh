#!/usr/bin/env bash
# Sets up, builds with warnings as errors, and runs all tests. What is given is handed on to 'swift test'.
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/setup.sh --tests
swift build --build-tests
# One test at a time: many of them watch what happens within a time, with programs and loops of their own.
swift test --skip-build --no-parallel "$@"
