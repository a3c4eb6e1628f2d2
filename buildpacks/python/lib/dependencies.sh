# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# Which files list the dependencies, and their installation with uv.

# choose_package_manager: sets $package_manager (pip or uv: the kind of files) and $listed_in.
choose_package_manager() {
    local name found=()
    for name in requirements.txt uv.lock poetry.lock Pipfile.lock pdm.lock environment.yml; do
        [[ -f $name ]] && found+=("$name")
    done
    if [[ -f Pipfile && ! -f Pipfile.lock ]]; then
        found+=(Pipfile)
    fi
    if ((${#found[@]} > 1)); then
        fail "Several files list the app's dependencies: $(join_names "${found[@]}")." \
            "Which of them counts would be a guess. Keep the one that you use, then:" \
            "    git rm FILE; git commit; git push"
    fi
    case ${found[0]:-} in
        requirements.txt) package_manager=pip listed_in=requirements.txt ;;
        uv.lock) package_manager=uv listed_in=uv.lock ;;
        '') no_dependency_file ;;
        *)
            fail "The dependencies are listed in ${found[0]}, which is not supported." \
                "Supported are requirements.txt, and pyproject.toml with uv.lock." \
                "Make one from it, for example with: $(export_command "${found[0]}")"
            ;;
    esac
    if [[ $package_manager == uv && ! -f pyproject.toml ]]; then
        fail "There is a uv.lock but no pyproject.toml." "Commit pyproject.toml too."
    fi
}

no_dependency_file() {
    if [[ -f pyproject.toml ]]; then
        fail "There is a pyproject.toml but no uv.lock." \
            "Make it with 'uv lock' and commit it, or list the dependencies in requirements.txt."
    fi
    fail "No requirements.txt and no uv.lock was found in the top directory of the app." \
        "Make one with: pip freeze > requirements.txt" \
        "An app without dependencies needs an empty requirements.txt." \
        "If you have the file, check that .gitignore does not exclude it."
}

export_command() {
    case $1 in
        poetry.lock) echo 'poetry export -o requirements.txt' ;;
        Pipfile*) echo 'pipenv requirements > requirements.txt' ;;
        pdm.lock) echo 'pdm export -o requirements.txt' ;;
        *) echo 'pip freeze > requirements.txt' ;;
    esac
}

# join_names NAME...: a, b and c
join_names() {
    local text=$1 last=${!#}
    shift
    while (($# > 1)); do
        text+=", $1"
        shift
    done
    printf '%s' "$text and $last"
}

install_dependencies() {
    [[ -d $cache ]] || mkdir -p "$cache"
    if [[ -e .venv || -L .venv ]]; then
        warn "Warning: .venv is part of the repository and is replaced by a new one." \
            "Remove it with: git rm -r --cached .venv && echo .venv/ >> .gitignore"
        rm -rf .venv
    fi
    if reuse_dependencies; then
        step "Using the dependencies of the last build ($listed_in is unchanged)"
        return
    fi
    step "Installing dependencies with uv ($listed_in)"
    # Exported here, because with_config lets no config var replace these.
    export UV_PROJECT_ENVIRONMENT=$VIRTUAL_ENV UV_PYTHON_DOWNLOADS=never
    export UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_PROGRESS=1
    export UV_CACHE_DIR=${UV_CACHE_DIR:-$cache/uv}
    run_uv venv --quiet --no-project --no-config --python "$python" .venv
    if [[ $package_manager == uv ]]; then
        run_uv sync --frozen --no-dev --python "$python"
    else
        run_uv pip install --python .venv/bin/python --requirements requirements.txt
    fi
}

# run_uv ARGUMENT...: its output as details; a failure ends the build.
run_uv() {
    local log
    log=$(mktemp)
    if ! with_config uv_command "$@" 2>&1 | tee "$log" | indent; then
        explain_failure "$log"
    fi
    rm -f "$log"
}

# uv_command ARGUMENT...: uv with what pip would have been told by environment variables.
uv_command() {
    use_pip_setting PIP_INDEX_URL UV_DEFAULT_INDEX UV_INDEX_URL
    use_pip_setting PIP_EXTRA_INDEX_URL UV_EXTRA_INDEX_URL UV_INDEX
    use_pip_setting PIP_TRUSTED_HOST UV_INSECURE_HOST
    use_pip_setting PIP_CERT SSL_CERT_FILE
    PIP_FIND_LINKS=${PIP_FIND_LINKS:-}
    PIP_FIND_LINKS=${PIP_FIND_LINKS// /,}
    use_pip_setting PIP_FIND_LINKS UV_FIND_LINKS
    exec uv "$@"
}

# use_pip_setting PIP_NAME UV_NAME [OTHER]: unless one of uv's own names is set.
use_pip_setting() {
    local value=${!1:-} other=${3:-}
    if [[ -n $value && -z ${!2:-} ]] && [[ -z $other || -z ${!other:-} ]]; then
        export "$2=$value"
    fi
}

# explain_failure LOG: end the build with what uv says, in one sentence where that is known.
explain_failure() {
    local text='' name='([][A-Za-z0-9._,-]+)'
    IFS= read -r -d '' text <"$1" || true
    text=${text//$'\n'/ }
    while [[ $text == *'  '* ]]; do text=${text//  / }; done
    if [[ $text =~ $name' was not found in the'|$name' was not found in the provided' ]]; then
        fail "There is no package '${BASH_REMATCH[1]}' in the package index ($listed_in)." \
            "Check the name at https://pypi.org, correct $listed_in, commit, and push again."
    elif [[ $text =~ 'there is no version of '([^ ]+) ]]; then
        fail "There is no version ${BASH_REMATCH[1]%,} in the package index ($listed_in)." \
            "Choose one that exists, correct $listed_in, commit, and push again."
    elif [[ $text =~ 'Failed to build `'([^\`]+) || $text =~ 'Failed to build: '([^ ]+) ]]; then
        fail "The dependency ${BASH_REMATCH[1]} could not be built ($listed_in)." \
            "The lines above say why; often a library's headers are missing on the server." \
            "A version with a ready-made wheel for Python $python_version avoids that."
    fi
    fail "The dependencies in $listed_in could not be installed." \
        "The lines above say why. Correct $listed_in, commit, and push again."
}
