# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# The installed dependencies of the last build, kept as two archives: unpacking both in parallel is
# several times faster than copying the files, and links would share files between a build and a
# live app.

# Must be changed when a build makes something else from the same files.
readonly REUSE_FORMAT=2
key='' base='' locked='' reusable=yes kept=yes
sources=() settings=() options=()

# reuse_dependencies: unpack the kept ones into .venv. Status 1 if they do not fit.
reuse_dependencies() {
    compute_key
    link_shared && return
    [[ $reusable == yes && -f $cache/key ]] || return 1
    local found=''
    IFS= read -r -d '' found <"$cache/key" || true
    [[ $found == "$key" ]] || return 1
    unpack_kept
}

# unpack_kept: unpack both archives. Status 1 on a failure, with nothing left behind.
unpack_kept() {
    local first
    # Made first, so that the two do not both make the same directories.
    mkdir -p ".venv/lib/python${python_version%.*}/site-packages"
    tar -xf "$cache/venv-1.tar" &
    first=$!
    if ! tar -xf "$cache/venv-2.tar" || ! wait "$first"; then
        wait
        rm -rf .venv "$cache/key"
        return 1
    fi
}

# start_from_earlier: have .venv be that of an earlier build, some of which can be reused. Status 1
# if it was built differently, so that nothing of it is sure to be the same.
start_from_earlier() {
    [[ $reusable == yes ]] || return 1
    [[ -n $base ]] || compute_base
    change_shared || start_from_kept || return 1
    if ! .venv/bin/python -I -S -c '' 2>/dev/null; then
        rm -rf .venv "$cache/key"
        return 1
    fi
    rm -rf .venv/nltk_data .venv/.*-added-by-the-platform
}

