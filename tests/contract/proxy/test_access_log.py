"""Counting answers from Nginx's own log lines."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from paas.adapters.proxy.access_log import RouterLog
from paas.domain.releases.regression import Answers

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
        line(late, 502, "127.0.0.1:5002 : unix:/var/lib/paas/nginx/again/sock"),
        "damaged\n",
    ]
    (folder / "router.log.1").write_text("".join(lines[:3]))
    (folder / "router.log").write_text("".join(lines[3:]))
    log = RouterLog(tmp_path)
    assert log.answers(7, NOW, {5000}) == Answers(3, 1)
    assert log.answers(7, NOW, {5001}) == Answers(2, 1)
    assert log.answers(7, NOW, {5002}) == Answers(1, 1)
    assert log.answers(7, early, {5000, 5001}) == Answers(6, 3)
    assert log.answers(7, early, {5000, 5001}, late) == Answers(1, 1)
    assert log.answers(8, NOW, {5000}) == Answers()


def test_no_more_is_read_than_what_came_since(tmp_path: Path) -> None:
    """Two full files cost a look at the last second no more than two small ones."""
    folder = tmp_path / "7"
    folder.mkdir()
    early = NOW - timedelta(seconds=10)
    old = line(early, 500, "127.0.0.1:5000")
    full = old * (4 * 1024**2 // len(old))
    (folder / "router.log.1").write_text(full)
    recent = [line(NOW + timedelta(milliseconds=n), 200, "127.0.0.1:5000") for n in range(1000)]
    (folder / "router.log").write_text(full + "".join(recent))
    log, before = RouterLog(tmp_path), _bytes_read()
    assert log.answers(7, NOW, {5000}) == Answers(1000, 0)
    assert _bytes_read() - before < 1024**2
    assert log.answers(7, early, {5000}).errors > 10_000


def test_lines_out_of_order_and_over_the_edges_of_blocks_count(tmp_path: Path) -> None:
    """Each worker of nginx writes its lines once a second; and reading is by blocks."""
    folder = tmp_path / "7"
    folder.mkdir()
    late, early = NOW + timedelta(milliseconds=10), NOW - timedelta(seconds=1)
    lines = [line(early if n % 2 else late, 200, "127.0.0.1:5000") for n in range(5001)]
    long = line(late, 502, "127.0.0.1:5000", path="/" + "x" * 200_000)
    (folder / "router.log").write_text("".join(lines[:2500]) + long + "".join(lines[2500:]))
    assert RouterLog(tmp_path).answers(7, NOW, {5000}) == Answers(2502, 1)


def _bytes_read() -> int:
    """By this process so far (proc(5), rchar)."""
    return int(Path("/proc/self/io").read_text().split()[1])
