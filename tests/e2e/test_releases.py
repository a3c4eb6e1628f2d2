"""Rollback, retry, and seeing what changes, before a push and after."""

import json
import socket
from collections.abc import Callable

import pytest

from tests.e2e.server import EXAMPLES, Repository, Server, User
from tests.e2e.test_zero_downtime import RACE, load, page
from tests.e2e.tiny import PROCFILE, app_id, environment, leftovers, program, refs, releases, tiny
from tests.ports import free_port
from tests.waiting import wait_for

MakeRepository = Callable[..., Repository]


@pytest.fixture(scope="module")
def back(server: Server, alice: User) -> str:
    """An app with two versions: v1 One, v2 the same with GREETING, v3 Two, with another."""
    repository = Repository.of(server.scratch / "back.work", EXAMPLES / "flask-hello")
    repository.commit({"app.py": page(1)})
    alice.push(repository, "back")
    alice.ssh("config:set -a back GREETING=Former SECRET=one")
    repository.commit({"app.py": page(2)})
    alice.push(repository, "back")
    alice.ssh("config:set -a back GREETING=Later")
    return "back"


def test_rollback_under_load(server: Server, alice: User, back: str) -> None:
    """Code and config come back; no request fails."""
    with load(server, back) as outcomes:
        for version, expected in (
            (2, "Former from Flask, zero 1!"),
            (4, "Later from Flask, zero 2!"),
        ):
            for _ in range(2):
                told = alice.ssh("rollback", "-a", back, f"v{version}").stderr
                assert f"(Rollback to v{version})" in told
                assert server.get(back).text.strip() == expected
    assert set(outcomes.fresh) == {"ok"}, outcomes.fresh
    assert set(outcomes.kept) <= {"ok", RACE}, outcomes.kept
    assert outcomes.fresh["ok"] > 0


def test_rollback_by_default(server: Server, alice: User, repository: MakeRepository) -> None:
    """To the release before, with its config; another one comes back again."""
    alice.push(repository(tiny("first")), "undo")
    alice.ssh("config:set -a undo COLOUR=blue")
    slugs = f"{app_id(server, 'undo')}-*"
    built = len(list((server.state / "slugs").glob(slugs)))

    alice.ssh("rollback undo")

    assert "COLOUR" not in environment(server, "undo")
    alice.ssh("rollback undo")
    assert environment(server, "undo")["COLOUR"] == "blue"
    assert [row[0] for row in releases(server, "undo") if row[2]] == [4]
    assert len(list((server.state / "slugs").glob(slugs))) == built
    wait_for(lambda: leftovers(server, "undo") == [], what="the end of the former instances")
    for words, reason in (
        ("rollback undo v4", "v4 is the current release"),
        ("rollback undo v9", "undo has no release v9"),
    ):
        done = alice.ssh(words, check=False)
        assert (done.returncode, reason in done.stderr) == (1, True), done.stderr


def test_rollback_to_a_pruned_slug(strict: Server, repository: MakeRepository) -> None:
    """Refused, with those that can be brought back; this server keeps two."""
    user = strict.user("alice")
    pushed = repository(tiny("v1"))
    first = pushed.git("rev-parse", "HEAD").stdout.strip()
    user.push(pushed, "pruned")
    for number in (2, 3):
        pushed.commit({"serve.py": program(f"v{number}")})
        user.push(pushed, "pruned")

    done = user.ssh("rollback pruned v1", check=False)

    assert done.returncode == 1, done
    assert "The slug of v1 was pruned" in done.stderr
    assert "You can go back to v2." in done.stderr
    assert f"git push --force deploy {first}:main" in done.stderr
    assert strict.get("pruned").text == "v3"
    user.ssh("rollback pruned")
    assert strict.get("pruned").text == "v2"
    found = json.loads(user.ssh("releases:info pruned v1 --json").stdout)
    assert (found["commit"], found["slug_size_bytes"]) == (first, None)
    user.push(pushed, "pruned", "--force", refspec=f"{first}:main")
    assert strict.get("pruned").text == "v1"


