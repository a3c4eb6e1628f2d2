"""``paas``: on the server a thin client of the gate, on a laptop a thin client of ssh.

The server runs this file by its path, under ``/usr/bin/python3 -I -S``, with ``--paas-etc ETC``
first: as the forced command of an SSH key (``--as USER --key FINGERPRINT``, or of a certificate
``--as USER --ca FINGERPRINT``), from a push's hook (``--hook``), and for root. A laptop runs
``main`` as the console script ``paas``. The code is in the modules imported below, because Python
caches their compiled form, but not that of a script.
"""

import os
import sys

if __name__ == "__main__":
    # Not opt/current, which an upgrade changes: what is imported later must fit to this.
    sys.path.insert(0, os.path.realpath(__file__).removesuffix("/paas/entrypoints/client.py"))


def main() -> int:
    """Ask the gate if this is its server and the caller may use it; otherwise connect over ssh."""
    args = sys.argv[1:]
    try:
        if args[:1] == ["--paas-etc"]:
            etc, rest = args[1], args[2:]
            if rest[:1] in (["--as"], ["--hook"]) or os.geteuid() == 0:
                from paas.entrypoints.gate_client import link

                # Nothing is buffered, and ending the interpreter would cost every command 2 ms.
                os._exit(link.main(etc, rest))
            args = rest
        from paas.entrypoints.laptop import laptop

        return laptop.main(args)
    except KeyboardInterrupt:
        # Keep what the server drew last; the shell's prompt gets its own line.
        if os.isatty(2):
            os.write(2, b"\n")
        os._exit(130)
    except BrokenPipeError:
        os._exit(141)


if __name__ == "__main__":
    sys.exit(main())
