"""What a push brings and a build leaves behind: parsed with limits, or never again writable."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.probe import FILES, App
from tests.e2e.server import Finished, Repository, Server, User, run
from tests.hostile.conftest import Unchanged
from tests.waiting import wait_for

DEEP, DIGITS, SURROGATE = "[" * 60_000, "7" * 5_000, "\\ud800"
# A rejected push answers well within it; the parsers alone once took 12 to 20 s on a deep text.
CRON = '{{"cron": [{{"command": "{}", "schedule": "{}"}}]}}'
COMMITTED = {
    "deep app.json": {"app.json": DEEP},
    "long number in app.json": {
        "app.json": f'{{"formation": {{"web": {{"quantity": {DIGITS}}}}}}}'
    },
    "surrogate in app.json": {"app.json": CRON.format(SURROGATE, "0 0 1 1 *")},
    "long number in cron": {"app.json": CRON.format("true", f"{DIGITS} 0 1 1 *")},
    "long number in .python-version": {".python-version": f"3.{DIGITS}\n"},
    "long number in runtime.txt": {"runtime.txt": f"python-3.{DIGITS}\n"},
}
# Bash in bin/post_compile, which runs as the app's uid at the end of a build.
LEFT = {
    "a surrogate in the Procfile": r"printf 'web: exec python probe.py \xed\xa0\x80\n' >Procfile",
    "a NUL in the Procfile": r"printf 'web: python\0x\n' >Procfile",
    "a large Procfile": "head -c 3000000 /dev/zero | tr '\\0' x >Procfile",
}
NO_FILE = {
    "a link to a secret": "ln -sf /etc/shadow Procfile",
    "a pipe": "rm Procfile; mkfifo Procfile",
}
PACK = {
    "deep": f"printf '%s' '{DEEP}'",
    "surrogate": f"""printf '%s' '{{"default_process_types": {{"web": "a {SURROGATE}"}}}}'""",
    "endless": "yes",
}
DAEMON = r"""
cat >/tmp/keep.py <<'END'
import os, time
file = os.open("/app/frozen.txt", os.O_RDWR | os.O_CREAT)
folder = os.open("/app", os.O_RDONLY)
if os.fork(): os._exit(0)
os.setsid()
if os.fork(): os._exit(0)
os.dup2(os.open("/dev/null", os.O_RDWR), 1)
os.dup2(1, 2)
while True:
    time.sleep(0.05)
    os.pwrite(file, b"changed", 0)
    os.close(os.open("planted", os.O_WRONLY | os.O_CREAT, dir_fd=folder))
