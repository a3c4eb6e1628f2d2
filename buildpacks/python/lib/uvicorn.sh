# shellcheck shell=bash
# What uvicorn of several workers needs: it asks each every half second for a sign of life, also while
# it imports the app, and by default kills what does not answer within 5 s, for ever.

# write_profile DIRECTORY: profile.sh, with what this app's uvicorn takes.
write_profile() {
    local found source=''
    install -D -m 644 "${pack:?}/lib/profile.sh" "$1/python.sh"
    for found in .venv/lib/python*/site-packages/uvicorn/supervisors/multiprocess.py; do
        [[ ! -f $found ]] || IFS= read -r -d '' source <"$found" || true
    done
    if [[ $source == *timeout_worker_healthcheck* ]]; then
        cat >>"$1/python.sh" <<'PROFILE'

# uvicorn ends a worker that does not answer for so long, also while it imports the app (5 s there).
export UVICORN_TIMEOUT_WORKER_HEALTHCHECK="${UVICORN_TIMEOUT_WORKER_HEALTHCHECK:-180}"
PROFILE
    elif [[ $source == *'def ping'* ]]; then
        cat >>"$1/python.sh" <<'PROFILE'

# This uvicorn ends each worker that imports the app for 5 s, for ever; one process it does not ask.
if [[ -z ${_paas_own_concurrency:-} ]]; then
    export UVICORN_WORKERS="${UVICORN_WORKERS:-1}"
fi
PROFILE
    fi
    echo 'unset _paas_own_concurrency' >>"$1/python.sh"
}
