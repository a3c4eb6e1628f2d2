"""A change of only an app's instances: detected from its files, made in the running worker."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paas.adapters.proxy.haproxy.files import Files, instances, without_instances
from paas.adapters.proxy.haproxy.runtime_api import Worker
from paas.domain.values.errors import PaasError


@dataclass(frozen=True, slots=True)
class InstanceChange:
    """was, now: what follows each instance's name in the app's file."""

    was: Mapping[str, str]
    now: Mapping[str, str]

    def carry_out(self, worker: Worker | None, backends: Sequence[str]) -> None:
        """Change the running worker. Raises PaasError if that fails; a reload is then needed."""
        if worker is None:
            raise PaasError("proxy-runtime", "HAProxy has no worker that could be changed.")
        for backend in backends:
            for name in self.now.keys() - self.was.keys():
                worker.add(backend, f"{name} {self.now[name]}")
        for backend in backends:
            for name in self.was.keys() - self.now.keys():
                worker.send_away(backend, name)


def instance_change(cfg: Path, former: Files, wanted: Files) -> InstanceChange | None:
    """The change from the former files of an app to the wanted ones; None if it is of more.

    cfg: the one that has the instances.
    """
    was, now = ((files[cfg] or b"").decode() for files in (former, wanted))
    others = all(former[path] == content for path, content in wanted.items() if path != cfg)
    if not others or without_instances(was) != without_instances(now):
        return None
    return InstanceChange(instances(was), instances(now))
