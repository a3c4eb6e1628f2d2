"""``paas-launch SPEC``: become one process of an app, isolated; see launcher/launcher.py.

Run by path as ``/usr/bin/python3 -I -S launch.py SPEC``. It is only an entry point: Python
caches the compiled form of imported modules, not of the script, and compiling takes milliseconds.
"""

import sys

if __name__ == "__main__":
    sys.path.append(__file__.rpartition("/paas/entrypoints/")[0] or ".")
    from paas.entrypoints.launcher.launcher import main

    main(sys.argv)
