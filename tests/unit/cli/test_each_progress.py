"""What a Progress of a change that nobody has cancelled does, for the fake and a terminal alike."""

from collections.abc import Callable

import pytest

from paas.entrypoints.cli.terminal import Terminal
from paas.interfaces import Progress
from tests.fakes.output import FakeProgress


class Kind:
    """A Progress of one kind, the lines that it has shown, and whether it has answered."""

    def __init__(
        self, progress: Progress, lines: Callable[[], list[str]], is_live: Callable[[], bool]
    ) -> None:
        self.progress = progress
        self.lines = lines
        self.is_live = is_live


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Kind:
    """Each kind."""
    live: list[bool] = []
    if request.param == "fake":
        fake = FakeProgress()
        fake.when_live = lambda: live.append(True)
        return Kind(fake, lambda: fake.lines, lambda: bool(live))
    return Kind(
        Terminal(reply=lambda: live.append(True)),
        lambda: capfd.readouterr().err.splitlines(),
        lambda: bool(live),
    )


def test_lines_have_heroku_s_form(kind: Kind) -> None:
    """In their order; what a program prints is as it is."""
    kind.progress.step("Building")
    kind.progress.detail("with Python 3.12")
    kind.progress.warn("It is old.")
    kind.progress.output(b"  Collecting flask")
    assert kind.lines() == [
        "-----> Building",
        "       with Python 3.12",
        " !     It is old.",
        "  Collecting flask",
    ]


def test_what_goes_on_can_be_reworded(kind: Kind) -> None:
    """An error passes through, and nothing of it stays among the lines."""
    with pytest.raises(ZeroDivisionError), kind.progress.doing("waiting") as reword:
        reword("waiting for web.1")
        raise ZeroDivisionError
    assert kind.lines() == []


def test_nobody_objects_or_cancels(kind: Kind) -> None:
    """Where nobody can be asked the answer is yes; who waits is answered when it is live."""
    assert kind.progress.ask("Go on?")
    kind.progress.check()
    assert not kind.is_live()
    kind.progress.live()
    assert kind.is_live()
