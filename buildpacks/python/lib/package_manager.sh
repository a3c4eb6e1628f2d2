# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# Which files list the dependencies.

# choose_package_manager: sets $package_manager (pip, uv, poetry or pipenv: the kind of files) and
# $listed_in.
choose_package_manager() {
    local name found=()
    for name in requirements.txt uv.lock poetry.lock Pipfile.lock pdm.lock environment.yml; do
        [[ -f $name ]] && found+=("$name")
    done
    # Files of other tools: recognized if nothing else lists the dependencies.
    for name in pylock.toml pylock.*.toml requirements.lock environment.yaml conda-lock.yml \
        pixi.lock; do
        [[ -f $name ]] && ((${#found[@]} == 0)) && found+=("$name")
    done
    if [[ -f Pipfile && ! -f Pipfile.lock ]]; then
        found+=(Pipfile)
    fi
    if ((${#found[@]} > 1)); then
        fail "Several files list the app's dependencies: $(join_names "${found[@]}")." \
            "It is unclear which one to use. Keep the one that you use and remove the others:" \
            "    git rm FILE; git commit; git push"
    fi
    case ${found[0]:-} in
        requirements.txt) package_manager=pip listed_in=requirements.txt ;;
        uv.lock) package_manager=uv listed_in=uv.lock ;;
        poetry.lock) package_manager=poetry listed_in=poetry.lock ;;
        Pipfile.lock) package_manager=pipenv listed_in=Pipfile.lock ;;
        Pipfile)
            fail "There is a Pipfile but no Pipfile.lock." \
                "Create it with 'pipenv lock' and commit it."
            ;;
        '') no_dependency_file ;;
        *)
            fail "The dependencies are listed in ${found[0]}, which is not supported." \
                "Supported are requirements.txt, uv.lock, poetry.lock and Pipfile.lock." \
                "Create one from it, for example with: $(export_command "${found[0]}")"
            ;;
    esac
    if [[ $package_manager == uv || $package_manager == poetry ]] && [[ ! -f pyproject.toml ]]; then
        fail "There is a $listed_in but no pyproject.toml." "Commit pyproject.toml too."
    elif [[ $package_manager == pipenv && ! -f Pipfile ]]; then
        fail "There is a Pipfile.lock but no Pipfile." "Commit the Pipfile too."
    fi
}

no_dependency_file() {
    if [[ -f pyproject.toml ]]; then
        fail "There is a pyproject.toml but no uv.lock or poetry.lock." \
            "Create it with 'uv lock' or 'poetry lock' and commit it, or list the dependencies in requirements.txt."
    fi
    fail "No requirements.txt, uv.lock, poetry.lock or Pipfile.lock was found in the app's top directory." \
        "Create one with: pip freeze > requirements.txt" \
        "An app without dependencies needs an empty requirements.txt." \
        "If you have one, check that .gitignore does not exclude it."
}

export_command() {
    case $1 in
        pdm.lock) echo 'pdm export -o requirements.txt' ;;
        pylock*) echo "uv pip compile pyproject.toml -o requirements.txt" ;;
        requirements.lock) echo "sed '/^-e file:/d' requirements.lock > requirements.txt" ;;
        pixi.lock) echo 'pixi run pip freeze > requirements.txt' ;;
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
