"""A whole embedded server for the tests, and the people who use it."""

import contextlib
import http.client
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from paas.entrypoints.installer import slots
from tests.ports import free_ports
from tests.processes import first_of, with_words
from tests.run_directory import run_directory
from tests.waiting import wait_for

CHECKOUT = Path(__file__).parents[2]
EXAMPLES = CHECKOUT / "examples"
PREPARED_INSTALL = [
    *("/usr/bin/python3", "-I", "-B"),
    *(str(Path(__file__).with_name("prepared_install.py")), str(CHECKOUT)),
]
DOMAIN = "localhost"
PUSH_LIMIT_S = 150.0
Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP response. headers: by lower-case name."""

    status: int
    headers: Mapping[str, str]
    text: str


class Server:
    """An embedded server; install() makes it, remove() leaves nothing of it behind."""

    def __init__(self, root: Path, settings: Mapping[str, Any] | None = None) -> None:
        self.root = root
        self.http_port, self.ssh_port = free_ports(2)
        self._settings = dict(settings or {})
        self._users: dict[str, User] = {}
        self._scratch: Path | None = None
        self._mounted: Path | None = None
        # While it is there, the server has still to be removed.
        self._mark = run_directory() / f"server{str(root).replace('/', '|')}"

    @classmethod
    def in_new_directory(cls, settings: Mapping[str, Any] | None = None) -> "Server":
        """A server in a directory that apps may pass, wherever the checkout lies."""
        root = Path(tempfile.mkdtemp(prefix="paas-", dir="/tmp"))
        root.chmod(0o755)
        return cls(root, settings)

    @property
    def scratch(self) -> Path:
        """Where people keep their keys; made when first asked for."""
        if self._scratch is None:
            self._scratch = Path(tempfile.mkdtemp(prefix="people-", dir=run_directory()))
        return self._scratch

    @property
    def state(self) -> Path:
        """The directory of the data."""
        return self.root / "var"

    @property
    def run(self) -> Path:
        """The directory of sockets and launch specs."""
        return self.root / "run"

    def install(
        self,
        *options: str,
        source: Path = CHECKOUT,
        check: bool = True,
        env: Mapping[str, str] = {},
        whole: bool = False,
    ) -> Finished:
        """Install a source tree for this server, also a second time, or remove it.

        whole: by its install.sh; else the code and venv are there already (prepared_install.py).
        """
        self._mark.touch()
        if self._settings and not (self.root / "etc/server.yml").exists():
            (self.root / "etc").mkdir()
            (self.root / "etc/server.yml").write_text(yaml.safe_dump(self._settings))
        ports = ["--http-port", str(self.http_port), "--ssh-port", str(self.ssh_port)]
        command = [str(source / "install.sh")] if whole else [*PREPARED_INSTALL, str(source)]
        argv = [*command, "--root", str(self.root), *ports, *options]
        return run(argv, check=check, env={**os.environ, **env}, timeout_s=300)

    def disk_of_its_own(self, size_mib: int) -> None:
        """Put the data on a small disk (a tmpfs); before install, or later to change its size."""
        assert size_mib > 0, "to tmpfs, 0 is no limit at all"
        options = f"size={size_mib}m,mode=711"
        if self._mounted:
            run(["mount", "-o", f"remount,{options}", str(self.state)])
            return
        self.state.mkdir(mode=0o711)
        run(["mount", "-t", "tmpfs", "-o", options, "paas-test", str(self.state)])
        self._mounted = self.state

    def paas(
        self, *words: str, stdin: str = "", check: bool = True, timeout_s: float = 180
    ) -> Finished:
        """The ``paas`` command on the server, as root."""
        argv = [str(self.root / "bin/paas"), *words]
        try:
            return run(argv, stdin=stdin, check=check, timeout_s=timeout_s)
        except AssertionError as error:
            if "internal error" not in str(error):
                raise
            log = (self.state / "logs/gate.log").read_text()
            raise AssertionError(f"{error}\n{log[-5_000:]}") from error

    def user(self, name: str) -> "User":
        """A user with a key of their own, made when first asked for."""
        if name not in self._users:
            user = User(self, name)
            self.paas("keys:add", name, stdin=user.public_key)
            self._users[name] = user
        return self._users[name]

    def get(
        self,
        app: str,
        path: str = "/",
        *,
        headers: Mapping[str, str] = {},
        method: str = "GET",
        body: bytes | None = None,
        timeout_s: float = 90,
    ) -> Answer:
        """What the proxy answers for an app (or, with a dot in it, a host)."""
        host = app if "." in app else f"{app}.{DOMAIN}"
        connection = http.client.HTTPConnection("127.0.0.1", self.http_port, timeout=timeout_s)
        with contextlib.closing(connection):
            sent = {"Host": f"{host}:{self.http_port}", **headers}
            connection.request(method, path, body, sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read().decode("utf-8", "replace"))

    def await_answer(self, app: str, text: str | None = None) -> None:
        """Wait for 200, and that text: right after a boot, requests may be refused or cut off."""

        def answers() -> bool:
            with contextlib.suppress(OSError, http.client.HTTPException):
                found = self.get(app)
                return found.status == 200 and text in {None, found.text}
            return False

        wait_for(answers, what=f"an answer of {app}")

    def processes(self) -> dict[int, str]:
        """Everything that runs from this server's directory or as one of its apps."""
        settings = yaml.safe_load((self.root / "etc/server.yml").read_text())
        first, last = settings["uids"]
        found = {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if str(self.root) in line or first <= entry.stat().st_uid <= last:
                    found[int(entry.name)] = line
        return found

    def supervisord(self) -> int:
        """The pid of the only one."""
        return first_of(with_words("supervisor.supervisord", str(self.root))).pid

    def remove(self) -> None:
        """Stop and delete everything, whatever state it is in."""
        root = str(self.root)
        argv = [str(CHECKOUT / "install.sh"), "--root", root, "--uninstall", "--purge"]
        run(argv, check=False, timeout_s=180)
        slots.give_back(root)  # where install.sh could not stop the server, it keeps its slot
        if self.state.is_mount():
            subprocess.run(["umount", "--lazy", str(self.state)], check=False)
        shutil.rmtree(self.root, ignore_errors=True)
        if self._scratch:
            shutil.rmtree(self._scratch, ignore_errors=True)
        self._mark.unlink(missing_ok=True)


class User:
    """A person with an SSH key, on a laptop."""

    def __init__(self, server: Server, name: str) -> None:
        self.server = server
        self.name = name
        self.key = server.scratch / f"{name}.key"
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(self.key)]
        run(argv)
        self.public_key = self.key.with_suffix(".key.pub").read_text()

    def ssh_argv(self, *options: str) -> list[str]:
        """ssh with this user's key and nothing of the machine's settings."""
        known = self.server.scratch / "known_hosts"
        return [
            *("ssh", "-F", "none", "-i", str(self.key), "-p", str(self.server.ssh_port)),
            *("-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none", "-o", "LogLevel=ERROR"),
            *("-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={known}"),
            *options,
        ]

    def ssh(
        self, *words: str, stdin: str = "", check: bool = True, timeout_s: float = 180
    ) -> Finished:
        """Run a command over ssh; one word is sent as it is, several are quoted."""
        command = words[0] if len(words) == 1 else shlex.join(words)
        argv = [*self.ssh_argv(), "paas@127.0.0.1", *([command] if words else [])]
        return run(argv, stdin=stdin, check=check, timeout_s=timeout_s)

    def git_url(self, app: str) -> str:
        """The remote of an app."""
        return f"ssh://paas@127.0.0.1:{self.server.ssh_port}/{app}"

    def git_env(self) -> dict[str, str]:
        """The environment of git on this user's laptop."""
        ssh = shlex.join(self.ssh_argv())
        return {
            **git_environment(),
            "GIT_SSH_COMMAND": ssh,
            "PAAS_SSH": ssh,
            "HOME": str(self.server.scratch),
        }

    def push(
        self,
        repository: "Repository",
        app: str,
        *options: str,
        refspec: str = "main",
        check: bool = True,
    ) -> Finished:
        """git push; stdout and stderr together in ``stdout``."""
        argv = ["git", "push", *options, self.git_url(app), refspec]
        return run(
            argv,
            cwd=repository.path,
            env=self.git_env(),
            check=check,
            merge=True,
            timeout_s=PUSH_LIMIT_S,
        )

    def start_push(
        self, repository: "Repository", app: str, refspec: str = "main"
    ) -> subprocess.Popen[str]:
        """git push in the background, stdout and stderr together in its ``stdout``."""
        return subprocess.Popen(
            ["git", "push", self.git_url(app), refspec],
            cwd=repository.path,
            env=self.git_env(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )


class Repository:
    """A git repository on a laptop."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, path: Path, source: Path | Mapping[str, str | bytes]) -> "Repository":
        """A new repository at path: the files of a directory, or these files, in one commit."""
        repository = cls(path)
        if isinstance(source, Path):
            shutil.copytree(source, path)
        else:
            path.mkdir(parents=True)
        repository.git("init", "--quiet", "--initial-branch=main")
        repository.commit({} if isinstance(source, Path) else source)
        return repository

    def git(self, *words: str, check: bool = True) -> Finished:
        """Run git in the repository."""
        return run(["git", *words], cwd=self.path, env=git_environment(), check=check)

    def commit(
        self, files: Mapping[str, str | bytes] | None = None, message: str = "A change"
    ) -> str:
        """Write files and commit everything; returns the commit's id."""
        for name, content in (files or {}).items():
            target = self.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").stdout.strip()


def git_environment() -> dict[str, str]:
    """git without anybody's settings."""
    who = {"NAME": "Test", "EMAIL": "test@example.com"}
    return {
        "PATH": os.environ["PATH"],
        # Not /dev/null: what sets a global option, as root, replaces the device by a file.
        "GIT_CONFIG_GLOBAL": "/nonexistent/gitconfig",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        **{f"GIT_AUTHOR_{key}": value for key, value in who.items()},
        **{f"GIT_COMMITTER_{key}": value for key, value in who.items()},
    }


def run(
    argv: Sequence[str],
    *,
    stdin: str = "",
    check: bool = True,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    merge: bool = False,
    timeout_s: float = 180,
) -> Finished:
    """Run a program to its end. With check, a failure raises with all that it printed."""
    done = subprocess.run(
        argv,
        input=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT if merge else subprocess.PIPE,
        text=True,
        errors="replace",
        env=env,
        cwd=cwd,
        timeout=timeout_s,
        check=False,
    )
    if check and done.returncode:
        raise AssertionError(
            f"{shlex.join(argv)} ended with {done.returncode}:\n{done.stdout}{done.stderr or ''}"
        )
    return done


def remove_left_servers() -> None:
    """Remove the servers that the tests of this run have not removed: it was interrupted."""
    for mark in run_directory().glob("server|*"):
        Server(Path(mark.name.removeprefix("server").replace("|", "/"))).remove()


@contextlib.contextmanager
def installed(server: Server) -> Iterator[Server]:
    """The server, installed, and removed at the end."""
    try:
        server.install("--quiet")
        yield server
    finally:
        server.remove()
