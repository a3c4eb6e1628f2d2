"""Whether the hook of a push may have a line redrawn: with real git, at a terminal and without."""

import shutil
from collections.abc import Iterator

import pytest

from tests.contract.gate.gate_world import ACCOUNT
from tests.contract.git.pusher import Pusher, pushing


@pytest.fixture(scope="module")
def pusher() -> Iterator[Pusher]:
    """A gate, a repository and someone who pushes to it."""
    with pushing() as made:
        yield made


@pytest.mark.parametrize("objects", [1, 200])
@pytest.mark.parametrize(
    ("at_a_terminal", "options", "wanted"),
    [(True, "", "1"), (True, "-q", ""), (False, "", ""), (False, "--progress", "1")],
)
def test_the_hook_knows_whether_progress_is_wanted(
    pusher: Pusher, at_a_terminal: bool, options: str, wanted: str, objects: int
) -> None:
    """It has no terminal itself. Few objects are unpacked, many are kept in a pack."""
    folder = pusher.tree / f"{at_a_terminal}{options}{objects}"
    folder.mkdir()
    shutil.chown(folder, ACCOUNT)
    for number in range(objects):
        path = folder / f"file-{number}"
        path.write_text(f"{folder.name} {number}")
        shutil.chown(path, ACCOUNT)
    pusher.git("add", ".")
    pusher.git("commit", "-q", "-m", "files")
    command = f"git push {options} deploy main"
    argv = ["script", "-qec", command, "/dev/null"] if at_a_terminal else ["sh", "-c", command]
    pushed = pusher.run(*argv, cwd=pusher.tree)
    assert pushed.returncode == 0, pushed.stdout
    assert f"progress {wanted!r}" in pushed.stdout
