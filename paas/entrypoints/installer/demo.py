"""The demo: an example app, pushed with real git over real ssh, fetched through Nginx."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from paas.entrypoints.installer.packages import run
from paas.entrypoints.installer.plan import InstallError, Plan
from paas.entrypoints.installer.uninstall import Progress

APP = "flask-hello"
USER = "demo"


class Server:
    """How to reach an installed server."""

    def __init__(self, plan: Plan) -> None:
        text = plan.paths.server_yml.read_text()
        self.paas = str(plan.command)
        self.domain = _setting(text, "domain", "localhost")
        self.address_service = _setting(text, "address_service", "sslip.io")
        self.http_port = int(_setting(text, "http_port", "80"))
        self.ssh_port = int(_setting(text, "ssh_port", "22"))

    def git_url(self, app: str, host: str) -> str:
        """The URL for ``git remote add``."""
        if self.ssh_port == 22:
            return f"paas@{host}:{app}"
        return f"ssh://paas@{host}:{self.ssh_port}/{app}"

    def web_url(self, app: str) -> str:
        """The URL of the app."""
        port = "" if self.http_port == 80 else f":{self.http_port}"
        return f"http://{app}.{self.domain}{port}/"


def _setting(text: str, name: str, default: str) -> str:
    """A plain setting of server.yml: there is no YAML parser outside the server's venv."""
    found = re.search(rf"^{name}: *['\"]?([^'\"\s#]+)", text, re.MULTILINE)
    return found[1] if found else default


def run_demo(plan: Plan, progress: Progress) -> None:
    """Push the example, show the build, fetch the page. Raises InstallError if that fails."""
    server = Server(plan)
    with tempfile.TemporaryDirectory(prefix="paas-demo-") as name:
        scratch = Path(name)
        key = scratch / "key"
        run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "demo", "-f", str(key)])
        progress.step(f"Adding a key for the user {USER}")
        _paas(server, ["keys:add", USER], key.with_suffix(".pub").read_text())
        try:
            _push(plan, server, scratch, progress)
            _fetch(server, progress)
        finally:
            shown = run(["ssh-keygen", "-l", "-f", str(key)])
            _paas(server, ["keys:remove", shown.split()[1]])
    sudo = "" if plan.embedded else "sudo "
    print(f"""
The app {APP} is live at {server.web_url(APP)}

  {sudo}{server.paas} ps -a {APP}                              list its instances
  {sudo}{server.paas} logs -a {APP}                            show its log
  {sudo}{server.paas} apps:destroy {APP} --confirm {APP}   remove it""")


def _paas(server: Server, words: list[str], stdin: str = "") -> None:
    done = subprocess.run(
        [server.paas, *words],
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode:
        raise InstallError(f"paas {shlex.join(words)} failed:\n{done.stdout}")


def _push(plan: Plan, server: Server, scratch: Path, progress: Progress) -> None:
    work = scratch / APP
    shutil.copytree(Path(plan.source) / "examples" / APP, work)
    ssh = ["ssh", "-F", "none", "-i", str(scratch / "key"), "-o", "IdentitiesOnly=yes"]
    ssh += ["-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={scratch / 'hosts'}"]
    ssh += ["-o", "LogLevel=ERROR"]
    env = {**os.environ, "GIT_SSH_COMMAND": shlex.join(ssh), "GIT_CONFIG_GLOBAL": "/dev/null"}
    git = ["git", "-C", str(work), "-c", "user.name=demo", "-c", "user.email=demo@localhost"]
    url = server.git_url(APP, "127.0.0.1")
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        ["commit", "--quiet", "--message", "A Flask app that says hello"],
        ["remote", "add", "deploy", url],
    ):
        run([*git, *words])
    progress.step(f"git push deploy main    (to {url})")
    # --force: the demo may run twice, each time with a new history.
    push = [*git, "push", "--force", "deploy", "main"]
    if subprocess.run(push, env=env, stdout=sys.stderr, check=False).returncode:
        raise InstallError("The push failed; its output above says why.")


def _fetch(server: Server, progress: Progress) -> None:
    host = server.web_url(APP).removeprefix("http://").rstrip("/")
    url = f"http://127.0.0.1:{server.http_port}/"
    progress.step(f"curl {server.web_url(APP)}")
    shown = run(["curl", "--silent", "--show-error", "--fail", "--header", f"Host: {host}", url])
    print(shown)
