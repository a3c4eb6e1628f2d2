# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/compile
# Installing the packages and running the app's scripts.

install_packages() {
    if [[ -e node_modules || -L node_modules ]]; then
        warn "Warning: node_modules is part of the repository and is replaced by a new one." \
            "Remove it with: git rm -r --cached node_modules && echo node_modules/ >> .gitignore"
        rm -rf node_modules
    fi
    if reuse_packages; then
        step "Using the packages of the last build ($lock is unchanged)"
        return
    fi
    install_difference && return
    step "Installing packages with $manager $manager_version${lock:+ ($lock)}"
    case $manager in
        npm)
            if [[ -n $lock ]]; then
                run_manager npm ci --include=dev
            else
                run_manager npm install --include=dev --no-save
            fi
            ;;
        yarn)
            if ((${manager_version%%.*} >= 2)); then
                # With CI set, yarn defaults to --immutable and would refuse to write a lock file.
                if [[ -n $lock ]]; then
                    run_manager yarn install --immutable
                else
                    run_manager yarn install --no-immutable
                fi
            else
                run_manager yarn install --production=false --non-interactive --ignore-engines \
                    ${lock:+--frozen-lockfile}
            fi
            ;;
        pnpm)
            if [[ -n $lock ]]; then
                run_manager pnpm install --prod=false --frozen-lockfile
            else
                run_manager pnpm install --prod=false --no-frozen-lockfile
            fi
            ;;
    esac
}

# install_difference: install on top of the packages of an earlier build, if there are any. npm ci
# would delete and unpack all of them again. Status 1, and no node_modules, if the result is not
# exactly what the lock file lists.
install_difference() {
    start_from_kept || return 1
    step "Installing what differs from the last build, with npm $manager_version ($lock)"
    # Without --no-save it would correct a lock file that does not fit, which npm ci refuses.
    manager_command npm install --include=dev --no-save --prefer-offline 2>&1 | indent &&
        /usr/bin/python3 -I -S "$pack/lib/package.py" installed "$lock" node_modules && return
    detail "The result differs from $lock, so all packages are installed again"
    rm -rf node_modules
    return 1
}

# without_usage: filter out the manual page that npm prints if the lock file is stale.
without_usage() {
    sed -u '/^npm \(error\|ERR!\) \(Clean install a project\|Run "npm help ci"\)/,/^npm \(error\|ERR!\) A complete log/d'
}

# run_manager COMMAND...: run it and print its output as details; a failure fails the build.
run_manager() {
    local log
    log=$(mktemp)
    if ! manager_command "$@" 2>&1 | tee "$log" | without_usage | indent; then
        explain_failure "$log"
    fi
    rm -f "$log"
}

# manager_command COMMAND...: with the caches of this app, without prompts or update notices.
manager_command() {
    local settings=(CI=true 'NODE_ENV?=production' COREPACK_ENABLE_STRICT=0)
    settings+=(NPM_CONFIG_CACHE="$cache/npm" NPM_CONFIG_UPDATE_NOTIFIER=false)
    settings+=(NPM_CONFIG_FUND=false NPM_CONFIG_AUDIT=false NPM_CONFIG_PROGRESS=false)
    settings+=(YARN_ENABLE_TELEMETRY=0 YARN_ENABLE_GLOBAL_CACHE=false)
    if uses_pnp; then
        # The app runs from the archives in its own .yarn/cache, of which yarn keeps a mirror.
        settings+=(YARN_NODE_LINKER=pnp YARN_GLOBAL_FOLDER="$cache/yarn-mirror")
    else
        settings+=(YARN_CACHE_FOLDER="$cache/yarn" YARN_NODE_LINKER="$(yarn_linker)")
    fi
    if [[ $manager == pnpm ]]; then
        # Copies, since a later build could write through a link into the cache.
        settings+=(NPM_CONFIG_STORE_DIR="$cache/pnpm" NPM_CONFIG_PACKAGE_IMPORT_METHOD=copy)
        # The names of these settings since pnpm 11.
        settings+=(PNPM_CONFIG_STORE_DIR="$cache/pnpm" PNPM_CONFIG_PACKAGE_IMPORT_METHOD=copy)
    fi
    with_config "${settings[@]}" -- "$@"
}

# explain_failure LOG: fail the build with the package manager's error, as one sentence.
explain_failure() {
    local text=''
    IFS= read -r -d '' text <"$1" || true
    case $text in
        *'are in sync'* | *ERR_PNPM_*OUTDATED_LOCKFILE* | *'needs to be updated'* | *YN0028* | *'would have been modified'*)
            stale_lock
            ;;
    esac
    local quoted="'((@[^@'/ ]+/)?[^@'/ ]+)@([^' ]+)' (is not in|could not be found)"
    if [[ $text =~ $quoted ]]; then
        refuse_missing "${BASH_REMATCH[1]}" "${BASH_REMATCH[3]}"
    elif [[ $text =~ (404|ERR_PNPM_FETCH_404)[^$'\n']*(Not\ Found|not\ found)[^$'\n']*/(@?[A-Za-z0-9._~%/-]+) ]]; then
        fail "There is no package '${BASH_REMATCH[3]}' in the package registry." \
            "Check the name at https://www.npmjs.com, correct package.json, commit, and push again."
    elif [[ $text =~ 'No matching version found for '([^[:space:]]+) ]]; then
        fail "There is no version ${BASH_REMATCH[1]%.} in the package registry." \
            "Choose one that exists, correct package.json, commit, and push again."
    fi
    fail "The packages could not be installed with $manager." \
        "The lines above say why. Correct package.json, commit, and push again."
}

# refuse_missing PACKAGE VERSION: fail the build. VERSION may be the URL of its archive, such as
# https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz
refuse_missing() {
    local package=$1 version=$2
    version=${version##*/"${package##*/}"-}
    fail "There is no package $package ${version%.tgz} in the package registry." \
        "Check name and version at https://www.npmjs.com/package/$package, correct package.json," \
        "recreate the lock file with '$manager install', commit, and push again."
}

# build_app: as on Heroku, heroku-postbuild replaces build.
build_app() {
    if has_script heroku-postbuild; then
        run_script_if heroku-postbuild
    else
        run_script_if build
    fi
}

# run_script_if NAME: run a script of package.json if it exists.
run_script_if() {
    has_script "$1" || return 0
    step "Running the script $1"
    local status=0
    manager_command "$manager" run "$1" 2>&1 | indent || status=$?
    if ((status != 0)); then
        fail "The script $1 of package.json failed." \
            "Its output is above. Correct it, commit, and push again."
    fi
}
