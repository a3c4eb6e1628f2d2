#!/usr/bin/env bash
# What a server asks of the instances on its node; run there as root, by ssh, beside node.sh. Quick:
# it starts few processes. What containers can name, such as their processes, is only ever compared.
set -euo pipefail
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# Each container of an instance: its id, its first process, GROUP-LABEL.
instances() {
    local ids
    mapfile -t ids < <(docker ps -q --no-trunc --filter label=paas.group \
        --filter label=paas.instance)
    [ "${#ids[@]}" -gt 0 ] || return 0
    # Quoted: no label makes a line of its own. One may have ended meanwhile: that is no error.
    docker inspect "${ids[@]}" 2>/dev/null --format '{{.Id}} {{.State.Pid}} {{
        printf "%s-%s" (index .Config.Labels "paas.group") (index .Config.Labels "paas.instance")
        | json }}' || true
}

# Stand in the folder of a process, which is never another process's. Fails if it has ended, or is
# none of this container. $controllers becomes the path of its cgroup, by controller.
enter() {
    local names path name
    controllers=()
    cd "/proc/$2" 2>/dev/null || return
    while IFS=: read -r _ names path; do
        [[ $path == *"$1"* ]] || [ -z "$names" ] || continue
        for name in ${names//,/ }; do controllers[$name]=/sys/fs/cgroup/$names$path; done
        [ -n "$names" ] || controllers[all]=/sys/fs/cgroup$path
    done <cgroup 2>/dev/null
    [[ ${controllers[memory]-}${controllers[all]-} == *"$1"* ]]
}

# $value becomes what a file says: its only line, or what follows a word there.
read_value() {
    local key rest
    value=0
    while read -r key rest; do
        [ "$#" = 1 ] && value=$key && return
        [ "$key" = "$2" ] && value=$rest && return
    done <"$1"
}

show_usage() {
    local folder memory cpu_ns processes stat up value
    folder=${controllers[memory]-${controllers[all]}}
    mapfile -t processes <"$folder/cgroup.procs"
    if [ -n "${controllers[memory]-}" ]; then
        read_value "$folder/memory.usage_in_bytes" && memory=$value
        read_value "$folder/memory.stat" total_inactive_file
    else
        read_value "$folder/memory.current" && memory=$value
        read_value "$folder/memory.stat" inactive_file
    fi
    # What the kernel can free at once does not count, as in docker stats.
    memory=$((memory > value ? memory - value : 0))
    if [ -n "${controllers[cpuacct]-}" ]; then
        read_value "${controllers[cpuacct]}/cpuacct.usage" && cpu_ns=$value
    else
        read_value "${controllers[all]}/cpu.stat" usage_usec && cpu_ns=${value}000
    fi
    # proc(5): when it started, in hundredths of a second, is the 20th word after its name.
    stat=$(<stat)
    read -ra stat <<<"${stat##*) }"
    read -r up _ </proc/uptime
    echo "usage $1 memory=$memory cpu_ns=$cpu_ns processes=${#processes[@]}" \
        "age_ms=$(((${up/./} - stat[19]) * 10))"
}

usage() {
    local container pid id
    local -A controllers
    while read -r container pid id; do
        # It may end at any moment.
        (enter "$container" "$pid" && show_usage "${id//\"/}") 2>/dev/null || true
    done < <(instances)
}

# The tables begin with those who listen; the rest, the connections, may be very long.
listening() {
    local container pid id
    local -A controllers
    while read -r container pid id; do
        if [ "$id" = "\"$1\"" ] && enter "$container" "$pid"; then
            awk 'FNR > 1000 || (FNR > 1 && $4 != "0A") { nextfile }
                FNR > 1 { print "listening " $2 }' net/tcp net/tcp6 2>/dev/null || true
        fi
    done < <(instances)
}

"$@"
