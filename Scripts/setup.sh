#!/usr/bin/env bash
# Installs what Weir's build needs, where it is missing, on Debian; with --tests what its tests need as well, with --bench
# the peers that it is measured beside. Needs Swift 6.2 or later.
set -euo pipefail

if ! command -v swift >/dev/null 2>&1; then
    echo "setup: no 'swift' on PATH: install a Swift toolchain, 6.2 or later (swift.org/install)" >&2
    exit 69
fi

# Commands that the tests run as real peers, and the package that each comes from.
missing=()
need() { command -v "$1" >/dev/null 2>&1 || missing+=("$2"); }
# For live captures, scenarios and TLS; a build with --disable-default-traits needs none of these.
[[ -e /usr/include/pcap/pcap.h ]] || missing+=(libpcap-dev)
[[ -e /usr/include/yaml.h ]] || missing+=(libyaml-dev)
[[ -e /usr/include/zlib.h ]] || missing+=(zlib1g-dev)
[[ -e /usr/include/openssl/ssl.h ]] || missing+=(libssl-dev)
need pkg-config pkg-config
if [[ "${1:-}" == --tests ]]; then
    need tshark tshark       # text2pcap comes with it: wireshark-common
    need text2pcap wireshark-common
    need editcap wireshark-common
    need nc netcat-openbsd
    need socat socat
    need capinfos wireshark-common
    need tcpdump tcpdump
    need ip iproute2
    need python3 python3
    need dumpcap wireshark-common
    need editcap wireshark-common
    need setpriv util-linux
    need setcap libcap2-bin
    need cc gcc              # a Swift toolchain needs one anyway
    need prlimit util-linux
    need unshare util-linux
    need losetup mount
    need mkfs.ext4 e2fsprogs
    # Real servers and clients, whose messages are shown.
    need redis-server redis-server
    need redis-cli redis-tools
    need mosquitto mosquitto
    need mosquitto_pub mosquitto-clients
    need sshd openssh-server
    need ssh-keyscan openssh-client
    need dnsmasq dnsmasq-base
    need dig bind9-dnsutils
    need nginx nginx
    need curl curl
    need git git
    need openssl openssl
    need gnutls-cli gnutls-bin
    need certtool gnutls-bin
    need node nodejs         # 50 MB with its library
    need psql postgresql-client
    compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
    need promtool prometheus
    python3 -c 'import ensurepip' >/dev/null 2>&1 || missing+=(python3-venv)
fi
if [[ "${1:-}" == --bench ]]; then
    need haproxy haproxy
    need nginx nginx
    [[ -e /usr/lib/nginx/modules/ngx_stream_module.so ]] || missing+=(libnginx-mod-stream)
    need socat socat
    need sslsplit sslsplit
    need xxd xxd
    need capinfos wireshark-common
    need tshark tshark
    need tcpdump tcpdump
    need tcpflow tcpflow
    need hexdump bsdextrautils
    need jq jq
fi
# Clients of the control API that the tests run, in a virtual environment of their own.
python_packages() {
    [[ "${1:-}" == --tests ]] || return 0
    local folder="${WEIR_TEST_PYTHON:-$(dirname "$0")/../.build/python}"
    "$folder/bin/python" -c 'import toxiproxy, schemathesis' >/dev/null 2>&1 && return 0
    python3 -m venv "$folder"
    "$folder/bin/pip" install -q --disable-pip-version-check toxiproxy-python==0.1.1 schemathesis==4.32.5
}
if [[ ${#missing[@]} -eq 0 ]]; then
    python_packages "$@"
    exit 0
fi

if ! command -v apt-get >/dev/null 2>&1; then
    echo "setup: please install: ${missing[*]}" >&2
    exit 69
fi
as_root() { if [[ $(id -u) -eq 0 ]]; then "$@"; else sudo "$@"; fi; }
as_root apt-get update -qq
as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
python_packages "$@"
