"""One-off commands in memory."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from paas.domain.apps.apps import App
from paas.domain.releases.artifacts import Artifact
from paas.domain.runtime.resources import SetLimit
from paas.domain.values.errors import OutOfMemoryError, TimedOutError
from paas.domain.values.secret import Secret

MEMORY_MIB = 512


@dataclass(frozen=True, slots=True)
class Ran:
    """A command that was run, with what it was given."""

    name: str
    command: str
    artifact: Artifact
    env: Mapping[str, str]
    limits: tuple[SetLimit, ...] = ()


@dataclass
class FakeOneOff:
    """`OneOff` of paas/interfaces that knows a few shell words.

    Commands are ``;``-separated words of: ``echo TEXT``, ``exit N``, ``flood N`` (lines of 1 MB),
    ``kill -KILL $$``, ``hog`` (memory) and ``sleep N``, which passes every limit that is shorter.
    ran: what was run, in its order. meanwhile: what else happens while one runs.
    """

    ran: list[Ran] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None

    def run(
        self,
        app: App,
        artifact: Artifact,
        config: Mapping[str, Secret],
        command: str,
        *,
        name: str,
        output: Callable[[bytes], None],
        limit_s: float,
        writable: bool = False,
        check: Callable[[], None] = lambda: None,
    ) -> int:
        env = {key: value.reveal() for key, value in config.items()}
        self.ran.append(Ran(name, command, artifact, env, app.limits))
        self.meanwhile()
        check()
        for part in command.split(";"):
            word, _, rest = part.strip().partition(" ")
            if word == "echo":
                output(rest.encode())
            elif word == "flood":
                for _ in range(int(rest)):
                    output(b"x" * 1_000_000)
            elif word == "sleep" and float(rest) > limit_s:
                raise TimedOutError(
                    "one-off-timeout", f"{name} did not end within {limit_s:g} s and was stopped."
                )
            elif word == "hog":
                raise OutOfMemoryError("one-off-memory", f"{name} was killed.", MEMORY_MIB)
            elif word == "exit":
                return int(rest)
            elif word == "kill":
                return 137
        return 0

    def left(self, app_id: int) -> bool:
        return False

    def clear(self, app_id: int) -> bool:
        return False
