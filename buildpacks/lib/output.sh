# shellcheck shell=bash
# Output in Heroku's format. The platform reports the text of the first "Error:" line as the reason
# of a failed build, so each error says in that line what was found.

step() { printf -- '-----> %s\n' "$*"; }

detail() { printf '       %s\n' "$*"; }

# warn LINE...: a block of lines, marked as a warning.
warn() { printf ' !     %s\n' "$@"; }

# fail REASON [LINE...]: fail the build. REASON says what was found and why it fails; the lines
# say how to fix it. $exit_status: another status than 1.
fail() {
    printf '\n !     Error: %s\n' "$1"
    shift
    if (($# > 0)); then
        printf ' !\n'
        printf ' !     %s\n' "$@"
    fi
    printf '\n'
    exit "${exit_status:-1}"
}

# indent: print standard input as details.
indent() {
    local line
    while IFS= read -r line || [[ -n $line ]]; do
        printf '%s\n' "${line:+       $line}"
    done
}
