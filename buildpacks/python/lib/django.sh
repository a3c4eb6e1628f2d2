# shellcheck shell=bash disable=SC2034,SC2154,SC2094 # variables are shared with bin/compile
# Django's static files, by Heroku's rules
# (https://devcenter.heroku.com/articles/django-assets).

collect_static() {
    local manage
    manage=$(find_manage) || return 0
    is_django_installed || return 0
    if [[ -n ${DISABLE_COLLECTSTATIC:-} ]] || has_config DISABLE_COLLECTSTATIC; then
        step "Skipping Django's collectstatic, as DISABLE_COLLECTSTATIC is set"
        return
    fi
    step "Running python $manage collectstatic --noinput"
    local log
    log=$(mktemp)
    if with_config -- python "$manage" collectstatic --noinput --traceback 2>&1 |
        tee "$log" | indent; then
        rm -f "$log"
        return
    fi
    if [[ -L .venv && $(<"$log") == *'Read-only file system'* ]]; then
        own_dependencies
        step "Running it again, with a .venv that can be written to"
        collect_static
        return
    fi
    explain_collectstatic "$log"
}

# find_manage: print the path of manage.py, at most two directories down.
find_manage() {
    local candidate
    for candidate in manage.py */manage.py */*/manage.py; do
        if [[ -f $candidate ]]; then
            printf '%s' "$candidate"
            return
        fi
    done
    return 1
}

is_django_installed() {
    local found
    for found in .venv/lib/python*/site-packages/django/__init__.py; do
        [[ -f $found ]] && return 0
    done
    return 1
}

explain_collectstatic() {
    local text=''
    IFS= read -r -d '' text <"$1" || true
    if [[ $text == *"Unknown command: 'collectstatic'"* ]]; then
        detail "Skipped: django.contrib.staticfiles is not among INSTALLED_APPS"
        return
    fi
    local advice="The traceback is above. Correct it, commit, and push again."
    if [[ $text == *STATIC_ROOT* ]]; then
        advice="Set STATIC_ROOT in the settings, for example: STATIC_ROOT = BASE_DIR / \"staticfiles\"; then let Nginx serve it: paas static:add /static staticfiles"
    elif [[ $text =~ KeyError:\ \'([A-Z_]+)\' ]]; then
        advice="The settings require ${BASH_REMATCH[1]}. Set it with: paas config:set ${BASH_REMATCH[1]}=..."
    fi
    fail "Django's collectstatic failed." "$advice" \
        "To build without it: paas config:set DISABLE_COLLECTSTATIC=1"
}
