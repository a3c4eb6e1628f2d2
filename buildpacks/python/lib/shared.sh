# shellcheck shell=bash disable=SC2154 # variables are shared with bin/compile
# Dependencies in a layer that the slugs of an app share, if the platform offers it: the build finds
# in $PAAS_DEPENDENCIES, read-only, what an earlier one installed, and need not unpack it. The same
# is in $changeable, where the build can change it; the platform makes a layer of its own of that.

readonly layer=${PAAS_DEPENDENCIES:-} offer=$2/../dependencies-key
readonly changeable=$layer-changeable
installed_at=''

# may_share: whether nothing writes into .venv but what is installed here.
may_share() { [[ -n $layer && $reusable == yes && ! -e bin/post_compile ]]; }

# link_shared: make .venv a link to the layer, if that is what this build would install.
link_shared() {
    may_share && [[ -f $layer/key && -d $layer/files/.venv/bin ]] || return 1
    local found=''
    IFS= read -r -d '' found <"$layer/key" || true
    [[ $found == "$key" ]] || return 1
    ln -s "$layer/files/.venv" .venv
}

# change_shared: make .venv a modifiable view of the newest layer. Status 1 if there is none, or if
# it was built differently.
change_shared() {
    may_share && [[ -f $layer/key && -d $changeable/bin ]] || return 1
    local found=()
    mapfile -d '' -t found <"$layer/key"
    ((${#found[@]} == 3)) && is_same_base "${found[1]}" "${found[2]}" || return 1
    ln -s "$changeable" .venv
}

# is_changed_layer: whether .venv is a layer that this build may change.
is_changed_layer() { [[ -L .venv && .venv -ef $changeable ]]; }

# own_dependencies: have .venv be a directory that can be written to.
own_dependencies() {
    [[ -L .venv ]] && ! is_changed_layer || return 0
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
    may_share && [[ -n $installed_at && -d .venv ]] || return 0
    [[ ! -L .venv ]] || is_changed_layer || return 0
    local changed
    changed=$(find .venv/ ! -type d ! -name '*.pyc' -cnewer "$installed_at" -print -quit)
    [[ -z $changed ]] || return 0
    [[ -n $base ]] || compute_base
    printf '%s\0' "$key" "$base" "$(<"$locked")" >"$offer"
}
