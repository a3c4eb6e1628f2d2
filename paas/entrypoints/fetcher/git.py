"""git in the sandbox: without configuration, hooks or prompts, over HTTP or SSH only."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from paas.domain.git.access import TOLERATED_FLAWS
from paas.domain.git.sources import host_of, is_ssh
from paas.domain.values.errors import PaasError
from paas.entrypoints.fetcher.access import Access

_COMMIT = re.compile(r"[0-9a-f]{40}")
_IMPORTED = "refs/heads/imported"
_HEAD = "refs/known/head"
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "fetch.unpackLimit": "1",
    "fetch.fsckObjects": "true",
    "fetch.writeCommitGraph": "false",
    "fastimport.unpackLimit": "0",
    "gc.auto": "0",
    "http.lowSpeedLimit": "1000",
    "http.lowSpeedTime": "60",
    "init.defaultBranch": "main",
    "maintenance.auto": "false",
    "submodule.recurse": "false",
} | {f"fetch.fsck.{flaw}": "ignore" for flaw in TOLERATED_FLAWS}
_ERROR_LINES = 5
_NO_LOGIN = (b"could not read Username", b"Authentication failed", b"Permission denied")
_CHANGED_KEY = b"REMOTE HOST IDENTIFICATION HAS CHANGED"


class Repository:
    """A bare repository for this job alone."""

    def __init__(self, path: Path, access: Access) -> None:
        self.path = path
        self._access = access

    @classmethod
    def make(
        cls,
        path: Path,
        known: Path | None = None,
        head: str | None = None,
        access: Access = Access(),  # noqa: B008 - a value
    ) -> "Repository":
        """Create one; known: an object directory that it may borrow from, and its commit head."""
        made = cls(path, access)
        made.run(["init", "--quiet", "--bare", "--template=", str(path)], at_path=False)
        if known is not None and head is not None:
            (path / "objects/info").mkdir(exist_ok=True)
            (path / "objects/info/alternates").write_text(f"{known}\n")
            made.run(["update-ref", _HEAD, head])
        return made

    def fetch_ref(self, url: str, ref: str | None) -> str:
        """Fetch a branch, a tag or a commit with its history; returns the commit's id."""
        wanted = ref or "HEAD"
        protocols = "ssh" if is_ssh(url) else "https:http"
        done = self._fetch(url, [wanted], protocols)
        if done.returncode != 0 and _COMMIT.fullmatch(wanted):
            # Not every server sends a commit that is requested by its id.
            done = self._fetch(
                url, ["+refs/heads/*:refs/all/*", "+refs/tags/*:refs/tags/*"], protocols
            )
        elif done.returncode == 0:
            wanted = "FETCH_HEAD"
        if done.returncode != 0:
            raise self._failed(url, ref, done)
        found = self.run(["rev-parse", "--verify", "--quiet", f"{wanted}^{{commit}}"], check=False)
        if found.returncode != 0:
            raise _not_fetched(url, ref, "it has no such commit.")
        return found.stdout.decode().strip()

    def fetch_commit(self, url: str, commit: str) -> bool:
        """Fetch one commit, if possible without history; returns whether it was found."""
        protocol = "ssh" if is_ssh(url) else "https"
        done = self._fetch(url, ["--depth=1", commit], protocol)
        if done.returncode != 0:
            everything = ["+refs/heads/*:refs/all/*", "+refs/tags/*:refs/tags/*"]
            done = self._fetch(url, everything, protocol)
        if done.returncode != 0:
            raise self._failed(url, None, done)
        return self.run(["cat-file", "-e", f"{commit}^{{commit}}"], check=False).returncode == 0

    def _fetch(
        self, url: str, words: Sequence[str], protocols: str
    ) -> subprocess.CompletedProcess[bytes]:
        options = [word for word in words if word.startswith("--")]
        refs = [word for word in words if not word.startswith("--")]
        argv = ["fetch", "--quiet", "--no-tags", "--no-recurse-submodules", *options]
        return self.run([*argv, "--", url, *refs], protocols=protocols, check=False)

    def _failed(
        self, url: str, ref: str | None, done: subprocess.CompletedProcess[bytes]
    ) -> PaasError:
        """Why a fetch failed, with what to do about it."""
        host = host_of(url)
        if _CHANGED_KEY in done.stderr:
            return PaasError(
                "host-key-changed",
                f"{host} has another host key than before. Another machine may be answering in "
                "its place, so nothing was sent to it.",
                "If its operators announce the new key: paas git:deploy-key --forget-host "
                f"{host}; the next fetch then keeps the new one.",
            )
        if not any(words in done.stderr for words in _NO_LOGIN):
            return _not_fetched(url, ref, _why(done))
        if not is_ssh(url):
            return _not_fetched(
                url,
                ref,
                f"{host} refused the app's login."
                if self._access.credentials
                else "it does not exist, or is private.",
                f"If it is private, set a token that may read it: paas git:auth {host} "
                "--token-stdin < token.txt",
            )
        return _not_fetched(
            url,
            ref,
            f"{host} does not accept the app's deploy key.",
            "Add the key there, to the repository: paas git:deploy-key",
        )

    def pack(self, commit: str, target: Path) -> None:
        """Write the commit with all objects that it needs, except those of the known head."""
        known = self.run(["rev-parse", "--verify", "--quiet", _HEAD], check=False)
        wanted = f"{commit}\n" + (f"^{known.stdout.decode()}" if known.returncode == 0 else "")
        with target.open("wb") as file:
            argv = ["pack-objects", "--revs", "--thin", "--stdout", "--quiet"]
            self.run(argv, stdin=wanted.encode(), stdout=file)

    @contextmanager
    def importing(self) -> Iterator[IO[bytes]]:
        """The input of git fast-import; imported() returns the result."""
        argv = [*self._argv(), "fast-import", "--quiet", "--force", "--done"]
        # A crash report would go into the repository, which is this job's alone.
        with subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=_env(self._access),
        ) as child:
            assert child.stdin is not None
            assert child.stderr is not None
            try:
                yield child.stdin
            except BrokenPipeError:
                pass  # its own error is reported
            except BaseException:
                child.kill()
                raise
            finally:
                # Nothing reads the rest of the buffer then.
                with suppress(BrokenPipeError):
                    child.stdin.close()
            errors = child.stderr.read()
        if child.returncode != 0:
            raise PaasError("archive", f"The archive cannot be stored: {_last(errors)}")

    def imported(self) -> str:
        """The commit that was imported."""
        return self.run(["rev-parse", "--verify", _IMPORTED]).stdout.decode().strip()

    def run(
        self,
        words: Sequence[str],
        *,
        check: bool = True,
        at_path: bool = True,
        protocols: str = "",
        stdin: bytes = b"",
        stdout: IO[bytes] | int = subprocess.PIPE,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run git; raises PaasError with its last lines if it fails and check is set."""
        done = subprocess.run(
            [*(self._argv() if at_path else ["git"]), *words],
            input=stdin,
            stdout=stdout,
            stderr=subprocess.PIPE,
            env=_env(self._access, protocols),
            check=False,
        )
        if check and done.returncode != 0:
            raise PaasError("git-failed", f"git {words[0]} failed: {_why(done)}")
        return done

    def _argv(self) -> list[str]:
        return ["git", f"--git-dir={self.path}"]


def _env(access: Access, protocols: str = "") -> dict[str, str]:
    """Our settings and those of the network; protocols: those that are allowed, none by default."""
    env = {name: text for name, text in os.environ.items() if not name.startswith("GIT_CONFIG")}
    settings = _SETTINGS | access.settings
    env |= access.environment | {
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_CONFIG_COUNT": str(len(settings)),
    }
    for number, (key, value) in enumerate(settings.items()):
        env |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return env


def _not_fetched(url: str, ref: str | None, why: str, hint: str | None = None) -> PaasError:
    what = f"{ref} of {url}" if ref else url
    return PaasError(
        "not-fetched",
        f"{what} could not be fetched: {why}",
        hint or "Check that the URL is correct and public: git ls-remote " + url,
    )


def _why(done: subprocess.CompletedProcess[bytes]) -> str:
    # With no reason before it: the limit of this process's files ended git index-pack.
    ended = done.stderr.strip() == b"fatal: fetch-pack: invalid index-pack output"
    if ended or done.returncode == -signal.SIGXFSZ:
        return "it is larger than the server accepts (setting max_push_mib)."
    return _last(done.stderr)


def _last(errors: bytes) -> str:
    lines = [line for line in errors.decode("utf-8", "replace").splitlines() if line.strip()]
    return "\n".join(lines[-_ERROR_LINES:]) or "git gave no reason."
