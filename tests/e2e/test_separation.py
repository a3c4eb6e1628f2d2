"""What is not supervised, such as a build, cannot touch the live instances of its own app."""

import json
from pathlib import Path

from tests.e2e.server import Repository, Server, run
from tests.e2e.tiny import tiny

# Says what it sees of other processes that serve, and kills all that it can.
TOUCH = """
import os, signal, sys
seen = []
for name in os.listdir("/proc"):
    if name.isdigit():
        try:
            if b"serve.py" in open(f"/proc/{name}/cmdline", "rb").read():
                seen.append(name)
                os.kill(int(name), signal.SIGKILL)
        except OSError:
            pass
for pid in map(int, os.environ.get("LIVE", "").split()):
    try:
        os.kill(pid, signal.SIGKILL)
        seen.append(pid)
    except OSError:
        pass
print(sys.argv[1], "seen", seen, "as", os.getuid())
"""
PROCFILE = "web: exec python serve.py\nrelease: python touch.py release && exit $FAIL\n"
JOBS = {"cron": [{"command": "python touch.py cron", "schedule": "0 0 1 1 *", "name": "touch"}]}


def test_no_build_release_run_or_cron_job_touches_a_live_instance(
    server: Server, tmp_path: Path
) -> None:
    """Each sees none, and the one that serves is the same process afterwards."""
    alice = server.user("touching")
    files = tiny(
        "v1",
        Procfile=PROCFILE,
        **{
            "touch.py": TOUCH,
            "bin/post_compile": "/usr/bin/python3 touch.py build\n",
            "app.json": json.dumps(JOBS),
        },
    )
    source = Repository.of(tmp_path / "source", files)
    alice.ssh("apps:create", "touching")
    alice.ssh("config:set", "-a", "touching", "FAIL=0")
    alice.push(source, "touching")
    uid, pids = _serving(server)
    alice.ssh("config:set", "-a", "touching", "FAIL=1", "--no-restart")
    alice.ssh("config:set", "-a", "touching", f"LIVE={' '.join(pids)}", "--no-restart")

    source.commit({"new": "x"})
    failed = alice.push(source, "touching", check=False)
    assert failed.returncode != 0
    told = [
        *(line for line in failed.stdout.splitlines() if " seen " in line),
        alice.ssh("run", "-a", "touching", "python touch.py run").stdout,
        alice.ssh("cron:run", "-a", "touching", "touch").stdout,
        alice.ssh("run", "-a", "touching", "echo inside $$ and $(id -gn)").stdout,
    ]
    text = "\n".join(told)
    for kind in ("build", "release", "run", "cron"):
        assert f"{kind} seen [] as {uid}" in text, failed.stdout + text
    assert "inside 2 and app-once" in text
    assert _serving(server) == (uid, pids)
    assert server.get("touching").text == "v1"


def _serving(server: Server) -> tuple[str, list[str]]:
    """The uid and pids of what serves, as the host sees them."""
    rows = run(["ps", "-eo", "pid=,uid=,args="]).stdout.splitlines()
    found = [row.split(None, 2) for row in rows if row.endswith("python serve.py")]
    own = [row for row in found if Path(f"/proc/{row[0]}/root/app/touch.py").exists()]
    assert own, rows
    return own[0][1], [row[0] for row in own]
