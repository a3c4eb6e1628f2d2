"""What builds and runs apps, found by the engine that an app has."""

from collections.abc import Mapping
from dataclasses import dataclass

from paas.domain.apps.apps import App
from paas.domain.values.errors import PaasError
from paas.interfaces.builds import Builder
from paas.interfaces.runtime import OneOff, Runs, Runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """One way to build and run apps: what its builder makes, its other parts can start."""

    builder: Builder
    runtime: Runtime
    one_off: OneOff
    runs: Runs


class Engines:
    """The engines of a server, by name (`App.engine`)."""

    def __init__(self, engines: Mapping[str, Engine]) -> None:
        self._engines = engines

    def of(self, app: App) -> Engine:
        """The engine of an app. Raises PaasError ``no-such-engine``."""
        try:
            return self._engines[app.engine]
        except KeyError:
            raise PaasError(
                "no-such-engine",
                f"{app.name} runs on the engine {app.engine!r}, which this server does not have: "
                f"it has {', '.join(sorted(self._engines))}.",
                "Run install.sh again: with --docker if that is the engine, else that of the "
                "version that had it.",
            ) from None

    def named(self, name: str) -> Engine:
        """For what is no app. Raises KeyError if there is none of that name."""
        return self._engines[name]

    def names(self) -> set[str]:
        """The names of those that the server has."""
        return set(self._engines)

    def all(self) -> list[Engine]:
        """For what belongs to no app, or to one that is gone."""
        return list(self._engines.values())

    def groups(self) -> set[str]:
        """The groups of app instances that any engine has; see `Runtime.groups`."""
        runtimes = {id(engine.runtime): engine.runtime for engine in self.all()}
        return {group for runtime in runtimes.values() for group in runtime.groups()}
