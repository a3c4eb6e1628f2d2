"""What the platform knows of HAProxy's processes from their files."""

import shutil
import subprocess
import threading
from pathlib import Path

from paas.adapters.proxy.haproxy.runtime_api import Master


def test_a_master_without_its_pid_file_is_in_a_reload(tmp_path: Path) -> None:
    """On a busy machine half a second may pass until it has written the file again."""
    path, pid_file = tmp_path / "master.sock", tmp_path / "haproxy.pid"
    path.touch()
    program = shutil.copy("/usr/bin/sleep", tmp_path / "haproxy")
    with subprocess.Popen([program, "60"]) as process:
        later = threading.Timer(0.5, pid_file.write_text, [f"{process.pid}\n"])
        later.start()
        try:
            assert Master(path, pid_file).is_up()
        finally:
            later.join()
            process.kill()
    assert not Master(path, pid_file).is_up()
