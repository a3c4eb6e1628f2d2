# shellcheck shell=bash
# The app's config vars, one file each in ENV (Heroku's buildpack API), for the commands of a build.
# $env is the directory.

# with_config [NAME=VALUE | NAME?=VALUE]... -- PROGRAM ARGUMENT...: run it with the config vars in
# its environment, except those that would break the build itself. No config var ever becomes a
# variable of these scripts.
with_config() {
    # -I -S: it must not run any of the app's code.
    /usr/bin/python3 -I -S "${BASH_SOURCE[0]%/*}/with_config.py" "${env:?}" "$@"
}

# has_config NAME: whether the config var is set.
has_config() { [[ -f ${env:?}/$1 ]]; }
