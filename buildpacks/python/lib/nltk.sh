# shellcheck shell=bash disable=SC2154 # variables are shared with bin/compile
# NLTK's data, as on Heroku: the packages that nltk.txt lists, separated by whitespace
# (https://devcenter.heroku.com/articles/python-nltk). NLTK searches .venv/nltk_data by default.

# check_nltk: sets $packages; fails on an invalid name before anything is installed.
check_nltk() {
    packages=()
    [[ -f nltk.txt ]] || return 0
    mapfile -t packages < <(tr -s '[:space:]' '\n' <nltk.txt | grep -v '^$' || true)
    local name
    for name in "${packages[@]}"; do
        if [[ ! $name =~ ^[A-Za-z0-9_.-]+$ || $name == -* ]]; then
            fail "nltk.txt contains a word that is not the name of an NLTK package." \
                "It must list names such as stopwords or punkt_tab, one per line."
        fi
    done
}

download_nltk() {
    [[ -f nltk.txt && ! -e .venv/nltk_data/.complete ]] || return 0
    compgen -G '.venv/lib/python*/site-packages/nltk/__init__.py' >/dev/null || return 0
    ((${#packages[@]} > 0)) || return 0
    own_dependencies
    step "Downloading NLTK data: ${packages[*]}"
    # The downloader's exit status is 0 even if it could not download something.
    if ! with_config -- python -W ignore -m nltk.downloader -e -d .venv/nltk_data "${packages[@]}" \
        2>&1 | tee "$cache/said" | indent || grep -q '^\[nltk_data\] Error' "$cache/said"; then
        fail "The NLTK data that nltk.txt lists could not be downloaded." \
            "The lines above say why. Correct nltk.txt, commit, and push again."
    fi
    mkdir -p .venv/nltk_data
    : >.venv/nltk_data/.complete
    kept=no
}
