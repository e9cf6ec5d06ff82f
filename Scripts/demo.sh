#!/usr/bin/env bash
# Builds Weir and shows its main job on loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
. Scripts/steps.sh
step "what the build needs" Scripts/setup.sh
step "release build" swift_build -c release --product weir
step "the demo" .build/release/weir demo
print_steps
