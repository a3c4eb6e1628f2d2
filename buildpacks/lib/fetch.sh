# shellcheck shell=bash
# Fetching a buildpack that is named by its URL, as the app's own uid, in the build sandbox.

# fetch_buildpack URL[#REF] DIRECTORY NAME: a git repository, or an archive (.tgz, .tar.gz), over
# https only. REF is a branch, a tag or a commit. NAME: as given by the user.
fetch_buildpack() {
    local url=${1%%#*} ref='' directory=$2 named=$3 address=$1
    [[ $1 != *'#'* ]] || ref=${1#*#}
    step "Fetching the buildpack $named"
    if [[ $url == *.tgz || $url == *.tar.gz ]]; then
        fetch_archive "$url" "$directory"
    else
        fetch_repository "$url" "$ref" "$directory"
    fi
}

fetch_archive() {
    local archive=$2.tar.gz
    if ! curl --silent --show-error --fail --location --proto '=https' --max-time 120 \
        --retry 2 --output "$archive" "$1" 2>&1 | indent; then
        not_fetched
    fi
    tar -xzf "$archive" -C "$2" || not_fetched
    rm -f "$archive"
}

fetch_repository() {
    local url=$1 ref=$2 directory=$3 wanted=FETCH_HEAD
    git_safely "$directory" init --quiet
    # A branch, a tag, and on most servers a full commit id can be fetched alone.
    if ! git_safely "$directory" fetch --quiet --depth 1 "$url" "${ref:-HEAD}" 2>"$directory.err"; then
        wanted=$ref
        if [[ ! $ref =~ ^[0-9a-f]{4,40}$ ]] ||
            ! git_safely "$directory" fetch --quiet "$url" '+refs/heads/*:refs/fetched/*' \
                2>"$directory.err"; then
            indent <"$directory.err"
            not_fetched
        fi
    fi
    git_safely "$directory" checkout --quiet "$wanted" 2>"$directory.err" || {
        indent <"$directory.err"
        not_fetched
    }
    if [[ -f $directory/.gitmodules ]]; then
        git_safely "$directory" submodule --quiet update --init --recursive --depth 1
    fi
}

# git_safely DIRECTORY ARGUMENT...: git without user or system configuration, over https only.
git_safely() {
    GIT_ALLOW_PROTOCOL=https GIT_TERMINAL_PROMPT=0 GIT_CONFIG_NOSYSTEM=1 \
        GIT_CONFIG_GLOBAL=/dev/null git -C "$@" </dev/null
}

# not_fetched: fail the build; $named and $address are those of fetch_buildpack.
not_fetched() {
    local which=$named
    [[ $named == "$address" ]] || which="$named ($address)"
    fail "The buildpack $which could not be fetched." \
        "Check that its URL is correct and public; the lines above say what went wrong."
}
