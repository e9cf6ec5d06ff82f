#!/usr/bin/env bash
# Sets up, builds with warnings as errors, and runs all tests. What is given is handed on to 'swift test'.
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/setup.sh --tests
swift build --build-tests
swift test --skip-build "$@"
