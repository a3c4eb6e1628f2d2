# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/compile
# Removing what only the build needed.

# prune_packages: remove devDependencies, unless the app needs them at run time.
prune_packages() {
    [[ -d node_modules ]] || return 0
    local keep
    keep=$(setting NPM_CONFIG_PRODUCTION)$(setting YARN_PRODUCTION)
    if [[ $keep == *false* || $(setting "${manager^^}_SKIP_PRUNING") == true ]]; then
        detail "The devDependencies are kept, as set by the config vars"
        return
    fi
    # npm takes seconds to find that there are none.
    if [[ $manager == npm && -n $lock ]] && ! grep -qE '"dev(Optional)?": true' "$lock"; then
        return
    fi
    step "Removing the devDependencies"
    local before=(node_modules/.bin/*)
    case $manager in
        npm) run_manager npm prune --omit=dev --ignore-scripts ;;
        pnpm) run_manager pnpm prune --prod --ignore-scripts ;;
        yarn)
            if ((${manager_version%%.*} < 2)); then
                run_manager yarn install --production --ignore-scripts --prefer-offline \
                    --non-interactive --ignore-engines ${lock:+--frozen-lockfile}
            else
                run_manager yarn workspaces focus --all --production
            fi
            ;;
    esac
    name_what_is_gone "${before[@]##*/}"
}

# name_what_is_gone NAME...: for each program that was removed, put a script at the end of the
# instance's PATH that explains why it is missing.
name_what_is_gone() {
    local name gone=()
    for name; do
        [[ $name == '*' || -e node_modules/.bin/$name ]] || gone+=("$name")
    done
    rm -rf .paas/pruned
    ((${#gone[@]} > 0)) || return 0
    mkdir -p .paas/pruned
    install -m 755 "$pack/lib/pruned.sh" .paas/pruned/.pruned
    for name in "${gone[@]}"; do
        ln -s .pruned ".paas/pruned/$name"
    done
}
