"""The files that a workload is started from, each named after it.

Its launch spec (run/specs), the pipe of its output (run/fifos), the launcher's record of its exits
(run/crash), and a section of its group's file for supervisord (state/supervisor), which names the
spec and nothing else of the workload.
"""

import contextlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path

from paas.adapters.network.app_networks import AppNetworks
from paas.adapters.network.port_claims import PortClaims
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.launch_specs import SpecPaths, launch_spec
from paas.adapters.supervisor.conf import group_conf
from paas.adapters.system import files
from paas.domain.releases.launch_spec import LaunchSpec
from paas.domain.runtime.workloads import Workload
from paas.settings import Settings


class WorkloadFiles:
    """The files of one server's workloads; none needs to outlive a reboot."""

    def __init__(self, settings: Settings, cgroups: Cgroups, claims: PortClaims) -> None:
        self._settings = settings
        self._paths = SpecPaths(settings)
        self._cgroups = cgroups
        self._claims = claims
        self._networks = AppNetworks(settings)

    def write(self, workloads: Sequence[Workload]) -> Path:
        """The files of the workloads of one group; returns that which supervisord reads."""
        (group,) = {workload.group for workload in workloads}
        self._networks.ensure([one.network for one in workloads if one.network is not None])
        for workload in workloads:
            cgroups = self._cgroups.for_workload(workload.id, workload.limits)
            self._write(workload, launch_spec(self._settings, workload, cgroups))
        # What is started together is stopped in the same way.
        return self.write_group(
            group,
            [workload.label for workload in workloads],
            stop_signal=workloads[0].stop_signal,
            stop_limit_s=workloads[0].stop_limit_s,
        )

    def forget_unstartable(self) -> None:
        """Delete the files of groups that have no launch spec, when the others are written.

        For boot, before supervisord starts: it would try them over and over.
        """
        for conf in self._settings.paths.programs.glob("*.conf"):
            labels = re.findall(r"^process_name=(.+)$", conf.read_text(), re.MULTILINE)
            if not labels or not all(self._paths.spec(conf.stem, x).exists() for x in labels):
                files.remove(conf)

    def forget(self, group: str) -> None:
        """Delete a group's files, before the supervisor would start it."""
        files.remove(self._paths.group_conf(group))
        for label in self._paths.labels(group):
            self.remove(group, label)

    def _write(self, workload: Workload, spec: LaunchSpec) -> None:
        path = self._paths.spec(workload.group, workload.label)
        files.make_directory(path.parent)
        files.make_directory(self._paths.crash_file(workload.group, workload.label).parent)
        if workload.app_id is not None:
            files.make_directory(self._paths.fifo(workload.group, workload.label).parent)
            log = self._paths.app_log(workload.app_id)
            log.parent.mkdir(mode=0o711, parents=True, exist_ok=True)  # for the launcher's lines
        files.write_atomic(path, json.dumps(spec.to_json()), mode=0o600, durable=False)
        if workload.app_id is not None:
            self._make_fifo(workload)

    def _make_fifo(self, workload: Workload) -> None:
        fifo = self._paths.fifo(workload.group, workload.label)
        with contextlib.suppress(FileExistsError):
            os.mkfifo(fifo, 0o600)
        os.chown(fifo, workload.uid, workload.uid, follow_symlinks=False)

    def write_group(
        self,
        group: str,
        labels: Sequence[str],
        *,
        stop_signal: str = "TERM",
        stop_limit_s: float | None = None,
    ) -> Path:
        """The file from which supervisord starts these of a group; returns where it is.

        stop_signal and stop_limit_s: see `Workload`.
        """
        path = self._paths.group_conf(group)
        text = group_conf(
            group,
            [(label, self._paths.spec(group, label)) for label in labels],
            self._paths.launcher,
            self._settings.stop_limit_s if stop_limit_s is None else stop_limit_s,
            stop_signal=stop_signal,
        )
        files.make_directory(path.parent)
        # A boot writes it again: it need not be synced to disk.
        files.write_atomic(path, text, mode=0o600, durable=False)
        return path

    def remove(self, group: str, label: str) -> None:
        """Delete the files of one workload, and release its ports."""
        fifo = self._paths.fifo(group, label)
        self._claims.release(self._paths.spec(group, label))
        for path in (
            self._paths.spec(group, label),
            self._paths.crash_file(group, label),
            fifo,
        ):
            files.remove(path)
        with contextlib.suppress(OSError):
            fifo.parent.rmdir()
