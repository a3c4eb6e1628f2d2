"""What an operation waits for, and until when."""

import fcntl
from pathlib import Path

import pytest

from paas.adapters.system.locks import FlockLocks
from paas.domain.values.errors import PaasError
from paas.entrypoints.operations.progress import Impatient
from paas.services.progress import waiting


def test_a_wait_for_another_change_ends(tmp_path: Path) -> None:
    """With an error that names it; the lock is free for the next one then."""
    locks = FlockLocks(tmp_path, 0)
    with locks.app(7, "bob deploys"):
        pass
    with (tmp_path / "app-7").open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write('{"holder": "bob deploys", "since": "10:02:11 UTC"}')
        file.flush()
        with (
            pytest.raises(PaasError, match="bob deploys, since 10:02:11 UTC") as caught,
            locks.app(7, "alice scales the app", waiting(Impatient(patience_s=0.01))),
        ):
            raise AssertionError("it had the lock")
    assert caught.value.reference == "app-busy"
    with locks.app(7, "alice scales the app", waiting(Impatient(patience_s=0.01))):
        assert locks.app_is_held(7)
