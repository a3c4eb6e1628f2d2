# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with bin/compile
# Chooses Node.js and the package manager in the versions of package.json, or the system's.

# choose_node: sets $node_version; if it is not the system's, it is put first on PATH.
choose_node() {
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        fail "There is no Node.js with npm on this server." \
            "Ask the server's administrator to install it: apt-get install nodejs npm" \
            "or a newer one: https://github.com/nodesource/distributions"
    fi
    node_version=$(node --version)
    node_version=${node_version#v}
    if [[ -z $asked_node ]]; then
        step "Using Node.js $node_version, as package.json requires no version"
        detail 'To choose one, add to package.json: "engines": {"node": "'"${node_version%%.*}"'.x"}'
    elif node "$pack/lib/satisfies.js" "$node_version" "$asked_node"; then
        step "Using Node.js $node_version, which fits engines.node ($asked_node)"
    else
        fetch_node
    fi
    export NODE_ENV=${NODE_ENV:-production}
}

# fetch_node: fetch the Node.js of engines from npm's registry, where it is a package.
fetch_node() {
    local machine directory=$cache/nodes/${asked_node//[^A-Za-z0-9.]/_} log
    case $(uname -m) in
        x86_64) machine=x64 ;;
        aarch64) machine=arm64 ;;
        *) machine='' ;;
    esac
    if [[ ! -x $directory/bin/node ]] || [[ -n $(find "$directory/bin/node" -mtime +7) ]]; then
        step "Fetching Node.js $asked_node, as engines.node requires (the server has $node_version)"
        rm -rf "$directory"
        mkdir -p "$directory"
        log=$(mktemp)
        if [[ -z $machine ]] || ! npm install --prefix "$directory" --no-save --ignore-scripts \
            --no-package-lock --cache "$cache/npm" --no-audit --no-fund --loglevel=error \
            "node-linux-$machine@$asked_node" >"$log" 2>&1; then
            indent <"$log"
            fail "Node.js $asked_node, which engines.node in package.json requires, is not available." \
                "The server has $node_version. Require that, or a version that exists, for example:" \
                '    "engines": {"node": "'"${node_version%%.*}"'.x"}'
        fi
        mv "$directory/node_modules/node-linux-$machine/bin" "$directory/bin"
        rm -rf "$directory/node_modules"
        touch "$directory/bin/node"
    fi
    mkdir -p .paas/node
    cp -R "$directory/bin" .paas/node/bin
    export PATH=$build/.paas/node/bin:$PATH
    node_version=$(node --version)
    node_version=${node_version#v}
    step "Using Node.js $node_version, which fits engines.node ($asked_node)"
}

# choose_manager_version: yarn and pnpm in the version of packageManager or the lock file, from the
# cache; npm is the system's. Sets $manager_version.
choose_manager_version() {
    local wanted=${asked_manager#*@}
    wanted=${wanted%%+*}
    [[ $asked_manager == "$manager"@* ]] || wanted=''
    if [[ $manager == npm ]]; then
        manager_version=$(npm --version)
        return
    fi
    if [[ -z $wanted ]]; then
        wanted=$(locked_version)
    fi
    local name=$manager directory=$cache/tools/$manager-$wanted
    if [[ ! $wanted =~ ^[0-9]+(\.[0-9]+){0,2}$ ]]; then
        fail "packageManager in package.json does not have the form $manager@1.2.3." \
            "Correct package.json, commit, and push again."
    fi
    [[ $manager == yarn && ${wanted%%.*} -ge 2 ]] && name=@yarnpkg/cli-dist
    if [[ ! -e $directory/node_modules/.bin/$manager ]]; then
        step "Fetching $manager $wanted"
        mkdir -p "$directory"
        if ! npm install --prefix "$directory" --no-save --no-package-lock --no-audit --no-fund \
            --cache "$cache/npm" --loglevel=error "$name@$wanted" 2>&1 | indent; then
            rm -rf "$directory"
            fail "$manager $wanted could not be fetched." "The lines above say why."
        fi
    fi
    # Instances have it, too: a Procfile may contain "yarn start".
    mkdir -p .paas/tools
    cp -R "$directory/node_modules" .paas/tools/
    export PATH=$build/.paas/tools/node_modules/.bin:$PATH
    # pnpm must not switch to another version of itself (the first name: up to pnpm 10).
    export NPM_CONFIG_MANAGE_PACKAGE_MANAGER_VERSIONS=false PNPM_CONFIG_PM_ON_FAIL=ignore
    manager_version=$("$manager" --version)
}

# locked_version: print which version of the package manager made the lock file.
locked_version() {
    local text=''
    [[ -z $lock ]] || IFS= read -r -N 2000 -d '' text <"$lock" || true
    if [[ $manager == yarn ]]; then
        # https://github.com/yarnpkg/berry: each version of the lock file belongs to one of yarn.
        if [[ ! $text =~ __metadata:[[:space:]]*version:\ *([0-9]+) ]]; then
            echo 1
        elif ((BASH_REMATCH[1] < 8)); then
            if ((BASH_REMATCH[1] < 5)); then echo 2; else echo 3; fi
        else
            if ((BASH_REMATCH[1] == 8)); then echo 4.5; else echo 4; fi
        fi
    elif [[ $text =~ lockfileVersion:\ *[\'\"]?([0-9]+) && ${BASH_REMATCH[1]} -lt 9 ]]; then
        # pnpm 8 wrote version 6, pnpm 7 wrote 5.
        if ((BASH_REMATCH[1] >= 6)); then echo 8; else echo 7; fi
    else
        # The newest major version that runs on this Node.js.
        if ((${node_version%%.*} >= 22)); then echo 10; else echo 9; fi
    fi
}
