"""An engine that dies is asked again, also while its old socket still accepts connections."""

import json
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
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


@contextmanager
def engine(path: Path, answers: list[tuple[int, object]]) -> Iterator[None]:
    """An engine that gives these answers in turn, the last one again and again."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content = answers.pop(0) if len(answers) > 1 else answers[0]
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def address_string(self) -> str:
            return "somebody"

        def log_message(self, *_: object) -> None:
            pass

    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield
        server.shutdown()


def test_an_engine_that_is_not_ready_is_asked_again(tmp_path: Path) -> None:
    """As a manager that listens, but has not read yet that it is one; a refusal is passed on."""
    settings = Settings(state=tmp_path / "var", run=tmp_path / "run", docker=True)
    unready = (503, {"message": "This node is not a swarm manager"})
    path = tmp_path / "engine.sock"
    answers: list[tuple[int, object]] = [unready, unready, (200, [{"ID": "one"}])]
    with engine(path, answers):
        assert asked(settings, lambda client: client.api.nodes(), path=path) == [{"ID": "one"}]
    path.unlink()
    with (
        engine(path, [(500, {"message": "no"})]),
        pytest.raises(PaasError, match="The Docker engine refused: no"),
    ):
        asked(settings, lambda client: client.api.nodes(), path=path)
