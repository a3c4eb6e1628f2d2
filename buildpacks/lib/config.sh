# shellcheck shell=bash
# The app's config vars, one file each in ENV (Heroku's buildpack API), for the commands that
# build the app. $env is the directory.

# with_config COMMAND...: run it with the config vars exported, but for those that would break
# the build itself.
with_config() (
    local _file _name _value
    for _file in "${env:?}"/*; do
        [[ -f $_file ]] || continue
        _name=${_file##*/}
        case $_name in
            PATH | HOME | PORT | IFS | UID | EUID | PPID | SHELLOPTS | BASHOPTS | BASH_*) continue ;;
            GIT_DIR | CPATH | CPPATH | LIBRARY_PATH | LD_LIBRARY_PATH | LD_PRELOAD) continue ;;
            PYTHONHOME | VIRTUAL_ENV) continue ;;
            UV_CACHE_DIR | UV_LINK_MODE | UV_PROJECT_ENVIRONMENT | UV_PYTHON*) continue ;;
            *[!A-Za-z0-9_]*) continue ;;
        esac
        IFS= read -r -d '' _value <"$_file" || true
        export "$_name=$_value"
    done
    exec_or_call "$@"
)

# exec_or_call COMMAND...: a function is called, a program takes this subshell's place.
exec_or_call() {
    if declare -F "$1" >/dev/null; then
        "$@"
    else
        exec "$@"
    fi
}

# has_config NAME: whether the config var is set.
has_config() { [[ -f ${env:?}/$1 ]]; }