# start_from_kept: unpack those of an earlier build into .venv. Status 1 if they do not fit.
start_from_kept() {
    local found=()
    [[ -f $cache/key && -f $cache/base ]] || return 1
    mapfile -d '' -t found <"$cache/base"
    ((${#found[@]} == 2)) && is_same_base "${found[@]}" && unpack_kept
}

# is_same_base BASE LOCKED: whether what was installed with these is what would be installed now.
is_same_base() {
    [[ $1 == "$base" ]] || return 1
    [[ -n $2 && -s $locked ]] || return 0
    "$SYSTEM_PYTHON" -I -S "$pack/lib/locked.py" fits <(printf '%s' "$2") "$locked"
}

# is_exact: whether .venv has what a new one would have, and nothing else.
is_exact() {
    local difference
    difference=$("$SYSTEM_PYTHON" -I -S "$pack/lib/exact.py" .venv) || {
        detail "$difference, so all packages are installed again"
        return 1
    }
}

# keep_dependencies: keep them for the next build, if this one changed them.
keep_dependencies() {
    [[ $kept == no && $reusable == yes ]] && ! is_changed_layer || return 0
    local packages=(.venv/lib/python*/site-packages/*) list
    [[ -e ${packages[0]} ]] || packages=()
    list=$(mktemp)
    if ((${#packages[@]} > 0)); then
        printf '%s\n' "${packages[@]:0:(${#packages[@]} + 1) / 2}" >"$list"
    fi
    rm -f "$cache/key" "$cache"/venv*.tar
    tar -cf "$cache/venv-1.tar" --verbatim-files-from --files-from="$list"
    tar -cf "$cache/venv-2.tar" --no-wildcards --anchored --exclude-from="$list" .venv
    rm -f "$list"
    [[ -n $base ]] || compute_base
    printf '%s\0' "$base" "$(<"$locked")" >"$cache/base"
    printf '%s' "$key" >"$cache/key"
    kept=yes
}

# compute_base: sets $base to what must be equal for a package of one version to be the same package:
# how it is built, and from where. $locked: a file with the hashes that each must have.
compute_base() {
    case $package_manager in
        uv) mapfile -t options < <(grep -hE '^(source = |no-binary|no-build)' uv.lock pyproject.toml | sort -u) ;;
        poetry) mapfile -t options < <(grep -hE '^(url|reference) *= ' poetry.lock pyproject.toml | sort -u) ;;
        pipenv) mapfile -t options < <(grep -hE '^ *("url"|url) *[:=] ' Pipfile.lock Pipfile | sort -u) ;;
    esac
    base="format $REUSE_FORMAT, $build, $package_manager, $python $python_version"
    base+=$'\n'$(printf '%s\n' "${options[@]}")
    ((${#settings[@]} == 0)) || base+=$'\n'$(sha256sum -- "${settings[@]}")
    locked=$(mktemp)
    ! grep -qsE 'sha[0-9]+[:=]' -- "${sources[@]}" ||
        "$SYSTEM_PYTHON" -I -S "$pack/lib/locked.py" list "${sources[@]}" >"$locked"
}

# compute_key: everything that determines what is installed, by content.
compute_key() {
    local file
    if [[ $package_manager == uv ]]; then
        sources=(pyproject.toml uv.lock)
        # If the project itself or a local directory is installed, that changes with its code.
        if grep -qE '^source = \{ (editable|directory|path) ' uv.lock; then
            reusable=no
        fi
    elif [[ $package_manager == poetry ]]; then
        sources=(pyproject.toml poetry.lock)
        if grep -qE '^type = "(directory|file|git|url)"' poetry.lock; then
            reusable=no
        fi
    elif [[ $package_manager == pipenv ]]; then
        sources=(Pipfile Pipfile.lock)
        if grep -qE '"(path|file|git|editable)":' Pipfile.lock; then
            reusable=no
        fi
    else
        read_requirements requirements.txt
    fi
    [[ ! -f nltk.txt ]] || sources+=(nltk.txt)
    for file in uv.toml "$env"/UV_* "$env"/PIP_* "$env"/POETRY_*; do
        [[ -f $file ]] && settings+=("$file")
    done
    key="format $REUSE_FORMAT, $build, $python $python_version"$'\n'$(sha256sum -- "${sources[@]}" "${settings[@]}")
}

# read_requirements FILE: add it and the files that it includes to $sources, and check whether
# anything in it can change without it (https://pip.pypa.io/en/stable/reference/requirements-file-format/).
read_requirements() {
    local file=$1 line
    for line in "${sources[@]}"; do
        [[ $line != "$file" ]] || return 0
    done
    sources+=("$file")
    while IFS= read -r line || [[ -n $line ]]; do
        line=${line%$'\r'}
        line=${line%%[[:space:]]#*}
        line=${line#"${line%%[![:space:]]*}"}
        line=${line%"${line##*[![:space:]]}"}
        if [[ $line =~ ^(-r|-c|--requirement|--constraint)[[:space:]=]*(.+)$ ]]; then
            include_requirements "$file" "${BASH_REMATCH[2]}"
        elif [[ $line == -* && $line != --hash=* ]]; then
            options+=("$line")
            is_stable "$line" || reusable=no
        elif ! is_stable "$line"; then
            reusable=no
        fi
    done <"$file"
}

# include_requirements FILE NAME: follow a -r or -c line.
include_requirements() {
    local path=$2
    [[ $path == /* || $1 != */* ]] || path=${1%/*}/$path
    if [[ $path != *://* && -f $path ]]; then
        read_requirements "$path"
    else
        reusable=no
    fi
}

# is_stable LINE: whether the line names a package of an index, or an option for indexes.
is_stable() {
    case $1 in
        '' | '#'* | '--hash='* | '--pre' | '--prefer-binary' | '--no-index') return 0 ;;
        '--index-url'* | '--extra-index-url'* | '-i '* | '--trusted-host'*) return 0 ;;
        '--only-binary'* | '--no-binary'* | '--find-links http'* | '-f http'*) return 0 ;;
        *://* | *' @ '* | */*) return 1 ;;
        *.whl | *.zip | *.tar.gz | *.tgz | *.tar.bz2) return 1 ;;
        [A-Za-z0-9]*) return 0 ;;
    esac
    return 1
}
