#!/bin/bash
# Build an app: find its buildpacks, compile with each in turn, write down the results.
#
# Usage: build.sh BUILDPACKS BUILD CACHE ENV RESULT [SOURCE NAME]...
#
# Runs inside the build sandbox as the app's own uid. SOURCE is name:NAME, path:DIRECTORY or
# url:URL[#REF]; NAME is the buildpack's name as given by the user. If none is named, the first of
# order.txt whose bin/detect accepts the app is used; otherwise those named, in that order, each of
# which must accept it. For each, RESULT gets the output of its bin/detect and, as JSON, that of its
# bin/release, each ended by a NUL. If no buildpack accepts the app, it stays empty and the exit
# status is 100.
# https://devcenter.heroku.com/articles/buildpack-api
set -euo pipefail

# The names are prefixed and readonly since `export` files of buildpacks are sourced here.
readonly paas_packs=$1 paas_build=$2 paas_cache=$3 paas_env=$4 paas_result=$5
readonly paas_here=${BASH_SOURCE[0]%/*}
shift 5
# shellcheck source=SCRIPTDIR/output.sh
source "$paas_here/output.sh"
# shellcheck source=SCRIPTDIR/fetch.sh
source "$paas_here/fetch.sh"
# shellcheck source=SCRIPTDIR/languages.sh
source "$paas_here/languages.sh"
# shellcheck source=SCRIPTDIR/looks.sh
source "$paas_here/looks.sh"
# shellcheck source=SCRIPTDIR/release.sh
source "$paas_here/release.sh"

# run_script SCRIPT ARGUMENT...: run it in the buildpack's own directory, as on Heroku, since some
# use relative paths. A script without the executable bit is run by the program in its first line.
# $paas_limit_s: after so many seconds it is ended, with status 124.
run_script() (
    local script=$1 first='' interpreter limit=()
    cd "$pack"
    [[ -z ${paas_limit_s:-} ]] || limit=(timeout --kill-after=5 "$paas_limit_s")
    if [[ -x $script ]]; then
        exec "${limit[@]}" "$@"
    fi
    IFS= read -r first <"$script" || true
    if [[ $first == '#!'* ]]; then
        read -r -a interpreter <<<"${first#\#!}"
    else
        interpreter=(/bin/bash)
    fi
    exec "${limit[@]}" "${interpreter[@]}" "$@"
)

# detect_first: the first buildpack of order.txt that accepts the app; sets $pack and $label.
detect_first() {
    local name
    while read -r name _; do
        [[ -z $name || $name == '#'* ]] && continue
        pack=$paas_packs/$name
        # Not executed, as those of others are: the start of a bash takes longer than what they do.
        # shellcheck disable=SC1091
        if label=$(source "$pack/bin/detect" "$paas_build"); then
            return 0
        fi
    done <"$paas_packs/order.txt"
    return 1
}

# find_pack SOURCE NAME: sets $pack to the directory of a named buildpack.
find_pack() {
    local source=$1 directory
    case $source in
        name:*) pack=$paas_packs/${source#name:} ;;
        path:* | url:*)
            directory=$(mktemp -d /tmp/buildpack-XXXXXX)
            if [[ $source == path:* ]]; then
                # A copy, since a buildpack may write its export file into its own directory.
                cp -R "${source#path:}/." "$directory"
            else
                fetch_buildpack "${source#url:}" "$directory" "$2"
            fi
            pack=$directory
            ;;
    esac
    if [[ ! -f $pack/bin/detect || ! -f $pack/bin/compile ]]; then
        fail "$2 is not a buildpack: it has no bin/detect and bin/compile." \
            "List the app's buildpacks with: paas buildpacks"
    fi
}

# accept NAME: run bin/detect of $pack; sets $label.
accept() {
    local status=0
    label=$(run_script "$pack/bin/detect" "$paas_build") || status=$?
    if ((status != 0)); then
        [[ -z $label ]] || printf '%s\n' "$label" | indent
        fail "The buildpack $1 does not accept the app: its bin/detect exited with status $status." \
            "List the app's buildpacks with: paas buildpacks" \
            "Remove this one with: paas buildpacks:remove $1"
    fi
}

# compile NAME: run bin/compile of $pack and record the result; sources its exports.
compile() {
    local status=0
    printf -- '-----> %s app detected\n' "${label%%$'\n'*}"
    ((${#paas_named[@]} > 0)) || tell_choice
    run_script "$pack/bin/compile" "$paas_build" "$paas_cache" "$paas_env" || status=$?
    if ((status != 0)); then
        # Our own buildpacks have already printed the reason.
        [[ $pack == "$paas_packs"/* ]] && exit "$status"
        fail "The buildpack $1 failed: its bin/compile exited with status $status." \
            "The lines above say why."
    fi
    local proposed='{}'
    [[ ! -f $pack/bin/release ]] || read_release "$1"
    printf '%s\0%s\0' "${label%%$'\n'*}" "$proposed" >>"$paas_result"
}

# An export file could change $@.
readonly paas_named=("$@")
mkdir -p "$HOME" "$paas_cache"
: >"$paas_result"
cd "$paas_build"
refuse_in_the_way
refuse_encodings
if (($# == 0)); then
    detect_first || refuse_unknown
    compile "${pack##*/}"
    exit 0
fi
for ((paas_at = 0; paas_at < ${#paas_named[@]}; paas_at += 2)); do
    find_pack "${paas_named[@]:paas_at:2}"
    accept "${paas_named[paas_at + 1]}"
    compile "${paas_named[paas_at + 1]}"
    if [[ -f $pack/export ]]; then
        # As on Heroku: environment variables for later buildpacks.
        set +eu
        # shellcheck disable=SC1091
        source "$pack/export"
        set -euo pipefail
        cd "$paas_build"
    fi
done
