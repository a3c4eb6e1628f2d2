# shellcheck shell=bash disable=SC2154 # variables are shared with bin/compile
# The compilation of the app's own modules.

# In bytes of source. Two workers compile less in less time than it takes to start a Python for it.
readonly BYTECODE_MIN=131072

# compile_modules: compile them, if there are so many that it is worth it. It neither fails the
# build nor prints anything: what Python cannot compile, the app may never import.
compile_modules() {
    is_worth_compiling || return 0
    # Also without what bash says of a program that was killed.
    { .venv/bin/python -I -S "$pack/lib/bytecode.py" "$build" "$cache/bytecode" >/dev/null; } \
        2>/dev/null || true
}

is_worth_compiling() {
    local size total=0
    while read -r size; do
        ((total += size))
        ((total < BYTECODE_MIN)) || return 0
    done < <(find . -mindepth 1 \( -name '.*' -o -name node_modules \) -prune -o \
        -type f -name '*.py' -printf '%s\n' 2>/dev/null)
    return 1
}
