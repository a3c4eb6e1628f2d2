# shellcheck shell=bash
# Sourced at the start of each instance. Sets defaults only: a config var of the same name takes precedence.
export PATH="/app/.venv/bin:$PATH"
# Servers that do not trust the proxy's headers by default.
[[ ! -d /app/.paas/bin ]] || export PATH="/app/.paas/bin:$PATH"
export VIRTUAL_ENV="${VIRTUAL_ENV:-/app/.venv}"
export PYTHONUNBUFFERED="${PYTHONUNBUFFERED:-1}"
export PYTHONPATH="${PYTHONPATH:-/app}"
export LANG="${LANG:-C.UTF-8}"
# Only the proxy on this machine is trusted to state a visitor's address.
export FORWARDED_ALLOW_IPS="${FORWARDED_ALLOW_IPS:-127.0.0.1}"

# Web workers: one for each core, but at least 2, at most 4 (many apps share the server), and at
# most one for each GiB of memory, or 256 MiB of the instance's own limit. Read without starting a program: this delays every start.
_paas_web_concurrency() {
    local range ranges cores=0 memory_kib=0 workers most
    IFS=, read -r -a ranges </sys/devices/system/cpu/online # such as 0-3,6
    for range in "${ranges[@]}"; do
        cores=$((cores + ${range#*-} - ${range%-*} + 1))
    done
    read -r _ memory_kib _ </proc/meminfo
    workers=$((cores > 2 ? cores : 2))
    most=$((memory_kib / 1048576))
    if [[ ${MEMORY_AVAILABLE:-} =~ ^[1-9][0-9]{0,8}$ ]]; then
        most=$((MEMORY_AVAILABLE / 256 < most ? MEMORY_AVAILABLE / 256 : most))
    fi
    workers=$((most < workers ? most : workers))
    workers=$((workers > 4 ? 4 : workers))
    export WEB_CONCURRENCY=$((workers < 1 ? 1 : workers))
}
_paas_own_concurrency=${WEB_CONCURRENCY:-} # what the app's config says
if [[ -z ${WEB_CONCURRENCY:-} ]]; then
    _paas_web_concurrency 2>/dev/null || export WEB_CONCURRENCY=2
fi
unset -f _paas_web_concurrency

# Gunicorn binds 0.0.0.0:$PORT by default; the proxy connects over loopback. A --bind in the
# Procfile or in the config var GUNICORN_CMD_ARGS takes precedence; so does a configuration file.
if [[ -n ${PORT:-} ]]; then
    case " ${GUNICORN_CMD_ARGS:-}" in
        *" --bind"* | *" -b"*) ;;
        *) export GUNICORN_CMD_ARGS="--bind=127.0.0.1:$PORT${GUNICORN_CMD_ARGS:+ $GUNICORN_CMD_ARGS}" ;;
    esac
    case " $GUNICORN_CMD_ARGS" in
        *" --config"* | *" -c"*) ;;
        *)
            if [[ -f /app/.paas/gunicorn.conf.py ]]; then
                export GUNICORN_CMD_ARGS="--config=/app/.paas/gunicorn.conf.py $GUNICORN_CMD_ARGS"
            fi
            ;;
    esac
fi
