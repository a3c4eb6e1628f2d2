# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/compile
# The packages of the last build, kept as one archive until something changes that determines what
# is installed.

# Must be changed when a build makes something else from the same files.
readonly REUSE_FORMAT=1
key='' reusable=no reused=no

# reuse_packages: unpack the kept ones into node_modules. Status 1 if they do not fit.
reuse_packages() {
    local kept='' file sources=()
    [[ -n $lock ]] || return 1
    /usr/bin/python3 -I -S "$pack/lib/package.py" stable package.json "$lock" || return 1
    for file in package.json "$lock" .npmrc .yarnrc .yarnrc.yml .pnpmfile.cjs \
        "$env"/NPM_* "$env"/YARN_* "$env"/PNPM_*; do
        [[ -f $file ]] && sources+=("$file")
    done
    reusable=yes
    key="format $REUSE_FORMAT, node $node_version, $manager $manager_version"
    key+=$'\n'$(sha256sum -- "${sources[@]}")
    [[ -f $cache/key && -f $cache/node_modules.tar ]] || return 1
    IFS= read -r -d '' kept <"$cache/key" || true
    [[ $kept == "$key" ]] || return 1
    if ! tar -xf "$cache/node_modules.tar"; then
        rm -rf node_modules "$cache/key"
        return 1
    fi
    reused=yes
}

# keep_packages: keep them as installed for the next build, since the build script may change them.
keep_packages() {
    [[ $reusable == yes && $reused == no && -d node_modules ]] || return 0
    rm -f "$cache/key"
    tar -cf "$cache/node_modules.tar.new" node_modules
    mv "$cache/node_modules.tar.new" "$cache/node_modules.tar"
    printf '%s' "$key" >"$cache/key"
}