END
/usr/bin/python3 /tmp/keep.py </dev/null
until [ -e /app/planted ]; do sleep 0.01; done
"""


def pushed(user: User, path: Path, app: str, files: dict[str, str]) -> Finished:
    """A push of a probe with these files, which may be rejected."""
    chosen: dict[str, str | bytes] = {**FILES, **files}
    return user.push(Repository.of(path, chosen), app, check=False)


def buildpack(server: Server, app: str, release: str) -> Path:
    """A buildpack on the server whose bin/release is that script."""
    pack = server.scratch / f"pack-{app}"
    (pack / "bin").mkdir(parents=True)
    for name, text in (("detect", "echo Bad"), ("compile", "true"), ("release", release)):
        (pack / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (pack / "bin" / name).chmod(0o755)
    server.scratch.chmod(0o755)
    return pack


def told_plainly(done: Finished) -> None:
    """The push is rejected with a reason, not because of a fault in the platform."""
    assert done.returncode != 0, done.stdout
    assert "fault of its own" not in done.stdout, done.stdout
    assert "Traceback" not in done.stdout
    assert "nothing is deployed" in done.stdout


@pytest.fixture
def victim(server: Server, alice: User) -> Callable[[str], str]:
    """Makes an app that nothing was pushed to."""

    def make(name: str) -> str:
        alice.ssh("apps:create", name)
        return name

    return make


@pytest.mark.parametrize("case", list(COMMITTED))
def test_what_is_committed_is_parsed_with_limits(
    alice: User, victim: Callable[[str], str], tmp_path: Path, unchanged: Unchanged, case: str
) -> None:
    """Deep, long and broken texts reject the push, and nothing is released."""
    app = victim(f"committed-{list(COMMITTED).index(case)}")
    with unchanged():
        told_plainly(pushed(alice, tmp_path / "source", app, COMMITTED[case]))


@pytest.mark.parametrize("case", list(LEFT))
def test_what_a_build_leaves_is_read_as_what_it_is(
    alice: User, victim: Callable[[str], str], tmp_path: Path, case: str
) -> None:
    """It rejects the push if it is not a Procfile, and creates no release."""
    app = victim(f"left-{list(LEFT).index(case)}")
    done = pushed(alice, tmp_path / "source", app, {"bin/post_compile": LEFT[case] + "\n"})
    told_plainly(done)
    assert json.loads(alice.ssh("releases", "-a", app, "--json").stdout) == []


@pytest.mark.parametrize("case", list(NO_FILE))
def test_what_is_no_plain_file_is_not_read(
    server: Server, alice: User, victim: Callable[[str], str], tmp_path: Path, case: str
) -> None:
    """Links are not followed and pipes are not waited for: the app runs as committed."""
    app = victim(f"no-file-{list(NO_FILE).index(case)}")
    done = pushed(alice, tmp_path / "source", app, {"bin/post_compile": NO_FILE[case] + "\n"})
    assert done.returncode == 0, done.stdout
    assert "root:" not in done.stdout
    assert App(server, app).boot()
    (instance,) = App(server, app).ps()
    assert instance["type"] == "web"


@pytest.mark.parametrize("case", list(PACK))
def test_what_bin_release_prints_is_read_in_the_sandbox(
    server: Server, alice: User, victim: Callable[[str], str], tmp_path: Path, case: str
) -> None:
    """Within its limits on size, depth and time, and without privileges."""
    app = victim(f"pack-{list(PACK).index(case)}")
    pack = buildpack(server, app, PACK[case])
    server.paas("buildpacks:add", str(pack), "-a", app)
    told_plainly(pushed(alice, tmp_path / "source", app, {}))
    assert json.loads(alice.ssh("releases", "-a", app, "--json").stdout) == []


def test_a_long_number_is_the_text_that_it_is(
    server: Server, alice: User, victim: Callable[[str], str], tmp_path: Path
) -> None:
    """Nothing converts 5,000 digits; the config var has them, and the app runs."""
    app = victim("digits")
    pack = buildpack(server, app, f"printf 'config_vars: {{A: 0x{DIGITS}}}'")
    server.paas("buildpacks:add", str(pack), "-a", app)
    files = {"Procfile": "web: exec /usr/bin/python3 -u probe.py\n"}
    done = pushed(alice, tmp_path / "source", app, files)
    assert done.returncode == 0, done.stdout
    assert App(server, app).shell("printf %s $A") == f"0x{DIGITS}"


def test_profile_d_runs_as_the_app(
    server: Server, alice: User, victim: Callable[[str], str], tmp_path: Path
) -> None:
    """Its scripts are the app's own code, run after all privileges are dropped."""
    app = victim("profiled")
    script = "id -u >/tmp/who; cat /etc/shadow >/tmp/secret 2>&1 || true\n"
    files = {"bin/post_compile": f"mkdir -p .profile.d; printf '%s' '{script}' >.profile.d/x.sh\n"}
    assert pushed(alice, tmp_path / "source", app, files).returncode == 0
    probe = App(server, app)
    assert probe.shell("cat /tmp/who") == probe.shell("id -u")
    assert "Permission denied" in probe.shell("cat /tmp/secret")


def test_a_process_that_a_build_leaves_changes_no_slug(
    server: Server, alice: User, victim: Callable[[str], str], tmp_path: Path
) -> None:
    """It ends with the build, whatever it has open; a rollback restores what was built."""
    app = victim("frozen")
    files = {"bin/post_compile": DAEMON, "frozen.txt": "as built"}
    done = pushed(alice, tmp_path / "source", app, files)
    (slug,) = (server.state / "slugs").glob("*/frozen.txt") if done.returncode == 0 else (None,)
    assert slug is not None, done.stdout
    assert slug.read_text() == "changedt"  # it did write, while the build ran
    content, files_of_it = slug.read_text(), sorted(slug.parent.rglob("*"))
    uid = App(server, app).shell("id -u").strip()

    def is_alone() -> bool:
        return "keep.py" not in run(["ps", "-o", "args=", "-U", uid], check=False).stdout

    wait_for(is_alone, what="the end of what the build left")
    assert slug.read_text() == content
    assert sorted(slug.parent.rglob("*")) == files_of_it
