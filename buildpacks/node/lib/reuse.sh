# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/compile
# The packages of the last build, kept as one archive. They are used unchanged until something
# changes that determines what is installed. If that is only package.json and npm's lock file, npm
# installs the difference on top of them.

# Must be changed when a build makes something else from the same files.
readonly REUSE_FORMAT=2
key='' base='' reusable=no reused=no

# reuse_packages: unpack the kept ones into node_modules. Status 1 if they do not fit.
reuse_packages() {
    [[ -n $lock ]] || return 1
    /usr/bin/python3 -I -S "$pack/lib/package.py" stable package.json "$lock" || return 1
    reusable=yes
    compute_key
    is_kept key "$key" && unpack_kept && reused=yes
}

# start_from_kept: unpack those of an earlier build into node_modules, for npm to change. Status 1 if
# they may have been made in another way.
start_from_kept() {
    [[ $manager == npm && $reusable == yes && $reused == no ]] || return 1
    is_kept base "$base" && unpack_kept
}

# is_kept NAME TEXT: whether the archive belongs to this key, or base.
is_kept() {
    local kept=''
    [[ -f $cache/key && -f $cache/$1 && -f $cache/node_modules.tar ]] || return 1
    IFS= read -r -d '' kept <"$cache/$1" || true
    [[ $kept == "$2" ]]
}

# unpack_kept: status 1, and no node_modules, if it fails.
unpack_kept() {
    if ! tar -xf "$cache/node_modules.tar"; then
        rm -rf node_modules "$cache/key"
        return 1
    fi
}

# compute_key: set $key to everything that determines what is installed, and $base to the same
# without the two files that list the packages.
compute_key() {
    local file settings=()
    for file in .npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs "$env"/NPM_* "$env"/YARN_* "$env"/PNPM_*; do
        [[ -f $file ]] && settings+=("$file")
    done
    base="format $REUSE_FORMAT, node $node_version, $manager $manager_version"
    ((${#settings[@]} == 0)) || base+=$'\n'$(sha256sum -- "${settings[@]}")
    key=$base$'\n'$(sha256sum -- package.json "$lock")
}

# keep_packages: keep them as installed for the next build, since the build script may change them.
keep_packages() {
    [[ $reusable == yes && $reused == no && -d node_modules ]] || return 0
    rm -f "$cache/key"
    tar -cf "$cache/node_modules.tar.new" node_modules
    mv "$cache/node_modules.tar.new" "$cache/node_modules.tar"
    printf '%s' "$base" >"$cache/base"
    printf '%s' "$key" >"$cache/key"
}
