# shellcheck shell=bash disable=SC2154 # variables are shared with bin/compile
# Dependencies in a layer that the slugs of an app share, if the platform offers it: the build finds
# in $PAAS_DEPENDENCIES, read-only, what an earlier one installed, and need not unpack it.

readonly layer=${PAAS_DEPENDENCIES:-} offer=$2/../dependencies-key
installed_at=''

# may_share: whether nothing writes into .venv but what is installed here.
may_share() { [[ -n $layer && $reusable == yes && ! -e bin/post_compile ]]; }

# link_shared: have .venv be the layer, if it is what this build would install.
link_shared() {
    may_share && [[ -f $layer/key && -d $layer/files/.venv/bin ]] || return 1
    local found=''
    IFS= read -r -d '' found <"$layer/key" || true
    [[ $found == "$key" ]] || return 1
    ln -s "$layer/files/.venv" .venv
}

# own_dependencies: have .venv be a directory that can be written to.
own_dependencies() {
    [[ -L .venv ]] || return 0
    rm .venv
    cp -R --preserve=mode,timestamps,links "$layer/files/.venv" .venv
}

# note_installed: remember when all was installed.
note_installed() {
    may_share || return 0
    installed_at=$(mktemp)
}

# offer_shared: tell the platform that it can take .venv for later builds; not if a program of the
# app has written into it since, such as collectstatic.
offer_shared() {
    may_share && [[ -n $installed_at && -d .venv && ! -L .venv ]] || return 0
    local changed
    changed=$(find .venv ! -type d ! -name '*.pyc' -cnewer "$installed_at" -print -quit)
    [[ -n $changed ]] || printf '%s' "$key" >"$offer"
}
