#!/usr/bin/env bash
# Builds Weir and shows its main job on loopback.
set -euo pipefail
cd "$(dirname "$0")/.."
Scripts/setup.sh
swift build -c release --product weir
.build/release/weir demo
