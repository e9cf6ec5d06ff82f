#!/usr/bin/env bash
# Builds Weir and its benchmark, and runs the benchmark with the given arguments: Scripts/bench.sh all
set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/steps.sh
Scripts/setup.sh --bench >&2
swift_build -c release --product weir >&2
swift_build -c release --package-path Benchmarks --scratch-path .build/benchmarks --product weir-bench >&2
exec .build/benchmarks/release/weir-bench "$@"
