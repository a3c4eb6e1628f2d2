#!/usr/bin/env bash
# What is done with the settings of a node's Docker; sent before node.sh, which says the rest.
set -euo pipefail

folder=/etc/paas-node settings=/etc/docker/daemon.json engine=${engine-}

engine_settings() {
    [ ! -f "$settings" ] || cat "$settings"
}

engine_file() {
    engine_settings | base64 --wrap=0
    echo
}

# The machine's own file is kept, for when it leaves.
set_engine() {
    [ "$engine" != "$(engine_settings)" ] || return 0
    mkdir -p "${settings%/*}"
    if [ ! -f "$folder/daemon.json" ] && [ -f "$settings" ]; then
        cp -p "$settings" "$folder/daemon.json.before"
    fi
    printf '%s\n' "$engine" >"$folder/daemon.json"
    cp "$folder/daemon.json" "$settings.new"
    mv "$settings.new" "$settings"
}

# What somebody has changed since is left as it is.
restore_engine() {
    cmp -s "$folder/daemon.json" "$settings" || return 0
    if [ -f "$folder/daemon.json.before" ]; then
        mv "$folder/daemon.json.before" "$settings"
    else
        rm -f "$settings"
    fi
    rm "$folder/daemon.json"
    restart_docker
}

# Whether Docker runs with former settings, or does not run.
needs_restart() {
    [ "$settings" -nt /run/docker.pid ]
}

restart_docker() {
    if [ -d /run/systemd/system ]; then
        systemctl reset-failed docker
        systemctl restart docker || return
    else
        /etc/init.d/docker restart >/dev/null || return
    fi
    for _ in {1..300}; do
        ! docker version >/dev/null 2>&1 || return 0
        sleep 0.2
    done
    echo "Docker does not start with $settings" >&2
    return 1
}
