#!/usr/bin/env bash
# Installs paas on this machine, or upgrades it; ./install.sh --help tells the options.
# The work is done in Python (paas/entrypoints/installer/): this only sees to it that there is one.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
python=/usr/bin/python3

if [ ! -x "$python" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo " !     The installation must run as root: sudo ./install.sh" >&2
        exit 1
    fi
    if ! command -v apt-get >/dev/null; then
        echo " !     There is no $python, and no apt-get to install it." >&2
        exit 1
    fi
    echo "-----> Installing python3" >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update
    apt-get -qq install --yes --no-install-recommends python3 >/dev/null
fi

exec "$python" -I -B -c '
import sys
source = sys.argv.pop(1)
sys.path.insert(0, source)
from paas.entrypoints.installer.main import main
sys.exit(main(source, sys.argv[1:]))
' "$here" "$@"
