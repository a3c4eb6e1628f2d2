"""One-off processes as children of the process that serves the command; implements `Runs`.

An attached one is a child of the gate's child that serves the user. A detached one has a separate
forked watcher, which outlives the gate. Each is launched like an instance, in its own cgroup,
``run-APP-N``, and is recorded (run_records.py) while it lives.
"""

import array
import fcntl
import os
import subprocess
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from paas.adapters.runtime.native.attached import Attached, end, hang_up, terminate
from paas.adapters.runtime.native.cgroups import Cgroups
from paas.adapters.runtime.native.child_launch import write_spec
from paas.adapters.runtime.native.launch_specs import SpecPaths, limits_of, one_off_spec
from paas.adapters.runtime.native.process_tree import Members, wait_until
from paas.adapters.runtime.native.run_records import Claim, RunRecords
from paas.adapters.system import files
from paas.domain.apps.apps import App
from paas.domain.apps.environment import shell_argv
from paas.domain.releases.artifacts import Artifact
from paas.domain.releases.launch_spec import LaunchSpec
from paas.domain.runs.runs import Run, RunEnd, RunSpec
from paas.domain.runtime.resources import type_of_command
from paas.domain.runtime.workloads import Limits
from paas.domain.values.errors import PaasError
from paas.domain.values.memory import shortage
from paas.interfaces import Caller, Clock
from paas.settings import Settings

COMMAND_SHOWN = 1_000
_DRAIN_S = 5.0
_RELEASED_S = 0.5
_STOP_TRIES = 20
_HIGHEST_FD = 1 << 20