def test_retry(server: Server, alice: User, repository: MakeRepository) -> None:
    """A release that failed for lack of a database goes live when that is up, without a build."""
    database = socket.create_server(("127.0.0.1", free_port()))
    port = database.getsockname()[1]
    pushed = repository(tiny("v1"))
    alice.push(pushed, "retried")
    needy = f"import socket\nsocket.create_connection(('127.0.0.1', {port}))\n" + program("v2")
    pushed.commit({"serve.py": needy})
    database.close()
    before = refs(server, "retried")
    assert alice.push(pushed, "retried", check=False).returncode == 1
    assert alice.ssh("releases:retry retried", check=False).returncode == 1
    assert server.get("retried").text == "v1"

    with socket.create_server(("127.0.0.1", port)):
        told = alice.ssh("releases:retry retried").stderr

    assert "Python app detected" not in told
    assert server.get("retried").text == "v2"
    assert [row[:2] for row in releases(server, "retried")][:3] == [
        (4, "succeeded"),
        (3, "failed"),
        (2, "failed"),
    ]
    assert refs(server, "retried") == before
    done = alice.ssh("releases:retry retried", check=False)
    assert (done.returncode, "No release has failed" in done.stderr) == (1, True)
    assert "cannot be compared" in alice.ssh("diff retried").stderr


def test_dry_run_changes_nothing(server: Server, alice: User, repository: MakeRepository) -> None:
    """What would change is shown; git calls it rejected, and no ref, release or build is made."""
    pushed = repository(tiny("v1", **{"requirements.txt": "", "old.txt": "x"}))
    alice.push(pushed, "rehearsed")
    before = (
        refs(server, "rehearsed"),
        releases(server, "rehearsed"),
        leftovers(server, "rehearsed"),
    )
    pushed.git("rm", "-q", "old.txt")
    more: dict[str, str | bytes] = {
        "requirements.txt": "six==1.17.0\n",
        "Procfile": PROCFILE + "worker: python worker.py\n",
        "worker.py": "",
    }
    pushed.commit(more)

    done = alice.push(pushed, "rehearsed", "-o", "dry-run", check=False)

    assert done.returncode == 1, done
    told = [line.removeprefix("remote: ").rstrip() for line in done.stdout.splitlines()]
    for line in (
        "-----> Files: 1 added, 2 changed, 1 deleted",
        "       A worker.py",
        "       D old.txt",
        "       + six 1.17.0",
        "       + worker: python worker.py",
        " !     This was a dry run: nothing was built and nothing has changed. git calls that a "
        "rejected push.",
    ):
        assert line in told, done.stdout
    assert "[remote rejected] main -> main (pre-receive hook declined)" in done.stdout
    assert "app detected" not in done.stdout
    after = (
        refs(server, "rehearsed"),
        releases(server, "rehearsed"),
        leftovers(server, "rehearsed"),
    )
    assert after == before

    mistyped = alice.push(pushed, "rehearsed", "-o", "dryrun", check=False)
    assert (mistyped.returncode, "There is no push option 'dryrun'" in mistyped.stdout) == (1, True)
    assert server.get("rehearsed").text == "v1"


def test_diff_and_info(alice: User, back: str) -> None:
    """Names of config vars, never values; files by git; the same as JSON."""
    told = alice.ssh("diff", "-a", back, "v1", "v4").stdout
    assert told == ("=== Files: 1 changed\nM app.py\n=== Config vars\n+ GREETING\n+ SECRET\n")
    found = json.loads(alice.ssh("diff", "-a", back, "v1", "v4", "--json").stdout)
    assert found["files"] == [{"path": "app.py", "change": "changed"}]
    assert found["config"] == {"added": ["GREETING", "SECRET"], "removed": [], "changed": []}
    assert "=== Files" not in alice.ssh("diff", "-a", back, "v3", "v4").stdout

    told = alice.ssh("releases:info", "-a", back, "v2").stdout
    assert "+ GREETING" in told
    assert "Former" not in told
    assert "web: " in told
    assert alice.ssh("releases:output", "-a", back, "v2").stdout == ""
    assert alice.ssh("releases:info", "-a", back, "v2.0", check=False).returncode == 2
