#!/usr/bin/env bash
# Runs each libFuzzer target of Tests/Fuzz for some seconds: Scripts/fuzz.sh [SECONDS] [TARGET...]
# A target is one file there that defines LLVMFuzzerTestOneInput; a new one needs nothing else. A line '// libFuzzer: ...' in
# it holds options of its own. What it finds stays in
# .build/fuzz/TARGET, and `.build/fuzz/TARGET.run FILE` shows it again. Captures of WEIR_CORPUS, or of shared/corpus
# beside the project's folder, are where it begins.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-60}
shift || true
out=.build/fuzz
corpus=${WEIR_CORPUS:-../shared/corpus}
# Traps on overflow and bounds stay in, with their words; the address sanitizer watches the unsafe pointers.
flags=(-O -assert-config Debug -use-ld=lld -swift-version 6 -parse-as-library -sanitize=fuzzer,address -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility -enable-upcoming-feature ExistentialAny)

# Swift's own report of a crash gets in the way of the sanitizer's.
export SWIFT_BACKTRACE=enable=no
mkdir -p "$out"
echo "== building WeirWire with coverage"
swiftc "${flags[@]}" -wmo -module-name WeirWire -emit-module -emit-module-path "$out/WeirWire.swiftmodule" \
    -emit-library -static -o "$out/libWeirWire.a" $(find Sources/WeirWire -name '*.swift')

targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
    for file in Tests/Fuzz/*.swift; do targets+=("$(basename "$file" .swift)"); done
fi
failed=()
for target in "${targets[@]}"; do
    echo "== $target, $seconds s"
    swiftc "${flags[@]}" -module-name "$target" -I "$out" "Tests/Fuzz/$target.swift" Tests/Fuzz/Support/*.swift \
        -L "$out" -lWeirWire -o "$out/$target.run"
    mkdir -p "$out/$target/found"
    seeds=()
    [[ -d $corpus ]] && seeds=("$corpus")
    "$out/$target.run" "$out/$target/found" "${seeds[@]}" -max_total_time="$seconds" -max_len=65536 -timeout=20 \
        -rss_limit_mb=2048 $(sed -n 's,^// libFuzzer: ,,p' "Tests/Fuzz/$target.swift") -artifact_prefix="$out/$target/" -print_final_stats=1 >"$out/$target/log" 2>&1 ||
        failed+=("$target")
    grep -E '^(stat::number_of_executed_units|stat::average_exec_per_sec|SUMMARY|.*Test unit written|.*Fatal error)|cov: .*(DONE|INITED)|DONE .*cov:' \
        "$out/$target/log" || true
done
if [[ ${#failed[@]} -gt 0 ]]; then
    echo "fuzz: found something in: ${failed[*]}; see $out/TARGET/log" >&2
    exit 1
fi
