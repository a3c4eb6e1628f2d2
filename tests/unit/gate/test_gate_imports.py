"""What the gate imports before it forks."""

import subprocess
import sys
from pathlib import Path

LOOK = """\
import sys
from pathlib import Path
from paas.entrypoints.gate.child import commands
for etc in sys.argv[1:]:
    commands(Path(etc))
    print("docker" in sys.modules)
"""


def test_what_containers_need_is_there_only_with_docker(tmp_path: Path) -> None:
    """No command waits for the import then, and no other server has it in its memory."""
    places = []
    for number, docker in enumerate(("false", "true")):
        etc = tmp_path / str(number)
        etc.mkdir()
        own = f"state: {tmp_path}/var\nrun: {tmp_path}/run\nembedded: true\naccount: root\n"
        (etc / "server.yml").write_text(f"{own}docker: {docker}\n")
        places.append(str(etc))
    argv = [sys.executable, "-c", LOOK, *places]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert shown.stdout.split() == ["False", "True"]
