"""The one place where services meet adapters.

adapters.py makes the adapters of a server, services.py the services over them.
"""

from paas.wiring.services import Platform, build

__all__ = ["Platform", "build"]
