# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# Chooses Python: as runtime.txt, .python-version or Pipfile.lock requires; else that of the last
# build; else the newest that fits (paas/adapters/builds/python_choice.py); else the system's.
# Sets $python (its path), $python_version (3.11.2) and $python_origin (for messages).

readonly SYSTEM_PYTHON=/usr/bin/python3
# In Heroku's form: N.N or N.N.N.
readonly VERSION_PATTERN='(3\.(0|[1-9][0-9]?)(\.(0|[1-9][0-9]?))?)'

choose_python() {
    local requested='' origin=''
    read_requested_version
    if [[ -z $requested && -n ${PAAS_PYTHON_WHY:-} ]]; then
        # Chosen outside the sandbox, where a Python can be fetched.
        use_chosen_version
    elif [[ -z $requested ]] && use_last_version; then
        step "Using Python $python_version, the version of the last build"
        detail "To choose one, add a .python-version file with a line like ${python_version%.*}"
    elif [[ -z $requested ]]; then
        python=$SYSTEM_PYTHON
        system_version "$python"
        step "Using Python $python_version, as no version is specified"
        detail "To choose one, add a .python-version file with a line like ${python_version%.*}"
    elif find_python "$requested"; then
        step "Using Python $python_version specified in $origin"
    else
        local available
        available=$(available_versions)
        fail "Python $requested, which $origin requires, is not available on this server." \
            "Available: ${available//$'\n'/, }." \
            "$(how_to_change_version), or ask the server's administrator to add Python $requested."
    fi
    printf '%s\n' "${python_version%.*}" >"$cache/version"
}

# how_to_change_version: print how to change the version in $origin. pipenv makes its lock file from
# the Pipfile, and rejects one that was edited by hand.
how_to_change_version() {
    if [[ $origin == Pipfile.lock ]]; then
        echo "Change python_version in the Pipfile to one of these, run 'pipenv lock', commit both"
    else
        echo "Change $origin to one of these"
    fi
}

# use_chosen_version: use $PAAS_PYTHON; if it is unset, no Python meets the app's requirement.
use_chosen_version() {
    python=$SYSTEM_PYTHON
    system_version "$python"
    # By the same path as in the next build, which finds it as the version of the last one: the path
    # is part of the key of the kept dependencies.
    if [[ $python_version != "${PAAS_PYTHON:-}" ]] && ! find_python "${PAAS_PYTHON:-0.0}"; then
        local available
        available=$(available_versions)
        fail "$PAAS_PYTHON_WHY requires a Python that is not available on this server." \
            "Available: ${available//$'\n'/, }." \
            "Change requires-python, or ask the server's administrator to add such a Python:" \
            "docs/how-to/add-a-python.md"
    fi
    step "Using Python $python_version, $PAAS_PYTHON_WHY"
    detail "The app keeps it. To choose one, add a .python-version file with a line like ${python_version%.*}"
}

# use_last_version: an app that requires none keeps the one that it was built with, as on Heroku.
use_last_version() {
    local last=''
    [[ -f $cache/version ]] && IFS= read -r last <"$cache/version"
    [[ $last =~ ^3\.[0-9]+$ ]] || return 1
    python=$SYSTEM_PYTHON
    system_version "$python"
    [[ ${python_version%.*} == "$last" ]] || find_python "$last"
}

# read_requested_version: sets $requested and $origin; runtime.txt takes precedence, as on Heroku.
read_requested_version() {
    if [[ -e runtime.txt || -L runtime.txt ]]; then
        origin=runtime.txt
        read_version_file runtime.txt python-
        warn "Warning: runtime.txt is deprecated: put $requested into a file .python-version instead."
    elif [[ -e .python-version || -L .python-version ]]; then
        origin=.python-version
        read_version_file .python-version ''
    elif [[ -f Pipfile.lock ]]; then
        origin=Pipfile.lock
        # -I -S: it only reads the file.
        requested=$("$SYSTEM_PYTHON" -I -S "$pack/lib/pipfile.py" python Pipfile.lock) ||
            fail "$requested" "Create it again with 'pipenv lock', and commit it."
    fi
}

# read_version_file FILE PREFIX: read the one line that is neither blank nor a comment.
read_version_file() {
    local file=$1 prefix=$2 line shown lines=() text=''
    if [[ -L $file || ! -r $file ]]; then
        fail "$file is not a readable regular file." "Replace it with one and commit it."
    fi
    IFS= read -r -N 1000 -d '' text <"$file" || true
    while IFS= read -r line; do
        [[ $line =~ ^[[:space:]]*(#.*)?$ ]] || lines+=("$line")
    done <<<"$text"
    if ((${#lines[@]} != 1)); then
        fail "$file must have exactly one line with a Python version; it has ${#lines[@]}." \
            "For example: ${prefix}3.12"
    fi
    if [[ ! ${lines[0]} =~ ^[[:space:]]*${prefix}${VERSION_PATTERN}[[:space:]]*$ ]]; then
        printf -v shown '%q' "${lines[0]:0:60}"
        fail "$file requires $shown, which is not a supported form of a Python version." \
            "It must be like ${prefix}3.12 (the latest patch release) or ${prefix}3.12.4 (exactly that one)."
    fi
    requested=${BASH_REMATCH[1]}
}

# find_python VERSION: print its path, from the system or else from those that uv installed.
find_python() {
    local wanted=$1 candidate
    candidate=$(minor_path "$wanted")
    if [[ -x $candidate ]]; then
        system_version "$candidate"
        if [[ $wanted != *.*.* || $wanted == "$python_version" ]]; then
            python=$candidate
            return 0
        fi
    fi
    python='' python_version=''
    for candidate in "${UV_PYTHON_INSTALL_DIR:-/nonexistent}"/cpython-3.*-linux-*; do
        [[ ${candidate##*/} =~ ^cpython-(3\.[0-9]+\.[0-9]+)-linux- ]] || continue
        local version=${BASH_REMATCH[1]}
        [[ $version == "$wanted" || $version == "$wanted".* ]] || continue
        if [[ -z $python_version || ${version##*.} -gt ${python_version##*.} ]]; then
            python=$candidate/bin/python${version%.*} python_version=$version
        fi
    done
    [[ -n $python && -x $python ]]
}

minor_path() {
    [[ $1 =~ ^([0-9]+\.[0-9]+) ]]
    printf '/usr/bin/python%s' "${BASH_REMATCH[1]}"
}

# system_version PYTHON: sets $python_version.
system_version() {
    python_version=$("$1" -V)
    python_version=${python_version#Python }
}

# available_versions: print them, one per line, newest last.
available_versions() {
    local candidate
    {
        for candidate in /usr/bin/python3.*; do
            [[ ${candidate##*/} =~ ^python3\.[0-9]+$ ]] && "$candidate" -V
        done
        for candidate in "${UV_PYTHON_INSTALL_DIR:-/nonexistent}"/cpython-3.*-linux-*; do
            [[ ${candidate##*/} =~ ^cpython-(3\.[0-9]+\.[0-9]+)-linux- ]] &&
                echo "Python ${BASH_REMATCH[1]}"
        done
        true
    } | sort -uV | while read -r _ candidate; do echo "$candidate"; done
}
