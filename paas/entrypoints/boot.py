"""``python -m paas.entrypoints.boot --etc ETC [ACTION]``: start or stop the server.

Only an entry point: systemd's units name it, so it stays where it is; the work is in
daemons/boot.py.
"""

import sys

from paas.entrypoints.daemons.boot import main

if __name__ == "__main__":
    sys.exit(main())
