#!/usr/bin/env bash
# Installs what Weir's build and tests need, where it is missing, on Debian. Needs Swift 6.2 or later.
set -euo pipefail

if ! command -v swift >/dev/null 2>&1; then
    echo "setup: no 'swift' on PATH: install a Swift toolchain, 6.2 or later (swift.org/install)" >&2
    exit 69
fi

# Commands that the tests run as real peers, and the package that each comes from.
missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
if [[ "${1:-}" == --tests ]]; then
    need tshark tshark       # text2pcap comes with it: wireshark-common
    need text2pcap wireshark-common
    need nc netcat-openbsd
    need socat socat
    need ip iproute2
    need python3 python3
fi
[[ ${#missing[@]} -eq 0 ]] && exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: please install: ${missing[*]}" >&2
    exit 69
fi
as_root() { if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi; }
export DEBIAN_FRONTEND=noninteractive
as_root apt-get update -qq
as_root apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
