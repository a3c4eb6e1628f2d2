#!/usr/bin/env bash
# How a node's Docker knows the registry of its server; run there as root, by ssh, beside node.sh.
# The server sends this file, and before it the texts as variables: $authority, $password.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

authority=${authority-} password=${password-}
cas=/etc/docker/certs.d
# Says which of them is ours; node.sh takes both away.
record=/etc/paas-node/registry

# $1: the registry, as ADDRESS:PORT.
trust() {
    local former=''
    [ ! -f "$record" ] || former=$(cat "$record")
    mkdir -p "${record%/*}" "$cas/$1"
    printf '%s\n' "$1" >"$record"
    printf '%s' "$authority" >"$cas/$1/ca.crt"
    [ -z "$former" ] || [ "$former" = "$1" ] || rm -rf "${cas:?}/$former"
}

# Have the engine ask the registry as for an image. $1: ADDRESS:PORT, $2: the user.
try() {
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    printf '%s' "$password" |
        docker --config "$folder" login --username "$2" --password-stdin "$1" >/dev/null
}

"$@"
