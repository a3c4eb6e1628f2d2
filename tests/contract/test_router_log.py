"""Counting answers from Nginx's own log lines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from paas.adapters.router_log import RouterLog
from paas.domain.watching import Answers

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def line(at: datetime, status: int, upstream: str, path: str = "/") -> str:
    """A line as nginx-templates/http.conf.j2 has it written."""
    return (
        f'{at.isoformat(timespec="milliseconds")} router: method=GET path="{path}" '
        f'host=shop.localhost status={status} bytes=5 upstream="{upstream}" client=127.0.0.1 '
        f'connect="0.000" service=0.001 request_id=00\n'
    )


def test_counts_by_time_and_port(tmp_path: Path) -> None:
    """Only what came since, from these ports; of several tries the last one answered."""
    folder = tmp_path / "7"
    folder.mkdir()
    early, late = NOW - timedelta(seconds=1), NOW + timedelta(seconds=1)
    lines = [
        line(early, 500, "127.0.0.1:5000"),
        line(late, 200, "127.0.0.1:5000"),
        line(late, 502, "127.0.0.1:5000"),
        line(late, 404, "127.0.0.1:5000, 127.0.0.1:5001"),
        line(late, 504, "127.0.0.1:5000, 127.0.0.1:5001"),
        line(late, 200, "127.0.0.1:5000", path="/ status=500 upstream=x"),
        line(late, 503, ""),
        "damaged\n",
    ]
    (folder / "router.log.1").write_text("".join(lines[:3]))
    (folder / "router.log").write_text("".join(lines[3:]))
    log = RouterLog(tmp_path)
    assert log.answers(7, NOW, {5000}) == Answers(3, 1)
    assert log.answers(7, NOW, {5001}) == Answers(2, 1)
    assert log.answers(7, early, {5000, 5001}) == Answers(6, 3)
    assert log.answers(8, NOW, {5000}) == Answers()
