"""``git-lfs-transfer``: receive and send an app's Git LFS objects; see lfs/server.py.

Run by path as ``/usr/bin/python3 -I -S lfs_transfer.py DIRECTORY OPERATION MAX_BYTES MIN_FREE``,
as the platform's account, as which SSH clients run.
"""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rpartition("/paas/entrypoints/")[0] or ".")
    from paas.entrypoints.lfs.server import main

    raise SystemExit(main(sys.argv))
