# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# The finished dependencies of the last build, kept as two archives: reading them, both at once,
# is several times faster than copying the files, and links would share files between a build and
# a live app.

# A change to what a build makes of the same files must change this.
readonly REUSE_FORMAT=2
key='' reusable=yes reused=no
sources=()

# reuse_dependencies: put the kept ones into .venv. Status 1 where they do not fit.
reuse_dependencies() {
    compute_key
    [[ $reusable == yes && -f $cache/key ]] || return 1
    local kept='' first
    IFS= read -r -d '' kept <"$cache/key" || true
    [[ $kept == "$key" ]] || return 1
    # Made ahead, so that the two need not make the same directory.
    mkdir -p ".venv/lib/python${python_version%.*}/site-packages"
    tar -xf "$cache/venv-1.tar" &
    first=$!
    if ! tar -xf "$cache/venv-2.tar" || ! wait "$first"; then
        wait
        rm -rf .venv "$cache/key"
        return 1
    fi
    reused=yes
}

# keep_dependencies: for the next build, where this one made them anew.
keep_dependencies() {
    [[ $reused == no && $reusable == yes ]] || return 0
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
    printf '%s' "$key" >"$cache/key"
}

# compute_key: everything that decides what gets installed, by content.
compute_key() {
    local file
    if [[ $package_manager == uv ]]; then
        sources=(pyproject.toml uv.lock)
        # A project that is installed itself, or from a local directory, changes with its code.
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
    for file in nltk.txt uv.toml "$env"/UV_* "$env"/PIP_* "$env"/POETRY_*; do
        [[ -f $file ]] && sources+=("$file")
    done
    key="format $REUSE_FORMAT, $build, $python $python_version"$'\n'$(sha256sum -- "${sources[@]}")
}

# read_requirements FILE: add it and the files that it includes to $sources, and see whether
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
