"""Two who install or remove one server do so one after the other, and leave no lock behind."""

import threading
from pathlib import Path

from paas.entrypoints.installer.install_lock import install_lock


def test_the_second_waits_and_nothing_is_left(tmp_path: Path) -> None:
    """Though the first deletes the file that the second waits for."""
    locks = tmp_path / "locks"
    waits, order = threading.Event(), list[str]()

    def second() -> None:
        with install_lock("/srv/a", waits.set, locks):
            order.append("second")

    thread = threading.Thread(target=second)
    with install_lock("/srv/a", lambda: None, locks):
        thread.start()
        assert waits.wait(200)
        with install_lock("/srv/b", lambda: order.append("waited for another server"), locks):
            order.append("first")
    thread.join(200)
    assert order == ["first", "second"]
    assert not locks.exists()


def test_ten_at_once_are_never_two(tmp_path: Path) -> None:
    """Each comes in, and finds nobody inside."""
    inside, most, came = 0, 0, 0

    def come() -> None:
        nonlocal inside, most, came
        for _ in range(20):
            with install_lock(None, lambda: None, tmp_path / "locks"):
                inside += 1
                most = max(most, inside)
                came += 1
                inside -= 1

    threads = [threading.Thread(target=come) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(200)
    assert (most, came) == (1, 200)
