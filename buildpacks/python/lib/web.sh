# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# The web process of an app without a Procfile, and the Gunicorn that it needs.

web_command=''

# choose_web_command: leaves it in .paas/python-web for bin/release.
choose_web_command() {
    [[ ! -e .paas/python-web ]] || rm -f .paas/python-web
    [[ ! -f Procfile ]] || return 0
    local found reason='' status=0
    # -I -S: it only parses the app's files, and must not run any of them.
    found=$("$SYSTEM_PYTHON" -I -S "$pack/lib/find_app.py" "$build") || status=$?
    if ((status == 3)); then
        fail "${found%%$'\n'*}" "Correct it, commit, and push again."
    elif ((status != 0)); then
        fail "${found%%$'\n'*}" \
            "Add a file named Procfile that says how to start the app, for example:" \
            "    web: gunicorn app:app"
    fi
    web_command=${found%%$'\n'*}
    reason=${found#*$'\n'}
    if [[ $web_command == uvicorn* && ! -x $VIRTUAL_ENV/bin/uvicorn ]]; then
        fail "$reason, but uvicorn, which runs such an app, is not in $listed_in." \
            "Add it: echo uvicorn >> requirements.txt (or: uv add uvicorn), commit, and push again."
    fi
    mkdir -p .paas
    printf '%s\n' "$web_command" >.paas/python-web
    step "No Procfile: $reason"
    detail "It is started with: $web_command"
}

# add_gunicorn: install it where a command runs it and the app does not list it.
add_gunicorn() {
    local marker=.venv/.gunicorn-added-by-the-platform
    needs_gunicorn || return 0
    if [[ ! -x .venv/bin/gunicorn ]]; then
        step "Installing Gunicorn, which is not in $listed_in"
        run_uv pip install --python .venv/bin/python gunicorn
        : >"$marker"
        reused=no
    fi
    if [[ -f $marker ]]; then
        detail "To choose its version, add gunicorn to $listed_in"
    fi
}

needs_gunicorn() {
    local line word
    if [[ ! -f Procfile ]]; then
        [[ $web_command == gunicorn* ]]
        return
    fi
    while IFS= read -r line || [[ -n $line ]]; do
        [[ $line != '#'* ]] || continue
        for word in ${line#*:}; do
            [[ ${word##*/} != gunicorn ]] || return 0
        done
    done <Procfile
    return 1
}
