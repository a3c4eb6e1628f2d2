"""The one place where services meet adapters.

outside.py makes the adapters of a server, platform.py the services over them.
"""

from paas.wiring.platform import Platform, build

__all__ = ["Platform", "build"]
