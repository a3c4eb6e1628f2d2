"""Fetch code from elsewhere, in the sandbox, as the app's uid; see fetching/jobs.py.

Run by path as ``/usr/bin/python3 -I -S fetch.py``.
"""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rpartition("/paas/entrypoints/")[0] or ".")
    from paas.entrypoints.fetching.jobs import main

    raise SystemExit(main())
