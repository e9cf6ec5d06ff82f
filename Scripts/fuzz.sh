#!/usr/bin/env bash
# Runs each libFuzzer target of Tests/Fuzz for some seconds: Scripts/fuzz.sh [SECONDS] [TARGET...]
# A target is one file there that defines LLVMFuzzerTestOneInput; a new one needs nothing else. Lines in it may say more:
#   // modules: MODULE...    it uses these modules beside WeirDissect and WeirWire, each one before those that it imports
#   // sources: FILE...      it is compiled with these files of a module that cannot be built here
#   // swiftc: OPTION...     options of its own for the compiler
#   // libFuzzer: OPTION...  options of its own for libFuzzer
# What it finds stays in .build/fuzz/TARGET, and `.build/fuzz/TARGET.run FILE` shows it again. It begins with the files of
# Tests/Fuzz/Seeds/TARGET; where there are none, with the captures of WEIR_CORPUS, or of shared/corpus beside the project's
# folder.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
out=.build/fuzz
corpus=${WEIR_CORPUS:-../shared/corpus}
# Traps on overflow and bounds stay in, with their words; the address sanitizer watches the unsafe pointers.
flags=(-O -assert-config Debug -use-ld=lld -swift-version 6 -parse-as-library -sanitize=fuzzer,address -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -enable-upcoming-feature ExistentialAny -package-name weir)

# Swift's own report of a crash gets in the way of the sanitizer's.
export SWIFT_BACKTRACE=enable=no
mkdir -p "$out"
targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
    for file in Tests/Fuzz/*.swift; do targets+=("$(basename "$file" .swift)"); done
fi

# What a target's line of a name says: said NAME TARGET
said() { sed -n "s,^// $1: ,,p" "Tests/Fuzz/$2.swift"; }

# Builds a module as a library: build MODULE [OPTION...]
build() {
    echo "== building $1 with coverage"
    swiftc "${flags[@]}" -wmo -module-name "$1" -emit-module -emit-module-path "$out/$1.swiftmodule" \
        -emit-library -static -o "$out/lib$1.a" $(find "Sources/$1" -name '*.swift') "${@:2}"
}

build WeirWire
build WeirDissect -I "$out"
used=" $(for target in "${targets[@]}"; do said modules "$target"; done | tr '\n' ' ')"
for module in WeirEngine WeirSinks WeirAnalysis; do
    [[ $used != *" $module "* ]] || build "$module" -I "$out"
done
failed=()
for target in "${targets[@]}"; do
    echo "== $target, $seconds s"
    libraries=()
    for module in $(said modules "$target"); do libraries+=("-l$module"); done
    swiftc "${flags[@]}" -module-name "$target" -I "$out" "Tests/Fuzz/$target.swift" Tests/Fuzz/Support/*.swift \
        $(said sources "$target") $(said swiftc "$target") -L "$out" "${libraries[@]}" -lWeirDissect -lWeirWire -o "$out/$target.run"
    mkdir -p "$out/$target/found"
    seeds=()
    if [[ -d Tests/Fuzz/Seeds/$target ]]; then
        seeds=("Tests/Fuzz/Seeds/$target")
    elif [[ -d $corpus ]]; then
        seeds=("$corpus")
    fi
    "$out/$target.run" "$out/$target/found" "${seeds[@]}" -max_total_time="$seconds" -max_len=65536 -timeout=20 \
        -rss_limit_mb=2048 $(said libFuzzer "$target") -artifact_prefix="$out/$target/" -print_final_stats=1 >"$out/$target/log" 2>&1 ||
        failed+=("$target")
    grep -E '^(stat::number_of_executed_units|stat::average_exec_per_sec|SUMMARY|.*Test unit written|.*Fatal error)|cov: .*(DONE|INITED)|DONE .*cov:' \
        "$out/$target/log" || true
done
if [[ ${#failed[@]} -gt 0 ]]; then
    echo "fuzz: found something in: ${failed[*]}; see $out/TARGET/log" >&2
    exit 1
fi
