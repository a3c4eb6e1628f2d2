# shellcheck shell=bash disable=SC2154 # variables are shared with bin/compile
# NLTK's data, by Heroku's rule: the packages that nltk.txt lists, a word each
# (https://devcenter.heroku.com/articles/python-nltk). NLTK itself looks into .venv/nltk_data.

# check_nltk: sets $packages; a name that is none is known before anything is installed.
check_nltk() {
    packages=()
    [[ -f nltk.txt ]] || return 0
    mapfile -t packages < <(tr -s '[:space:]' '\n' <nltk.txt | grep -v '^$' || true)
    local name
    for name in "${packages[@]}"; do
        if [[ ! $name =~ ^[A-Za-z0-9_.-]+$ || $name == -* ]]; then
            fail "nltk.txt names something that is not a package of NLTK." \
                "It must have names such as stopwords or punkt_tab, one a line."
        fi
    done
}

download_nltk() {
    [[ -f nltk.txt && ! -e .venv/nltk_data/.complete ]] || return 0
    compgen -G '.venv/lib/python*/site-packages/nltk/__init__.py' >/dev/null || return 0
    ((${#packages[@]} > 0)) || return 0
    step "Downloading NLTK data: ${packages[*]}"
    # The downloader's exit status is 0 also where it could not load something.
    if ! with_config -- python -W ignore -m nltk.downloader -e -d .venv/nltk_data "${packages[@]}" \
        2>&1 | tee "$cache/said" | indent || grep -q '^\[nltk_data\] Error' "$cache/said"; then
        fail "The NLTK data that nltk.txt lists could not be downloaded." \
            "The lines above say why. Correct nltk.txt, commit, and push again."
    fi
    mkdir -p .venv/nltk_data
    : >.venv/nltk_data/.complete
    kept=no
}
