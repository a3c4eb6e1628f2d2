"""What KeyReader and KeyFile promise, for the fake and the real ones alike."""

import os
import subprocess
from pathlib import Path

import pytest

from paas.adapters.ssh.authorized_keys import AuthorizedKeys
from paas.adapters.ssh.public_keys import SshKeygenKeyReader
from paas.domain.people.keys import Key
from paas.domain.values.names import UserName
from paas.interfaces import KeyFile, KeyReader
from tests.fakes.guarding import FakeKeys


class Kind:
    """Reader and file of one kind, and public keys that the reader takes."""

    def __init__(self, root: Path, reader: KeyReader, file: KeyFile) -> None:
        self._root = root
        self.reader = reader
        self.file = file

    def key(self, user: str) -> Key:
        """A new key of a user."""
        text = f"key of {user}"
        if not isinstance(self.reader, FakeKeys):
            path = self._root / f"id_{user}"
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
            subprocess.run(argv, check=True)
            text = path.with_suffix(".pub").read_text()
        return self.reader.read(UserName(user), text)


@pytest.fixture(params=["fake", "real"])
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    """Each kind."""
    if request.param == "fake":
        both = FakeKeys()
        return Kind(tmp_path, both, both)
    file = AuthorizedKeys(
        tmp_path / "authorized_keys", ["client", "--as"], gid=os.getgid(), uid=os.getuid()
    )
    return Kind(tmp_path, SshKeygenKeyReader(), file)


def test_keys_are_told_apart_by_their_fingerprint(kind: Kind) -> None:
    """Of two keys it differs, and each belongs to its user."""
    alice, bob = kind.key("alice"), kind.key("bob")
    assert alice.fingerprint.startswith("SHA256:")
    assert alice.fingerprint != bob.fingerprint
    assert (alice.user, bob.user) == ("alice", "bob")


def test_exactly_the_published_keys_are_accepted(kind: Kind) -> None:
    """Publishing replaces all that were there; the order of keys counts."""
    alice, bob = kind.key("alice"), kind.key("bob")
    kind.file.publish([alice, bob], [])
    assert kind.file.has([alice, bob], [])
    assert not kind.file.has([alice], [])
    kind.file.publish([bob], [])
    assert kind.file.has([bob], [])
    assert not kind.file.has([alice, bob], [])
    kind.file.publish([], [])
    assert kind.file.has([], [])
