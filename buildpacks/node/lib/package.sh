# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/compile
# Reads package.json, and finds out which package manager the app uses.

# read_package: sets $asked_node, $asked_manager (pnpm@9.1.0), $scripts (their names, one a line
# with a newline on either side).
read_package() {
    local found reason
    # -I -S: it only reads files of the app and must not run any.
    if ! found=$(/usr/bin/python3 -I -S "$pack/lib/package.py" read package.json); then
        reason=${found%%$'\n'*}
        fail "$reason" "Correct package.json, commit, and push again."
    fi
    { IFS= read -r asked_node && IFS= read -r asked_manager; } <<<"$found"
    scripts=$'\n'${found#*$'\n'*$'\n'}$'\n'
}

has_script() { [[ $scripts == *$'\n'"$1"$'\n'* ]]; }

# choose_manager: sets $manager (npm, yarn, pnpm) and $lock (its lock file, or empty).
choose_manager() {
    local name found=()
    for name in package-lock.json npm-shrinkwrap.json yarn.lock pnpm-lock.yaml; do
        [[ -f $name ]] && found+=("$name")
    done
    # npm itself prefers the shrinkwrap.
    if [[ ${found[*]} == 'package-lock.json npm-shrinkwrap.json' ]]; then
        found=(npm-shrinkwrap.json)
    fi
    for name in bun.lock bun.lockb deno.lock; do
        if [[ -f $name ]] && ((${#found[@]} == 0)); then
            fail "The packages are locked in $name, of ${name%%.*}, which is not supported." \
                "Supported are npm, yarn and pnpm. Create a lock file of one of them and commit it:" \
                "    npm install --package-lock-only && git add package-lock.json"
        fi
    done
    if ((${#found[@]} > 1)); then
        fail "There are several lock files: ${found[*]}." \
            "They belong to different package managers, so it is unclear which one to use." \
            "Keep the one that you use and remove the others: git rm FILE; git commit; git push"
    fi
    lock=${found[0]:-}
    case $lock in
        yarn.lock) manager=yarn ;;
        pnpm-lock.yaml) manager=pnpm ;;
        '') manager=${asked_manager%%@*} ;;
        *) manager=npm ;;
    esac
    [[ $manager == yarn || $manager == pnpm ]] || manager=npm
    if [[ -z $lock ]]; then
        warn "Warning: there is no lock file, so each build may get other versions of packages." \
            "Create one with '$manager install' and commit it."
    fi
}

# setting NAME: print a config var of the build, from ENV or the environment; nothing if unset.
setting() {
    local value=${!1:-}
    if has_config "$1"; then
        IFS= read -r -d '' value <"$env/$1" || true
    fi
    printf '%s' "$value"
}

# yarn_linker: print how yarn is to make the packages available: as the config var or .yarnrc.yml
# says. yarn's own default, Plug'n'Play, suits few apps.
yarn_linker() {
    local linker
    linker=$(setting YARN_NODE_LINKER)
    if [[ -z $linker && -f .yarnrc.yml ]]; then
        linker=$(sed -nE "s/^nodeLinker: *[\"']?([a-z-]+).*/\1/p" .yarnrc.yml)
    fi
    [[ -n $linker || ! -f .pnp.cjs ]] || linker=pnp
    printf '%s' "${linker:-node-modules}"
}

# uses_pnp: whether the app loads its packages from archives, by .pnp.cjs.
uses_pnp() {
    [[ $manager == yarn && ${manager_version%%.*} -ge 2 ]] && [[ $(yarn_linker) == pnp ]]
}

# write_release: write the default process of an app without a Procfile, for bin/release.
write_release() {
    local command='' program
    rm -f .paas/node.json
    [[ ! -f Procfile ]] || return 0
    if has_script start; then
        command="$manager start"
    else
        program=$(/usr/bin/python3 -I -S "$pack/lib/package.py" program package.json)
        [[ -z $program ]] || command="node $program"
    fi
    if [[ -n $command ]]; then
        printf '{"default_process_types": {"web": "%s"}}\n' "$command" >.paas/node.json
    fi
}
