"""What Refs say of a push, for the fake and git itself alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from paas.domain.git.refs import NO_COMMIT, RefUpdate
from paas.domain.values.errors import PaasError
from paas.interfaces import Quarantine, Refs
from tests.contract.git.test_refs import Git, new_git
from tests.fakes.repository import FakeRefs

UPDATE = RefUpdate(NO_COMMIT, "c" * 40, "refs/heads/next")


class Kind:
    """Refs of one kind; block: have git refuse what is asked from now on."""

    def __init__(
        self, refs: Refs, update: RefUpdate, git: Git | None, block: Callable[[], object]
    ) -> None:
        self._refs = refs
        self._update = update
        self._git = git
        self.block = block

    def ask(self) -> PaasError | None:
        """Whether a new branch would be refused."""
        objects = Quarantine(self._git.tree / ".git/objects" if self._git else Path("/nowhere"))
        return self._refs.refusal(7, [self._update], objects)

    def branches(self) -> str:
        """The refs that there are."""
        return self._git.run("for-each-ref", at=self._git.server) if self._git else ""


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest) -> Iterator[Kind]:
    """Each kind, with a push of a new branch."""
    if request.param == "fake":
        fake = FakeRefs()

        def refuse() -> None:
            fake.will = PaasError("ref-in-the-way", "git cannot store next.", "Push another.")

        yield Kind(fake, UPDATE, None, refuse)
        return
    with new_git() as git:
        git.run("commit", "-q", "--allow-empty", "-m", "two")
        update = RefUpdate(NO_COMMIT, git.run("rev-parse", "HEAD"), "refs/heads/next")
        yield Kind(
            git.refs,
            update,
            git,
            lambda: git.run("push", "-q", str(git.server), "main:refs/heads/next/x"),
        )


def test_what_git_takes_is_not_refused(kind: Kind) -> None:
    """However often that is asked: nothing is changed by it."""
    before = kind.branches()
    assert [kind.ask(), kind.ask()] == [None, None]
    assert kind.branches() == before


def test_what_git_refuses_is_told(kind: Kind) -> None:
    """With the reason and what to do; and nothing is changed."""
    kind.block()
    before = kind.branches()
    for _ in range(2):
        refused = kind.ask()
        assert refused is not None
        assert refused.reference == "ref-in-the-way"
        assert refused.hint
    assert kind.branches() == before