class NativeRuns:
    """`Runs` over the launcher.

    What differs with another engine are the methods that say which program is run, and how it
    ended (docker/runs.py).
    """

    def __init__(self, settings: Settings, cgroups: Cgroups, clock: Clock) -> None:
        self.settings = settings
        self._paths = SpecPaths(settings)
        self.cgroups = cgroups
        self._clock = clock
        self._records = RunRecords(settings.paths.runs)

    def attached(
        self,
        app: App,
        artifact: Artifact | None,
        wanted: RunSpec,
        caller: Caller,
        begun: Callable[[Run], None],
    ) -> tuple[Run, RunEnd]:
        """Run it until it ends, with the caller's streams or terminal; see interfaces.Runs."""
        claim = self._claim(app.id)
        try:
            run = self._run(app, claim, wanted, attached=True)
            claim.write(run)
            begun(run)
            with self.prepared(app, artifact, wanted, run) as argv:
                attached = Attached(
                    argv,
                    caller,
                    lambda pid: self.members(replace(run, pid=pid)),
                    lambda pid: claim.write(replace(run, pid=pid)),
                    uid=app.uid,
                    stop_limit_s=self.settings.stop_limit_s,
                )
                status = attached.with_terminal() if run.terminal else attached.with_streams()
                return run, self.end_of(app, artifact, run, status)
        finally:
            claim.release()

    def detached(
        self,
        app: App,
        artifact: Artifact,
        wanted: RunSpec,
        begun: Callable[[Run], None],
        ended: Callable[[Run, RunEnd], None],
    ) -> Run:
        """Start it in the background; see interfaces.Runs."""
        claim = self._claim(app.id)
        run = self._run(app, claim, wanted, attached=False)
        claim.write(run)
        begun(run)
        ready, left = os.pipe()
        if os.fork():
            claim.leave_to_child()
            os.close(left)
            os.read(ready, 1)  # ends when it has left our session, where it could die with us
            os.close(ready)
            return run
        try:
            _leave(claim.fd)
            ended(run, self.watch(app, artifact, wanted, run, claim))
            claim.release()
        finally:
            os._exit(0)

    def starting(self, app_id: int, job: str) -> AbstractContextManager[None]:
        """Keep others from starting a run of that cron job; see interfaces.Runs."""
        return self._records.starting(app_id, job)

    def listing(self, app_id: int) -> list[Run]:
        """What runs of an app, by number."""
        return self._records.listing(app_id)

    def stop(self, run: Run, limit_s: float) -> None:
        """End a one-off process and all that it started; see interfaces.Runs."""
        for _ in range(_STOP_TRIES):  # it may not have joined its cgroup yet
            end(self.members(self._present(run) or run), limit_s, was_attached=run.terminal)
            if wait_until(lambda: self._present(run) is None, _RELEASED_S):
                return
        raise PaasError(
            "not-stopped",
            f"{run.label} was killed but does not end.",
            "See what it waits for with: ps -o pid,stat,wchan:32,cmd",
        )

    def running(self) -> list[Run]:
        """Those of all apps."""
        return [run for app_id in self._records.apps() for run in self.listing(app_id)]

    def stop_all(self) -> None:
        """End those of all apps in parallel, each with its grace period, since the server stops."""
        hang_up(self.members(*(run for run in self.running() if run.terminal)))
        signaled: set[tuple[int, int]] = set()

        def have_ended() -> bool:
            running = self.running()
            for run in running:  # one that has not joined its cgroup yet is signalled later
                if (run.app_id, run.number) not in signaled and terminate(self.members(run)):
                    signaled.add((run.app_id, run.number))
            return not running

        if not wait_until(have_ended, self.settings.stop_limit_s):
            self.members(*self.running()).kill()
            wait_until(lambda: not self.running(), _DRAIN_S)  # until their ends are reported

    def left(self, app_id: int) -> bool:
        """Whether a killed watcher left anything."""
        found = False
        for claim in self._records.dead(app_id):
            claim.release()
            found = True
        return found

    def clear(self, app_id: int) -> bool:
        """End what a killed watcher left running; returns whether there was anything."""
        found = False
        for claim in self._records.dead(app_id):
            self.clear_claim(app_id, claim)
            claim.release()
            found = True
        return found

    def remove(self, app_id: int) -> None:
        """End all of an app that is gone, and delete their records."""
        for run in self.listing(app_id):
            self.stop(run, 0.0)
        self.clear(app_id)
        self._records.remove(app_id)

    def _claim(self, app_id: int) -> Claim:
        claim = self._records.claim(app_id, self.settings.max_runs)
        if claim.leftover:
            self.clear_claim(app_id, claim)
        return claim

    def clear_claim(self, app_id: int, claim: Claim) -> None:
        """Remove what a killed caller left."""
        self.cgroups.remove(_cgroup(app_id, claim.number))
        files.remove(self._records.path(app_id, claim.number))
        for fifo in self._fifos(app_id).glob(f"*@{_cgroup(app_id, claim.number)}.fifo"):
            files.remove(fifo)

    def _run(self, app: App, claim: Claim, wanted: RunSpec, *, attached: bool) -> Run:
        return Run(
            app_id=app.id,
            number=claim.number,
            user=wanted.user,
            command=wanted.command[:COMMAND_SHOWN],
            version=wanted.version,
            slug_id=wanted.slug_id,
            attached=attached,
            terminal=wanted.terminal,
            since=self._clock.now(),
            job=wanted.job,
        )

    @contextmanager
    def prepared(
        self, app: App, artifact: Artifact | None, wanted: RunSpec, run: Run
    ) -> Iterator[Sequence[str | Path]]:
        """The launcher's command line with its spec, and no process of it left at the end."""
        path = self._records.path(app.id, run.number)
        try:
            write_spec(path, self._spec(app, artifact, wanted, run))
            yield [*self._paths.launcher, path]
        finally:
            files.remove(path)
            self.cgroups.remove(_cgroup(app.id, run.number))

    def _spec(self, app: App, artifact: Artifact | None, wanted: RunSpec, run: Run) -> LaunchSpec:
        limits = self._limits(app, run)
        spec = one_off_spec(
            self.settings,
            app,
            run.label,
            artifact=artifact,
            config=wanted.env,
            argv=shell_argv(wanted.command),
            limits=limits,
            cgroups=self.cgroups.for_workload(_cgroup(app.id, run.number), limits),
        )
        fifo = None if run.attached else str(self.fifo(run))
        return replace(spec, terminal=run.terminal, log_fifo=fifo)

    def is_launched(self, run: Run) -> bool:
        """Whether the launcher has started it, or is about to."""
        return self._records.path(run.app_id, run.number).exists()

    def _limits(self, app: App, run: Run) -> Limits:
        return limits_of(self.settings, app, type_of_command(run.label))

    def fifo(self, run: Run) -> Path:
        """The pipe by which the output of a detached one reaches the app's log."""
        name = f"{run.label}@{_cgroup(run.app_id, run.number)}.fifo"
        return self._fifos(run.app_id) / name

    def _fifos(self, app_id: int) -> Path:
        return self.settings.paths.fifos / str(app_id)

    def members(self, *runs: Run) -> Members:
        """The processes of runs, to be waited for and ended."""
        groups = frozenset(run.pid for run in runs if run.pid)
        names = frozenset(_cgroup(run.app_id, run.number) for run in runs)
        return Members(self.cgroups, groups, names)

    def _present(self, run: Run) -> Run | None:
        """The same process as it is recorded now, with its pid; None once it has ended."""
        for other in self.listing(run.app_id):
            if (other.number, other.since) == (run.number, run.since):
                return other
        return None

    def watch(
        self, app: App, artifact: Artifact, wanted: RunSpec, run: Run, claim: Claim
    ) -> RunEnd:
        """Launch it and wait for its end; the log process gets its last words."""
        with self.prepared(app, artifact, wanted, run) as argv:
            child = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env={},
                cwd="/",
                start_new_session=True,
            )
            claim.write(replace(run, pid=child.pid))
            status = child.wait()
            self.members(replace(run, pid=child.pid)).kill()
            end = self.end_of(app, artifact, run, status)
        self.deliver(self.fifo(run))
        files.remove(self.fifo(run))
        return end

    def deliver(self, fifo: Path) -> None:
        """Wait, not for long, until the log process has read all that is in the pipe."""
        with suppress(OSError):
            fd = os.open(fifo, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
            wait_until(partial(_is_empty, fd), _DRAIN_S)
            os.close(fd)

    def end_of(
        self,
        app: App,
        artifact: Artifact | None,  # noqa: ARG002 - another engine asks what it is
        run: Run,
        status: int,
    ) -> RunEnd:
        """status: 0 or more, or minus the signal. Call it while its cgroup is there."""
        killed = status and self.cgroups.memory_kills(_cgroup(run.app_id, run.number))
        why = shortage(self.cgroups.memory_mib(self._limits(app, run))) if killed else ""
        return RunEnd(status if status >= 0 else 128 - status, why)


def _cgroup(app_id: int, number: int) -> str:
    return f"run-{app_id}-{number}"


def _is_empty(fd: int) -> bool:
    waiting = array.array("i", [0])
    fcntl.ioctl(fd, termios.FIONREAD, waiting)
    return waiting[0] == 0


def _leave(kept: int) -> None:
    """Keep nothing of the process that forked us, except the descriptor of the claim."""
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, kept)
    os.closerange(kept + 1, _HIGHEST_FD)
