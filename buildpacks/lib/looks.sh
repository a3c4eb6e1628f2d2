# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with build.sh
# Checks of an app's files before anything is built.

# refuse_unknown: our buildpacks do not accept the app; says what it seems to be, and what to do.
refuse_unknown() (
    exit_status=100
    if other_language "$paas_build"; then
        fail "No buildpack recognizes this app: it contains $found_file ($found_language), but the platform's own buildpacks build only Python, Node.js and static files." \
            "$found_way"
    fi
    fail "No buildpack recognizes this app: none of the files that identify a language is in the top directory." \
        "For Python, add a requirements.txt (pip freeze > requirements.txt); for Node.js a package.json; for files an index.html; for anything executable a Procfile." \
        "For another language, set its buildpack: paas buildpacks:set https://..." \
        "For an app in a folder of the repository: paas builder:set build-dir FOLDER"
)

# refuse_in_the_way: a build makes folders of these names; refuse anything else in their place.
refuse_in_the_way() {
    local name what
    for name in .profile.d .paas; do
        [[ -e $name || -L $name ]] || continue
        [[ ! -d $name || -L $name ]] || continue
        what='a file'
        [[ ! -L $name ]] || what='a symbolic link'
        fail "$name in the repository is $what, and the build needs a folder of that name." \
            "Remove it: git rm $name && git commit -m 'Remove $name'; then push again."
    done
}

# beyond_ascii: whether a file at the top, or in requirements/, has a byte that is not ASCII.
beyond_ascii() (
    shopt -s dotglob nullglob
    LC_ALL=C exec grep -qsaP --directories=skip --devices=skip '[^\x01-\x7f]' -- \
        /dev/null * requirements/*
)

# refuse_encodings: convert hand-written files to UTF-8, or fail and name the file.
refuse_encodings() {
    local said lines
    # Starting Python takes 20 ms, and hardly any app needs it here.
    beyond_ascii || return 0
    # -I -S: it must not run any of the app's code.
    said=$(/usr/bin/python3 -I -S "$paas_here/utf8_files.py" .) && return 0
    mapfile -t lines <<<"$said"
    fail "${lines[@]}"
}

# tell_choice: if two languages fit the app, say which was chosen and how to change it.
tell_choice() {
    [[ ${pack##*/} == python && -f package.json ]] || return 0
    detail "There is also a package.json, but only the Python app is built, not the Node.js one."
    detail "To build it as Node.js: paas buildpacks:set node"
    detail "To build both, Node.js first: paas buildpacks:set node && paas buildpacks:add python"
}
