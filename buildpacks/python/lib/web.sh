# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# Finds the web process of an app without a Procfile, and installs the server that it needs.

web_command='' web_reason=''

# choose_web_command: writes it to .paas/python-web for bin/release.
choose_web_command() {
    [[ ! -e .paas/python-web ]] || rm -f .paas/python-web
    if [[ -f Procfile ]]; then
        check_procfile
        return
    fi
    local found status=0
    case $(web_server) in
        gunicorn | granian) ;;
        *)
            fail "The config var WSGI_SERVER must be gunicorn or granian." \
                "Correct it: paas config:set WSGI_SERVER=granian"
            ;;
    esac
    # -I -S: it only parses the app's files and must not run any of them.
    found=$("$SYSTEM_PYTHON" -I -S "$pack/lib/find_app.py" "$build" "$(web_server)") || status=$?
    if ((status == 3)); then
        fail "${found%%$'\n'*}" "Correct it, commit, and push again."
    elif ((status != 0)); then
        fail "${found%%$'\n'*}" \
            "Add a Procfile that says how to start the app, for example:" \
            "    web: gunicorn app:app"
    fi
    web_command=${found%%$'\n'*}
    web_reason=${found#*$'\n'}
    printf '%s\n' "$web_command" >.paas/python-web
    step "No Procfile: $web_reason"
    detail "It is started with: $web_command"
}

# check_procfile: reject one that starts nothing before anything is installed, unless the app's own
# build step may change it or app.json has cron jobs.
check_procfile() {
    local line
    [[ ! -f bin/post_compile && ! -f app.json ]] || return 0
    while IFS= read -r line || [[ -n $line ]]; do
        [[ $line != *([[:space:]])@('#'|release*([[:space:]]):)* ]] || continue
        [[ $line != *:* ]] || return 0
    done <Procfile
    fail "The Procfile defines no process to run." \
        "It needs a line that starts the app, for example:" \
        "    web: gunicorn app:app"
}

# check_web_server: check, after the installation, that the program of the command exists.
check_web_server() {
    if [[ $web_command == uvicorn* && ! -x $VIRTUAL_ENV/bin/uvicorn ]]; then
        fail "$web_reason, but uvicorn, which runs such an app, is not in $listed_in." \
            "Add it: $(add_command uvicorn)" "Then commit, and push again."
    fi
}

# web_server: print the config var WSGI_SERVER, gunicorn or granian.
web_server() {
    local name=gunicorn
    [[ ! -f $env/WSGI_SERVER ]] || IFS= read -r name <"$env/WSGI_SERVER" || true
    printf '%s' "$name"
}

# add_web_server: install Gunicorn or Granian if a command runs it and the app does not list it.
add_web_server() {
    local name marker
    for name in gunicorn granian; do
        marker=.venv/.$name-added-by-the-platform
        runs_program "$name" || continue
        if [[ ! -x .venv/bin/$name ]]; then
            step "Installing ${name^}, which is not in $listed_in"
            own_dependencies
            run_uv pip install --python .venv/bin/python "$name"
            : >"$marker"
            kept=no
        fi
        if [[ -f $marker ]]; then
            detail "To choose its version: $(add_command "$name")"
        fi
    done
}

# place_server_files: install the files that make application servers trust the proxy and lose no
# answer.
place_server_files() {
    local name
    [[ ! -e .paas/bin && ! -L .paas/bin ]] || rm -rf .paas/bin
    place "$pack/lib/gunicorn_conf.py" .paas/gunicorn.conf.py
    for name in granian hypercorn daphne waitress-serve; do
        [[ ! -x .venv/bin/$name ]] || install -D -m 755 "$pack/lib/behind_proxy.py" ".paas/bin/$name"
    done
}

# place FILE TARGET: copy a text file to TARGET; as bash itself does, without starting a program.
place() {
    local text=''
    IFS= read -r -d '' text <"$1" || true
    [[ ! -e $2 && ! -L $2 ]] || rm -rf "$2"
    printf '%s' "$text" >"$2"
}

# add_command NAME: print the command that adds a package to the app's list.
add_command() {
    case $package_manager in
        uv) echo "uv add $1" ;;
        poetry) echo "poetry add $1" ;;
        pipenv) echo "pipenv install $1" ;;
        *) echo "echo $1 >> requirements.txt" ;;
    esac
}

# runs_program NAME: whether the Procfile, or the command that was found, runs it.
runs_program() {
    local line word
    if [[ ! -f Procfile ]]; then
        [[ $web_command == "$1"* ]]
        return
    fi
    while IFS= read -r line || [[ -n $line ]]; do
        [[ $line != '#'* ]] || continue
        for word in ${line#*:}; do
            [[ ${word##*/} != "$1" ]] || return 0
        done
    done <Procfile
    return 1
}
