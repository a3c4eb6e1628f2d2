# shellcheck shell=bash
# Sourced at the start of each instance. Sets defaults only: a config var of the same name takes precedence.
export PATH="/app/.paas/node/bin:/app/.paas/tools/node_modules/.bin:/app/node_modules/.bin:$PATH:/app/.paas/pruned"
export NODE_ENV="${NODE_ENV:-production}"
# npm, if a command uses it, neither checks for updates nor writes outside /tmp.
export NPM_CONFIG_UPDATE_NOTIFIER="${NPM_CONFIG_UPDATE_NOTIFIER:-false}"
export NPM_CONFIG_CACHE="${NPM_CONFIG_CACHE:-/tmp/npm}"
# pnpm runs in the version of the build and does not fetch another.
export PNPM_CONFIG_PM_ON_FAIL="${PNPM_CONFIG_PM_ON_FAIL:-ignore}"
# For apps that start their own workers (cluster): one per core, at least 1, at most 4, and at most
# one per WEB_MEMORY MiB (512, as on Heroku) of the instance's memory limit.
if [[ -z ${WEB_CONCURRENCY:-} ]]; then
    WEB_CONCURRENCY=0
    while read -r _paas_word _; do
        [[ $_paas_word != processor ]] || WEB_CONCURRENCY=$((WEB_CONCURRENCY + 1))
    done </proc/cpuinfo
    if [[ ${MEMORY_AVAILABLE:-} =~ ^[1-9][0-9]{0,8}$ ]]; then
        _paas_word=512
        [[ ! ${WEB_MEMORY:-} =~ ^[1-9][0-9]{0,8}$ ]] || _paas_word=$WEB_MEMORY
        _paas_word=$((MEMORY_AVAILABLE / _paas_word))
        WEB_CONCURRENCY=$((_paas_word < WEB_CONCURRENCY ? _paas_word : WEB_CONCURRENCY))
    fi
    unset _paas_word
    export WEB_CONCURRENCY=$((WEB_CONCURRENCY < 1 ? 1 : WEB_CONCURRENCY > 4 ? 4 : WEB_CONCURRENCY))
fi
