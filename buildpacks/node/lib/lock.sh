# shellcheck shell=bash disable=SC2154 # variables are shared with bin/compile
# Whether the lock file is of this package.json.

# check_lock: refuse a lock file that lacks a package before anything is fetched, unless a script
# may change package.json first.
check_lock() {
    local lacks
    [[ $manager == npm && -n $lock ]] && ! has_script heroku-prebuild || return 0
    lacks=$(/usr/bin/python3 -I -S "$pack/lib/package.py" missing package.json "$lock") ||
        fail "${lacks:-$lock cannot be read.}" "Recreate it with 'npm install', commit it, and push again."
    [[ -z $lacks ]] || stale_lock "it lacks $lacks"
}

# stale_lock [WHY]: fail the build.
stale_lock() {
    fail "$lock no longer matches package.json${1:+: $1}." \
        "Update it with '$manager install', commit it, and push again."
}
