# shellcheck shell=bash disable=SC2034,SC2154 # variables are shared with build.sh
# Reading what a buildpack's bin/release prints.

# Seconds: bin/release only prints what compile has found.
readonly paas_release_limit_s=30

# read_release NAME: run bin/release of $pack and set $proposed to what it proposes, as JSON.
read_release() {
    if [[ $pack == "$paas_packs"/* ]]; then
        # The platform's own buildpacks print exactly the JSON that is needed, and their scripts need
        # no other bash, whose start takes longer than what they do.
        # shellcheck disable=SC1091
        proposed=$(source "$pack/bin/release" "$paas_build")
    else
        read_foreign_release "$1"
    fi
}

# read_foreign_release NAME: the same for a third-party buildpack, which may print YAML, or anything.
# It is read here, where its output can harm only this app's own build.
read_foreign_release() {
    local ended reason room
    room=$(mktemp -d)
    # -I -S: it must not run any of the app's code.
    paas_limit_s=$paas_release_limit_s run_script "$pack/bin/release" "$paas_build" |
        timeout "$((paas_release_limit_s + 10))" /usr/bin/python3 -I -S "$paas_here/release.py" \
            "$paas_packs/../python" >"$room/made" 2>"$room/why" && ended=(0 0) ||
        ended=("${PIPESTATUS[@]}")
    IFS= read -r -d '' reason <"$room/why" || true
    IFS= read -r -d '' proposed <"$room/made" || true
    rm -rf "$room"
    if ((ended[0] == 124 || ended[0] == 137 || ended[1] == 124)); then
        fail "The buildpack $1 failed: its bin/release did not end within $paas_release_limit_s s."
    elif ((ended[1] != 0)); then
        fail "The output of bin/release of the buildpack $1 cannot be used: ${reason%$'\n'}."
    elif ((ended[0] != 0)); then
        fail "The buildpack $1 failed: its bin/release exited with status ${ended[0]}."
    fi
}
