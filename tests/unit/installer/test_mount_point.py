"""The mount point of apps is kept as long as a process of another server uses it."""

import subprocess
from pathlib import Path

from paas.entrypoints.installer.uninstall import is_mounted


def test_a_mount_in_a_namespace_of_its_own_is_found(tmp_path: Path) -> None:
    """It is not in this process's own table."""
    script = 'mount -t tmpfs none "$1" && echo there && cat'
    argv = ["unshare", "--mount", "sh", "-c", script, "sh", str(tmp_path)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        assert is_mounted(tmp_path)
        process.communicate()
    assert not is_mounted(tmp_path)
