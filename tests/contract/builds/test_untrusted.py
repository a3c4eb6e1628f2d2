"""Reading a file that an app has made."""

import os
from pathlib import Path

from paas.adapters.builds.untrusted import read_plain_file


def test_only_a_plain_file_is_read(tmp_path: Path) -> None:
    """Neither a link, nor a directory, nor a FIFO, which would be waited for; none stays open."""
    (tmp_path / "file").write_bytes(b"content")
    (tmp_path / "link").symlink_to("file")
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    before = open_files()
    assert read_plain_file(tmp_path, "file", 4) == b"cont"
    for name in ("link", "directory", "fifo", "missing"):
        assert read_plain_file(tmp_path, name, 4) is None
    assert open_files() == before


def open_files() -> set[str]:
    """The descriptors of this process."""
    return {path.name for path in Path("/proc/self/fd").iterdir()}
