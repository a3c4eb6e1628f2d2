"""An engine that dies is asked again, also while its old socket still accepts connections."""

import socket
from pathlib import Path

import pytest

from paas.adapters.docker.connection import engine_down
from paas.adapters.docker.patience import asked
from paas.domain.values.errors import PaasError
from paas.settings import Settings


def test_an_engine_that_resets_connections_is_asked_again(tmp_path: Path) -> None:
    """Until it answers; another error is passed on at once."""
    settings = Settings(state=tmp_path / "var", run=tmp_path / "run", docker=True)
    path = tmp_path / "engine.sock"
    failures = [engine_down("it was reset")] * 3

    def answer(_client: object) -> int:
        if failures:
            raise failures.pop()
        return 7

    def refuse(_client: object) -> int:
        raise PaasError("image-gone", "It is gone.")

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert asked(settings, answer, path=path) == 7
        assert not failures
        with pytest.raises(PaasError, match="It is gone"):
            asked(settings, refuse, path=path)
