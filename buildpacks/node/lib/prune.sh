# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/compile
# Taking away what only the build needed.

# prune_packages: the dependencies for development go, unless the app wants them at run time.
prune_packages() {
    [[ -d node_modules ]] || return 0
    local keep
    keep=$(setting NPM_CONFIG_PRODUCTION)$(setting YARN_PRODUCTION)
    if [[ $keep == *false* || $(setting "${manager^^}_SKIP_PRUNING") == true ]]; then
        detail "The dependencies for development are kept, as the config vars say"
        return
    fi
    step "Removing the dependencies for development"
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

# name_what_is_gone NAME...: in the place of each program that was removed, the last on an
# instance's PATH, one that says where it went.
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
