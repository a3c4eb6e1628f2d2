#!/bin/bash
# Build an app: find its buildpack, compile, and write down what was made.
#
# Usage: build.sh BUILDPACKS BUILD CACHE ENV RESULT
#
# Runs inside the build sandbox as the app's own uid. RESULT becomes: the buildpack's folder, the
# name that its bin/detect printed, and then the YAML of its bin/release. It stays empty where no
# buildpack accepts the app, and the exit status is 100 then. https://devcenter.heroku.com/articles/buildpack-api
set -euo pipefail

buildpacks=$1 build=$2 cache=$3 env=$4 result=$5
mkdir -p "$HOME" "$cache"
: >"$result"
cd "$build"

while read -r name _; do
    [[ -z $name || $name == '#'* ]] && continue
    pack=$buildpacks/$name
    if label=$("$pack/bin/detect" "$build"); then
        printf '%s\n' "$name" "${label%%$'\n'*}" >"$result"
        printf -- '-----> %s app detected\n' "${label%%$'\n'*}"
        "$pack/bin/compile" "$build" "$cache" "$env"
        if [[ -x $pack/bin/release ]]; then
            "$pack/bin/release" "$build" >>"$result"
        fi
        exit 0
    fi
done <"$buildpacks/order.txt"
exit 100
