#!/usr/bin/env bash
# What a server asks of a machine that is to be, or is, its node; run there as root, by ssh.
# The server sends this file, and before it node_engine.sh and texts: $token, $rules, $engine.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

token=${token-} rules=${rules-}
folder=/etc/paas-node
unit=/etc/systemd/system/paas-node-firewall.service
# What passes between two containers of one bridge goes through the rules only if this is 1. The
# module comes with Docker, which sets it, but other software may set it back.
bridged=/proc/sys/net/bridge/bridge-nf-call-iptables
kept=/etc/sysctl.d/99-zz-paas-node.conf

# One line for each fact; the server reads those that it knows.
facts() {
    local caller address
    read -r caller _ address _ <<<"$SSH_CONNECTION"
    echo "root=$([ "$(id -u)" = 0 ] && echo yes || echo no)"
    echo "name=$(uname -n | cut -d. -f1)"
    echo "cpu=$(uname -m)"
    echo "release=$(. /etc/os-release && echo "$ID ${VERSION_ID-}")"
    echo "memory_kib=$(awk '/^MemTotal:/ { print $2 }' /proc/meminfo)"
    echo "address=$address"
    echo "caller=$caller"
    echo "systemd=$([ -d /run/systemd/system ] && echo yes || echo no)"
    if command -v docker >/dev/null; then
        docker info --format 'engine={{.ServerVersion}}
swarm={{.Swarm.NodeID}}
live_restore={{if .LiveRestoreEnabled}}yes{{else}}no{{end}}
containers={{.ContainersRunning}}' 2>/dev/null || true
    fi
    echo "engine_file=$(engine_file)"
    echo "closed=$(nft list table inet paas_node >/dev/null 2>&1 && echo yes || echo no)"
    echo "bridged=$(cat "$bridged" 2>/dev/null || echo 0)"
    echo "clock=$(date +%s.%N)"
}

install_packages() {
    local missing=()
    command -v nft >/dev/null || missing+=(nftables)
    command -v "$1" >/dev/null || missing+=("$2")
    [ "${#missing[@]}" -gt 0 ] || return 0
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq -o DPkg::Lock::Timeout=300 update
    apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 install --yes \
        --no-install-recommends "${missing[@]}" </dev/null >/dev/null
}

# The firewall before Docker, so that nothing of it is ever open to others.
prepare() {
    install_packages nft nftables
    close_ports
    set_engine
    install_packages dockerd docker.io
    if [ -d /run/systemd/system ]; then
        systemctl enable --quiet --now docker
    fi
    if needs_restart; then restart_docker || { restore_engine; return 1; }; fi
    docker version --format 'Docker {{.Server.Version}}'
}

# What containers ask for names may be anywhere, as at a metadata address.
nameservers() {
    local file=/etc/resolv.conf
    ! grep -q '^nameserver 127\.0\.0\.53' "$file" || file=/run/systemd/resolve/resolv.conf
    awk '$1 == "nameserver" && $2 ~ /^[0-9]+\.[0-9.]+$/ && $2 !~ /^127\./ { print $2 }' "$file" \
        2>/dev/null | sort -u | paste -sd, || true
}

close_ports() {
    local servers
    servers=$(nameservers)
    mkdir -p "$folder"
    printf '%s' "$rules" >"$folder/firewall.nft.new"
    [ -z "$servers" ] || echo "add element inet paas_node nameservers { $servers }" \
        >>"$folder/firewall.nft.new"
    nft -f "$folder/firewall.nft.new"
    mv "$folder/firewall.nft.new" "$folder/firewall.nft"
    mkdir -p "${kept%/*}"
    echo "net.bridge.bridge-nf-call-iptables = 1" >"$kept"
    [ ! -e "$bridged" ] || echo 1 >"$bridged"
    [ -d /run/systemd/system ] || return 0
    cat >"$unit" <<UNIT
[Unit]
Description=Who may reach what this node runs for its paas server
After=nftables.service
ReloadPropagatedFrom=nftables.service
Before=docker.service
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/sbin/nft -f $folder/firewall.nft
ExecReload=/usr/sbin/nft -f $folder/firewall.nft
[Install]
WantedBy=multi-user.target
RequiredBy=docker.service
UNIT
    systemctl daemon-reload
    systemctl enable --quiet paas-node-firewall
}

# Whoever sees the token here in the list of processes can do nothing with it: it is changed as
# soon as this machine has joined.
join() {
    docker swarm join --token "$token" --advertise-addr "$2" "$1" >/dev/null
    docker info --format '{{.Swarm.NodeID}}'
}

leave() {
    if [ "$(docker info --format '{{.Swarm.LocalNodeState}}')" != inactive ]; then
        docker swarm leave --force >/dev/null
    fi
    if [ -f "$unit" ]; then
        systemctl disable --quiet paas-node-firewall
        rm -f "$unit"
        systemctl daemon-reload
    fi
    restore_engine
    nft delete table inet paas_node 2>/dev/null || true
    if [ -s "$folder/registry" ]; then
        rm -rf "/etc/docker/certs.d/$(cat "$folder/registry")"
    fi
    rm -rf "$folder" "$kept"
}

"$@"
