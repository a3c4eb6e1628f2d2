# shellcheck shell=bash
# Settings for uvicorn with several workers: it checks each one every half second, even while that
# imports the app, and by default kills one that does not answer within 5 s, again and again.

# write_profile DIRECTORY: write profile.sh with the settings that this app's uvicorn accepts.
write_profile() {
    local found source=''
    place "${pack:?}/lib/profile.sh" "$1/python.sh"
    for found in .venv/lib/python*/site-packages/uvicorn/supervisors/multiprocess.py; do
        [[ ! -f $found ]] || IFS= read -r -d '' source <"$found" || true
    done
    if [[ $source == *timeout_worker_healthcheck* ]]; then
        cat >>"$1/python.sh" <<'PROFILE'

# uvicorn ends a worker that does not answer for so long, even while it imports the app (default 5 s).
export UVICORN_TIMEOUT_WORKER_HEALTHCHECK="${UVICORN_TIMEOUT_WORKER_HEALTHCHECK:-180}"
PROFILE
    elif [[ $source == *'def ping'* ]]; then
        cat >>"$1/python.sh" <<'PROFILE'

# This uvicorn ends each worker that imports the app for over 5 s; a single process it does not check.
if [[ -z ${_paas_own_concurrency:-} ]]; then
    export UVICORN_WORKERS="${UVICORN_WORKERS:-1}"
fi
PROFILE
    fi
    echo 'unset _paas_own_concurrency' >>"$1/python.sh"
}
