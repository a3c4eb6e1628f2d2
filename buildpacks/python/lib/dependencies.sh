# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# The installation of the dependencies, with uv or with the tool that wrote the lock file.

install_dependencies() {
    [[ -d $cache ]] || mkdir -p "$cache"
    # Exported here, because with_config lets no config var replace these.
    export UV_PROJECT_ENVIRONMENT=$VIRTUAL_ENV UV_PYTHON_DOWNLOADS=never
    export UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_NO_PROGRESS=1
    export UV_CACHE_DIR=${UV_CACHE_DIR:-$cache/uv}
    if [[ -e .venv || -L .venv ]]; then
        warn "Warning: .venv is part of the repository and is replaced by a new one." \
            "Remove it with: git rm -r --cached .venv && echo .venv/ >> .gitignore"
        rm -rf .venv
    fi
    if reuse_dependencies; then
        step "Using the dependencies of the last build ($listed_in is unchanged)"
        return
    fi
    kept=no
    check_lock
    if start_from_earlier; then
        step "Installing what differs from the last build, with uv ($listed_in)"
        # Exactly what a new environment would get: newer versions if the file allows them, and no
        # packages that it no longer lists.
        exact=(--exact)
        install_listed && is_exact && return
        exact=()
        rm -rf .venv
    else
        step "Installing dependencies with uv ($listed_in)"
    fi
    run_uv venv --quiet --no-project --no-config --python "$python" .venv
    install_listed
}

exact=()

# install_listed: install into .venv, which is new or has the packages of an earlier build. Status 1
# if these may be why it failed.
install_listed() {
    local upgrade=()
    ((${#exact[@]} == 0)) || upgrade=(--upgrade)
    case $package_manager in
        # --frozen, since --locked refuses a lock file made with another package index.
        uv) run_uv sync --frozen --no-default-groups --python "$python" ;;
        poetry) install_with_poetry ;;
        pipenv) install_with_pipenv ;;
        *) install_list requirements.txt "${upgrade[@]}" ;;
    esac
}

# install_list FILE OPTION...: install a list of requirements.
install_list() {
    local file=$1
    shift
    run_uv pip install --python .venv/bin/python "${exact[@]}" "$@" --requirements "$file"
}

# check_lock: check that the lock file matches the listed dependencies, if the files alone tell.
check_lock() {
    case $package_manager in
        uv) "$SYSTEM_PYTHON" -I -S "$pack/lib/uv_lock.py" "$build" || stale_lock "uv lock" ;;
        poetry) "$SYSTEM_PYTHON" -I -S "$pack/lib/poetry_lock.py" "$build" || stale_lock "poetry lock" ;;
        pipenv)
            "$SYSTEM_PYTHON" -I -S "$pack/lib/pipfile.py" check Pipfile Pipfile.lock | indent ||
                stale_lock "pipenv lock"
            ;;
    esac
}

# install_with_poetry: poetry reads its lock file; uv installs what it lists, and the app itself if
# it is a package, as on Heroku.
install_with_poetry() {
    provide_tool poetry --with poetry-plugin-export
    check_with_poetry
    # With the credentials of POETRY_HTTP_BASIC_*; uv masks them in what it prints.
    list_with poetry export --only main --with-credentials --format requirements.txt
    install_list "$cache/requirements.txt" || return
    if grep -q '^\[build-system\]' pyproject.toml &&
        ! grep -qE '^package-mode *= *false' pyproject.toml; then
        run_uv pip install --python .venv/bin/python --no-deps --editable .
    fi
}

# check_with_poetry: fail the build if poetry cannot use the two files, or its own settings.
check_with_poetry() {
    tool_command poetry check --lock --no-interaction >"$cache/said" 2>&1 && return
    indent <"$cache/said"
    ! grep -qE 'changed significantly|is not up to date with the lock file' "$cache/said" ||
        stale_lock "poetry lock"
    fail "poetry cannot use pyproject.toml and poetry.lock." \
        "The lines above say why. Correct the files, or the config vars POETRY_*, and push again."
}

# list_with NAME ARGUMENT...: save a package manager's output as a list of requirements.
list_with() {
    if ! tool_command "$@" >"$cache/requirements.txt" 2>"$cache/said"; then
        indent <"$cache/said"
        fail "$listed_in cannot be read by $1." \
            "The lines above say why. Create it again with '$1 lock', and commit it."
    fi
}

# install_with_pipenv: pipenv reads its lock file; uv installs what it lists.
install_with_pipenv() {
    provide_tool pipenv
    list_with pipenv requirements
    install_list "$cache/requirements.txt"
}

stale_lock() {
    local source=pyproject.toml
    [[ $package_manager != pipenv ]] || source=Pipfile
    fail "$listed_in no longer matches $source." \
        "Update it with '$1', commit it, and push again."
}

# provide_tool NAME [OPTION...]: install a package manager, which the server lacks, in this app's cache.
provide_tool() {
    local tools=$cache/tools name=$1
    if [[ ! -x $tools/bin/$name ]]; then
        step "Installing $name, which reads $listed_in"
        UV_TOOL_DIR=$tools/environments UV_TOOL_BIN_DIR=$tools/bin \
            run_uv tool install --quiet --no-config --python "$SYSTEM_PYTHON" "$@"
    fi
}

# tool_command NAME ARGUMENT...: run it on the app's .venv, without prompts.
tool_command() {
    local name=$1
    shift
    # Without PYTHONPATH: a module of the app must not replace one of the tool.
    with_config VIRTUAL_ENV="$build/.venv" PATH="$build/.venv/bin:$PATH" PYTHONPATH= CI=true \
        PIPENV_VERBOSITY=-1 PIPENV_NOSPIN=1 PIPENV_YES=1 POETRY_VIRTUALENVS_CREATE=false \
        POETRY_CACHE_DIR="$cache/poetry" POETRY_NO_INTERACTION=1 -- "$cache/tools/bin/$name" "$@"
}
