"""One-off processes: ``paas run bash`` in a fresh instance of the current release."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from paas.domain.apps import Actor, App
from paas.domain.errors import PaasError
from paas.domain.interfaces import Caller, Logs, Narrator, Runs, Slugs, Store
from paas.domain.names import VarName, printable
from paas.domain.runs import Run, Wanted, command_text, run_number, terminal_name
from paas.domain.secret import Secret
from paas.services.access import find_app

_SHOWN_CHARS = 200


@dataclass(frozen=True, slots=True)
class Order:
    """What somebody types. words: the command. extra: variables for this process alone.

    terminal: the value of TERM where stdin and stdout are a terminal, else None.
    """

    words: Sequence[str]
    extra: Mapping[VarName, str]
    terminal: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOffs:
    """What users do with one-off processes. stop_limit_s: how long one may take to end."""

    store: Store
    slugs: Slugs
    runs: Runs
    logs: Logs
    stop_limit_s: float

    def run(self, actor: Actor, name: str, order: Order, caller: Caller, say: Narrator) -> int:
        """Run a command to its end, with the caller's terminal or streams; its exit status."""
        app = find_app(self.store, actor, name)
        wanted = self._wanted(actor, app, order)

        def begun(run: Run) -> None:
            self._tell_begin(run)
            if run.terminal:
                say.step(f"Running {_shown(run.command)} on {app.name}: {run.label}")

        slug = self.slugs.path(wanted.slug_id)
        run, status = self.runs.attached(app, slug, wanted, caller, begun)
        self._tell_end(run, status)
        return status

    def detach(self, actor: Actor, name: str, order: Order) -> Run:
        """Run a command in the background; its output goes to the app's log."""
        app = find_app(self.store, actor, name)
        wanted = self._wanted(actor, app, order)
        slug = self.slugs.path(wanted.slug_id)
        return self.runs.detached(app, slug, wanted, self._tell_begin, self._tell_end)

    def listing(self, actor: Actor, name: str) -> list[Run]:
        """The one-off processes that run, by number."""
        return self.runs.listing(find_app(self.store, actor, name).id)

    def stop(self, actor: Actor, name: str, labels: Sequence[str], say: Narrator) -> None:
        """End one-off processes (``run.1``). Raises PaasError, with none ended, where one is not
        running."""
        app = find_app(self.store, actor, name)
        running = {run.number: run for run in self.runs.listing(app.id)}
        chosen = []
        for label in labels:
            number = run_number(label)
            if number not in running:
                raise PaasError(
                    "no-such-run", f"{label} is not running.", "See what is: paas run:list"
                )
            chosen.append(running[number])
        for run in chosen:
            self.logs.write(app.id, run.label, f"Stopped by {actor.name}")
            self.runs.stop(run, self.stop_limit_s)
            say.step(f"Stopped {run.label}")

    def _wanted(self, actor: Actor, app: App, order: Order) -> Wanted:
        release = self.store.release(app.id, app.current) if app.current else None
        slug = self.store.slug(release.slug_id) if release and release.slug_id else None
        if release is None or slug is None:
            raise PaasError(
                "not-deployed", f"{app.name} has not been deployed yet.", "git push deploy main"
            )
        env: dict[str, Secret] = dict(release.config)
        env.update({key: Secret(text) for key, text in order.extra.items()})
        if order.terminal is not None:
            env["TERM"] = Secret(terminal_name(order.terminal))
        return Wanted(
            user=actor.name,
            command=command_text(order.words, slug.processes),
            version=release.version,
            slug_id=slug.id,
            env=env,
            terminal=order.terminal is not None,
        )

    def _tell_begin(self, run: Run) -> None:
        text = f"Starting process with command `{_shown(run.command)}` by {run.user}"
        self.logs.write(run.app_id, run.label, text)

    def _tell_end(self, run: Run, status: int) -> None:
        self.logs.write(run.app_id, run.label, f"Process exited with status {status}")


def _shown(command: str) -> str:
    text = printable(command)
    return text if len(text) <= _SHOWN_CHARS else text[: _SHOWN_CHARS - 3] + "..."
