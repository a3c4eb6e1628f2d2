"""What only PostgreSQL can do, in memory."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from paas.domain.datastores.datastores import Datastore
from paas.domain.datastores.extensions import Extension
from paas.domain.datastores.postgresql_settings import chosen
from paas.domain.values.errors import PaasError


class FakePostgresql:
    """`PostgresqlServers`. in_force: what was chosen when each last read its settings, by name.

    known: the extensions that could be made. made: by name of the datastore. fail: raised by the
    next reload.
    """

    def __init__(self) -> None:
        self.in_force: dict[str, dict[str, str]] = {}
        self.known = [
            Extension("hstore", "1.8", None, free=True, comment="key-value pairs"),
            Extension("pgrowlocks", "1.2", None, free=False, comment="locks of rows"),
            Extension("file_fdw", "1.0", None, free=False, comment="reads files"),
        ]
        self.made: dict[str, list[str]] = {}
        self.fail: PaasError | None = None

    def settings(self, datastore: Datastore, names: Iterable[str]) -> dict[str, str]:
        return dict.fromkeys(names, "default") | self.in_force.get(datastore.name, {})

    def reload(self, datastore: Datastore) -> None:
        fail, self.fail = self.fail, None
        if fail is not None:
            raise fail
        self.in_force[datastore.name] = chosen(datastore)

    def extensions(self, datastore: Datastore) -> list[Extension]:
        made = self.made.get(datastore.name, [])
        return [
            Extension(one.name, one.version, one.version, one.free, one.comment)
            if one.name in made
            else one
            for one in self.known
        ]

    def make_extension(self, datastore: Datastore, extension: Extension) -> None:
        self.made.setdefault(datastore.name, []).append(extension.name)


class FakeMajorUpgrades:
    """`MajorUpgrades`. fail: raised by the next step of that name. steps: what was done.

    former: the datastores whose former files are kept. replaced_at: since when.
    """

    def __init__(self) -> None:
        self.installed = ["15", "16", "17"]
        self.room = (1_000_000, 10_000_000_000)
        self.fail: dict[str, PaasError] = {}
        self.steps: list[str] = []
        self.former: set[str] = set()
        self.replaced_at = datetime(2026, 1, 1, tzinfo=UTC)

    def versions(self) -> Sequence[str]:
        return self.installed

    def space(self, datastore: Datastore) -> tuple[int, int]:
        return self.room

    def prepare(self, datastore: Datastore, version: str) -> None:
        self._step("prepare", f"prepare {version}")

    def copy(self, datastore: Datastore, version: str) -> None:
        self._step("copy", f"copy {version}")

    def give_up(self, datastore: Datastore) -> None:
        self._step("give up", "give up")

    def finish(self, datastore: Datastore) -> None:
        self.former.add(datastore.name)
        self._step("finish", "finish")

    def delete_former(self, datastore: Datastore, before: datetime) -> bool:
        is_old = datastore.name in self.former and self.replaced_at < before
        if is_old:
            self.former.discard(datastore.name)
        return is_old

    def _step(self, name: str, words: str) -> None:
        self.steps.append(words)
        if name in self.fail:
            raise self.fail.pop(name)
