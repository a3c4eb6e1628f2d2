# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# Runs uv with pip's settings, and explains its errors in one sentence.

# run_uv ARGUMENT...: run it and print its output as details; a failure fails the build, or has
# status 1 if it may be due to the packages of an earlier build, which are there already.
run_uv() {
    local log
    log=$(mktemp)
    if ! with_config -- /usr/bin/python3 -I -S "$pack/lib/uv_settings.py" "$env" uv "$@" 2>&1 | tee "$log" | indent; then
        may_be_new "$log" && return 1
        explain_failure "$log"
    fi
    rm -f "$log"
}

# may_be_new LOG: whether a new .venv may succeed; not where the packages cannot be had at all.
may_be_new() {
    ((${#exact[@]} > 0)) || return 1
    ! grep -qE 'No solution found|Failed to (fetch|build|download)|not found in the|Python requirement' "$1" || return 1
    detail "This failed on top of the packages of the last build, so all are installed again"
}

# explain_failure LOG: fail the build with uv's error, in one sentence if it is a known one.
explain_failure() {
    local text='' name='([][A-Za-z0-9._,-]+)'
    local unreachable='Failed to fetch: `?([a-z]+://[^/ ]+).*(certificate|\(Connect\)|timed out|status server error)'
    IFS= read -r -d '' text <"$1" || true
    text=${text//$'\n'/ }
    while [[ $text == *'  '* ]]; do text=${text//  / }; done
    explain_python "$text"
    if [[ $text =~ $name' was not found in the'|$name' was not found in the provided' ]]; then
        fail "There is no package '${BASH_REMATCH[1]}' in the package index ($listed_in)." \
            "Check the name at https://pypi.org, correct $listed_in, commit, and push again."
    elif [[ $text =~ 'there is no version of '([^ ]+) ]]; then
        fail "There is no version ${BASH_REMATCH[1]%,} in the package index ($listed_in)." \
            "Choose one that exists, correct $listed_in, commit, and push again."
    elif [[ $text =~ 'Failed to build `'([^\`]+) || $text =~ 'Failed to build: '([^ ]+) ]]; then
        local package=${BASH_REMATCH[1]}
        explain_native "$text" "$package"
        fail "The dependency $package could not be built ($listed_in)." \
            "The lines above say why; often a library's headers are missing on the server." \
            "A version with a prebuilt wheel for Python $python_version avoids that."
    elif [[ $text =~ $unreachable ]]; then
        fail "The server cannot reach the package index at ${BASH_REMATCH[1]}." \
            "The lines above say why. $listed_in is not the cause: push again when the index is reachable." \
            "If the server needs a proxy, certificate or other index, set it in build_env of server.yml."
    fi
    fail "The dependencies in $listed_in could not be installed." \
        "The lines above say why. Correct $listed_in, commit, and push again."
}

# explain_python TEXT: fail the build if the app, or a dependency, requires another Python.
explain_python() {
    local wanted='' who='The project'
    local range='([<>=!~]+ ?3\.[0-9]+)'
    if [[ $1 =~ 'does not satisfy Python'$range[^\ ]*' and '([^ ]+)' depends on Python' ]]; then
        wanted=${BASH_REMATCH[1]} who=${BASH_REMATCH[2]}
    elif [[ $1 =~ "the project's Python requirement: \`"$range ]]; then
        wanted=${BASH_REMATCH[1]}
    else
        return 0
    fi
    fail "$who requires Python $wanted, but the app is built with $python_version." \
        "Choose one that fits, commit, and push again: $(python_command "${wanted##*[<>=\!~ ]}")" \
        "Or choose versions in $listed_in that fit Python ${python_version%.*}."
}

# python_command VERSION: print the command that sets which Python the app is built with.
python_command() {
    if [[ $package_manager == pipenv && ! -f .python-version && ! -f runtime.txt ]]; then
        echo "pipenv --python $1 lock, with python_version = \"$1\" in the Pipfile"
    else
        echo "echo $1 > .python-version"
    fi
}
