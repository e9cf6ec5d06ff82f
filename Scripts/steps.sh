# Sourced by the scripts that have steps: names each step, and prints the seconds that they took at the end.

steps=()

# step NAME COMMAND...: runs a command as a step; if it fails, so does the script.
step() {
    local name=$1 start=$SECONDS
    shift
    echo "== $name"
    "$@"
    steps+=("$(printf '%5d s  %s' $((SECONDS - start)) "$name")")
}

print_steps() {
    echo "== seconds"
    printf '%s\n' ${steps[@]+"${steps[@]}"} "$(printf '%5d s  all of %s' "$SECONDS" "$0")"
}

# swift_build OPTION...: runs 'swift build' with an environment that is the same each time, and without chance: the package manager
# builds everything anew if any variable has changed, or the order of the traits, which is that of a hash table. It makes
# no index, which is for editors.
swift_build() {
    local keep=(HOME="$HOME" PATH="$PATH" SWIFT_DETERMINISTIC_HASHING=1 WEIR_BENCHMARKS=1)
    local name
    for name in WEIR_TESTING WEIR_ONLY TMPDIR http_proxy https_proxy; do
        [[ -z ${!name:-} ]] || keep+=("$name=${!name}")
    done
    env -i "${keep[@]}" swift build --disable-index-store "$@"
}
