"""Fetch code from other servers, in the sandbox, as the app's uid; see fetcher/jobs.py.

Run by path as ``/usr/bin/python3 -I -S fetch.py``.
"""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rpartition("/paas/entrypoints/")[0] or ".")
    from paas.entrypoints.fetcher.jobs import main

    raise SystemExit(main())
