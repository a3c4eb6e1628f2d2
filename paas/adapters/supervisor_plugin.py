"""The plugin of supervisord under the name that supervisord.conf has.

Only an entry point: at an upgrade the former version's supervisord, which knows it under this name,
reads that file again, so it stays where it is; the work is in supervisor/plugin.py.
"""

from paas.adapters.supervisor.plugin import make_interface

__all__ = ["make_interface"]
