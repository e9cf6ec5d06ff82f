#!/usr/bin/env bash
# Soaks the relay: 100 GB through 8 flows, 200,000 connections and 10 million datagrams at once, all checked by hash, while
# clients and servers are killed; prints a report. Takes some ten minutes. With --short a thousandth of it; other options
# are those of 'weir-bench soak'.
set -euo pipefail
exec "$(dirname "$0")/bench.sh" soak "$@"
