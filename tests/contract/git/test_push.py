"""A push through the client, the gate, git itself and the hook, as the platform's account."""

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from paas.domain.git.access import receive_pack
from tests.contract.builds.building import CODE
from tests.contract.gate.gate_world import ACCOUNT, ADDRESS, LIMIT_S
from tests.contract.git.pusher import KEY, Pusher, pushing
from tests.processes import below, with_words
from tests.waiting import wait_for


@pytest.fixture
def pusher() -> Iterator[Pusher]:
    """A gate, a repository and someone who pushes to it."""
    with pushing() as made:
        yield made


def test_push_reaches_the_gate(pusher: Pusher) -> None:
    """The hook's command learns all of the push; the refs move; clone gives it back."""
    commit = pusher.git("rev-parse", "HEAD").stdout.strip()
    pushed = pusher.git("push", "deploy", "main", "main:refs/heads/$(id);x")
    for line in (
        "remote: -----> push by alice to shop (7)",
        f"remote:        from {ADDRESS} with {KEY}",
        "remote:        GIT_QUARANTINE_PATH True True",
        "remote:        GIT_OBJECT_DIRECTORY True True",
        "remote:        alternates True True",
        "remote:        ref refs/heads/main",
        "remote:        ref refs/heads/$(id);x",
    ):
        assert line in pushed.stdout
    assert (pushed.returncode, pusher.head()) == (0, commit)
    pusher.git("clone", "-q", "paas@server:shop", "../clone")
    assert (pusher.tree.parent / "clone" / "file").read_text() == "one"
    archive = pusher.git("archive", "--remote=paas@server:shop", "main", "-o", "../a.tar")
    assert archive.returncode == 0, archive.stdout


def test_a_token_reaches_the_hook(pusher: Pusher) -> None:
    """With which the push began; without one, it is none."""
    assert "remote:        token none" in pusher.git("push", "deploy", "main").stdout
    pusher.env["PAAS_TOKEN"] = "paas_x"
    pusher.commit("two")
    pushed = pusher.git("push", "deploy", "main")
    assert "remote:        token paas_x" in pushed.stdout
    assert "remote: -----> push by alice to shop (7)" in pushed.stdout


def test_a_push_is_on_the_disk_before_its_end(pusher: Pusher, tmp_path: Path) -> None:
    """Objects and refs are written through, also those of a small push, and the refs' names."""
    log = tmp_path / "synced"
    fake = tmp_path / "sync"
    fake.write_text(f'#!/bin/sh\necho "$@" >> {log}\n')
    fake.chmod(0o755)
    hook = str(CODE / "hooks/reference-transaction")
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    for state in ("prepared", "committed"):
        lines = f"{'0' * 40} {'1' * 40} refs/heads/a/$(id)\n"
        subprocess.run([hook, state], input=lines, env=env, text=True, check=True)
    assert log.read_text() == "refs/heads/a\n"
    trace = tmp_path / "trace"
    plan = receive_pack("x", hooks="", max_push_mib=1, lock="", user="", identity={})
    subprocess.run(
        ["git", "-C", tmp_path, "init", "-q", "--bare", "x.git"], env={**plan.env}, check=True
    )
    subprocess.run(
        ["git", "-C", tmp_path / "x.git", "hash-object", "-w", "--stdin"],
        input=b"object",
        env={**plan.env, "GIT_TRACE2_PERF": str(trace)},
        check=True,
    )
    assert re.search(r"fsync/(hardware-flush|writeout-only):[1-9]", trace.read_text())


def test_refusal_changes_nothing(pusher: Pusher) -> None:
    """When the gate says no, git rejects the push and the ref stays; the next push works."""
    refused = pusher.git("push", "-o", "refuse", "deploy", "main")
    assert "pre-receive hook declined" in refused.stdout
    assert pusher.head() == ""
    assert pusher.git("push", "deploy", "main").returncode == 0


def test_no_gate_no_push(pusher: Pusher) -> None:
    """Without a gate the push is refused with the reason."""
    pusher.world.stop()
    refused = pusher.git("push", "deploy", "main")
    assert refused.returncode != 0
    assert "gate is not running" in refused.stdout


def test_shallow_clone_is_refused_before_the_gate(pusher: Pusher) -> None:
    """A push whose history is cut off deploys nothing, and says what to do."""
    pusher.commit("two")
    pusher.git("push", "deploy", "main")
    other = pusher.tree.parent / "shallow"
    pusher.git("clone", "-q", "--depth", "1", f"file://{pusher.tree}", str(other))
    fresh = pusher.world.root / "fresh.git"
    pusher.run("git", "init", "-q", "--bare", str(fresh), cwd=other)
    lock = pusher.world.root / "locks" / "fresh"
    shutil.copy(pusher.world.root / "locks" / "shop", lock)
    os.chown(lock, 0, ACCOUNT)
    refused = pusher.run("git", "push", "paas@server:fresh", "main", cwd=other)
    assert "shallow clone" in refused.stdout
    assert "git fetch --unshallow" in refused.stdout
    assert "fetch-depth: 0" in refused.stdout
    assert "-----> push" not in refused.stdout
    # Where the server has the history already, a shallow clone may push.
    pusher.run("git", "commit", "-q", "--allow-empty", "-m", "three", cwd=other)
    accepted = pusher.run("git", "push", "paas@server:shop", "main", cwd=other)
    assert accepted.returncode == 0, accepted.stdout


def test_a_push_that_refers_to_what_nobody_has_is_refused_before_the_gate(pusher: Pusher) -> None:
    """Git takes the objects, runs the hook, and then refuses the ref: the hook must know."""
    gone = "1" * 40
    raw = "".join(f"\\x{byte:02x}" for byte in bytes.fromhex(gone))
    tree_of = f"printf '100644 a\\0{raw}' | git hash-object -t tree --literally -w --stdin"
    there = pusher.run("bash", "-c", tree_of, cwd=pusher.repository).stdout.strip()
    pusher.run("bash", "-c", tree_of, cwd=pusher.tree)
    commit = pusher.git("commit-tree", "-m", "x", there).stdout.strip()
    line = f"{'0' * 40} {commit} refs/heads/main\0report-status side-band-64k"
    script = f"""
line='{line.partition(chr(0))[0]}'
{{ printf '%04x%s\\0report-status side-band-64k0000' {len(line) + 4} "$line"
   echo {commit} | git pack-objects -q --stdout; }} |
    "$GIT_SSH_COMMAND" paas@server "git-receive-pack 'shop'" | tr '\\0' '\\n'
"""
    said = pusher.run("bash", "-c", script, cwd=pusher.tree).stdout
    assert "unpack ok" in said
    assert "This push is incomplete" in said
    assert "-----> push" not in said
    assert pusher.head() == ""


def test_deletion_and_second_branch(pusher: Pusher) -> None:
    """A deletion reaches the gate's judgement, without a quarantine to look into."""
    pusher.git("push", "deploy", "main", "main:other")
    deleted = pusher.git("push", "deploy", ":other")
    assert "GIT_QUARANTINE_PATH False" in deleted.stdout
    assert "ref refs/heads/other" in deleted.stdout
    assert (deleted.returncode, pusher.head("other")) == (0, "")


def test_hostile_packs_are_refused(pusher: Pusher) -> None:
    """A tree with an entry .git and a pack above the limit do not get in."""
    blob = pusher.git("rev-parse", "HEAD:file").stdout.strip()
    raw = "".join(f"\\x{byte:02x}" for byte in bytes.fromhex(blob))
    entry = f"100644 .git\\0{raw}"
    script = f"""
tree=$(printf '{entry}' | git hash-object -t tree --literally -w --stdin)
git update-ref refs/heads/evil "$(git commit-tree -m evil "$tree")"
"""
    assert pusher.run("bash", "-c", script, cwd=pusher.tree).returncode == 0
    refused = pusher.git("push", "deploy", "evil")
    assert "hasDotgit" in refused.stdout
    assert " !     git's checks refuse this push: a folder in it has a name" in refused.stdout
    tree = pusher.git("rev-parse", "evil^{tree}").stdout.strip()
    assert f"git rev-list --objects --all | grep {tree}\n" in refused.stdout
    (pusher.tree / "big").write_bytes(os.urandom(2 * 1024 * 1024))
    shutil.chown(pusher.tree / "big", ACCOUNT)
    pusher.git("add", "big")
    pusher.git("commit", "-q", "-m", "big")
    refused = pusher.git("push", "deploy", "main")
    assert refused.returncode != 0
    assert " !     This push is larger than the 1 MiB that the server takes" in refused.stdout
    assert (pusher.head("evil"), pusher.head()) == ("", "")
    # The advice finds the file, and gets the rest of the app there.
    (listing,) = [line for line in refused.stdout.splitlines() if "batch-check" in line]
    told = pusher.run("bash", "-c", listing.removeprefix(" !     "), cwd=pusher.tree).stdout
    assert told.splitlines()[-1].endswith(" big")
    pusher.git("rm", "-q", "big")
    pusher.git("commit", "-q", "-m", "without it")
    (command,) = [line for line in refused.stdout.splitlines() if "--orphan" in line]
    done = pusher.run("bash", "-c", command.removeprefix(" !     "), cwd=pusher.tree)
    assert (done.returncode, pusher.head() != "") == (0, True), done.stdout


def test_a_push_that_fills_the_disk_is_explained(pusher: Pusher) -> None:
    """git alone would name a file that could not be written."""
    objects = pusher.repository / "objects"
    argv: list[str | Path] = [
        "mount",
        "-t",
        "tmpfs",
        "-o",
        f"size=64k,mode=0755,uid={ACCOUNT}",
        "paas-test",
        objects,
    ]
    subprocess.run(argv, check=True)
    try:
        (pusher.tree / "noise").write_bytes(os.urandom(512 * 1024))
        shutil.chown(pusher.tree / "noise", ACCOUNT)
        pusher.git("add", "noise")
        pusher.git("commit", "-q", "-m", "noise")
        refused = pusher.git("push", "deploy", "main")
    finally:
        subprocess.run(["umount", objects], check=True)
    assert refused.returncode != 0
    assert " !     The server's disk is full.\n" in refused.stdout
    assert "-----> push" not in refused.stdout


def test_a_killed_index_pack_is_explained(pusher: Pusher) -> None:
    """As the kernel kills it when the memory runs out, in the middle of what is sent."""
    line = f"{'0' * 40} {'1' * 40} refs/heads/main\0report-status"
    sent = f"{len(line) + 4:04x}{line}0000".encode() + b"PACK" + (2).to_bytes(4) + (500).to_bytes(4)
    argv = [str(pusher.world.root / "ssh"), "paas@server", "git-receive-pack 'shop'"]
    options = {**pusher.options(), "stdin": subprocess.PIPE, "text": False}
    with subprocess.Popen(argv, cwd=pusher.tree, **options) as push:
        assert push.stdin is not None
        assert push.stdout is not None
        push.stdin.write(sent)
        push.stdin.flush()
        wait_for(lambda: bool(descendants(push.pid, "index-pack")), what="git index-pack runs")
        for pid in descendants(push.pid, "index-pack"):
            os.kill(pid, signal.SIGKILL)
        told = push.stdout.read().decode("utf-8", "replace")
    assert " !     git was killed on the server while it received this push" in told
    assert "git push deploy COMMIT:refs/heads/part" in told


def test_a_repository_of_sha256_is_told_the_way(pusher: Pusher) -> None:
    """git leaves before it sends anything; the commands in the message get the code there."""
    other = pusher.tree.parent / "other"
    pusher.run(
        "git", "init", "-q", "-b", "main", "--object-format=sha256", str(other), cwd=Path("/")
    )
    (other / "file").write_text("sha256")
    for words in (
        ("add", "file"),
        ("commit", "-q", "-m", "one"),
        ("remote", "add", "deploy", "paas@server:shop"),
    ):
        assert pusher.run("git", *words, cwd=other).returncode == 0
    refused = pusher.run("git", "push", "deploy", "main", cwd=other)
    assert refused.returncode != 0
    assert " !     git ended this push before it sent anything.\n" in refused.stdout
    assert "unexpected capabilities" in refused.stdout.partition(" !     ")[0]
    for word in ("git init", "git -C"):
        lines = [line.removeprefix(" !     ") for line in refused.stdout.splitlines()]
        (command,) = [line for line in lines if line.startswith(word)]
        done = pusher.run("bash", "-c", command, cwd=other)
        assert done.returncode == 0, done.stdout
    assert pusher.head() != ""
    # With commits on the server git refuses by another sentence.
    refused = pusher.run("git", "push", "deploy", "main", cwd=other)
    assert "hash algorithm" in refused.stdout.partition(" !     ")[0]
    assert " !     git ended this push before it sent anything.\n" in refused.stdout


def test_what_the_server_has_is_told_in_one_write(pusher: Pusher) -> None:
    """A client that leaves at the first piece would break its ssh's pipe for the next, and hear
    nothing more; each write is a datagram here."""
    argv = [str(pusher.world.root / "ssh"), "paas@server", "git-receive-pack 'shop'"]
    for commits in (0, 1):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        with ours, theirs:
            options = {**pusher.options(), "stdout": theirs, "stderr": subprocess.PIPE}
            said = subprocess.run(argv, cwd=pusher.tree, timeout=LIMIT_S, **options).stderr
            told, *more = _datagrams(ours)
        assert more == []
        assert told.startswith(b"00") and told.endswith(b"\n0000"), told
        assert (b"refs/heads/main" in told) == bool(commits)
        assert " !     git ended this push before it sent anything.\n" in said
        pusher.git("push", "deploy", "main")


def _datagrams(sock: socket.socket) -> list[bytes]:
    """All that wait."""
    sock.setblocking(False)
    found = []
    while True:
        try:
            found.append(sock.recv(65_536))
        except BlockingIOError:
            return found


def test_what_git_says_well_itself_is_left_to_it(pusher: Pusher) -> None:
    """No explanation where nothing was refused, or by the gate, or before it came to a push."""
    pusher.git("push", "deploy", "main")
    for words in (("main",), ("--dry-run", "main:new"), (":refs/heads/none",)):
        assert " !     " not in pusher.git("push", "deploy", *words).stdout
    pusher.git("commit", "-q", "--amend", "-m", "another")
    refused = pusher.git("push", "deploy", "main")
    assert "non-fast-forward" in refused.stdout
    assert " !     " not in refused.stdout
    refused = pusher.git("push", "--force", "-o", "refuse", "deploy", "main")
    assert refused.stdout.count("declined") == 1
    assert " !     " not in refused.stdout


def test_the_explanation_is_no_part_of_the_push(pusher: Pusher) -> None:
    """Its process holds neither the lock nor what the pusher sends, and may be killed."""
    slow = pusher.world.etc / "slow-hook"
    slow.touch()
    first = pusher.start_push("main", pusher.world.root / "first")
    wait_for((pusher.world.etc / "hook-started").exists, what="the push is in its hook")
    # The other one was started by the hook of the push.
    clients = descendants(first.pid, "client.py").items()
    (observer,) = [pid for pid, line in clients if "--hook" not in line]
    held = {str(path.readlink()) for path in Path(f"/proc/{observer}/fd").iterdir()}
    assert str(pusher.world.root / "locks" / "shop") not in held
    assert [str(Path(f"/proc/{observer}/fd/{fd}").readlink()) for fd in (0, 1)] == ["/dev/null"] * 2
    os.kill(observer, signal.SIGKILL)
    output = pusher.world.root / "second"
    second = pusher.start_push("main:second", output)
    wait_for(lambda: "waiting" in output.read_text(), what="git still holds the lock")
    slow.unlink()
    first.wait(LIMIT_S)
    assert second.wait(LIMIT_S) == 0
    assert pusher.head() == pusher.head("second") != ""


def descendants(ancestor: int, word: str) -> dict[int, str]:
    """The processes below one that have a word in their command line, and that."""
    lines = {one.pid: " ".join(words) for one, words in below(ancestor).items()}
    return {pid: line for pid, line in lines.items() if word in line}


def test_second_push_waits_and_is_told(pusher: Pusher) -> None:
    """Two pushes at once go one after the other; the second learns for whom it waits."""
    slow = pusher.world.etc / "slow-hook"
    slow.touch()
    first = pusher.start_push("main", pusher.world.root / "first")
    wait_for((pusher.world.etc / "hook-started").exists, what="the first push is in its hook")
    output = pusher.world.root / "second"
    second = pusher.start_push("main:second", output)
    wait_for(lambda: "waiting" in output.read_text(), what="the second push is told")
    assert " !     alice has been pushing to this app since " in output.read_text()
    assert " UTC; waiting for that push to end.\n" in output.read_text()
    assert "-----> push" not in output.read_text()
    slow.unlink()
    assert first.wait(LIMIT_S) == 0
    assert second.wait(LIMIT_S) == 0
    assert pusher.head("second") == pusher.head()


def test_killed_receive_pack_keeps_the_lock(pusher: Pusher) -> None:
    """While the hook of a killed receive-pack runs on, no other push starts."""
    slow = pusher.world.etc / "slow-hook"
    slow.touch()
    first = pusher.start_push("main", pusher.world.root / "first")
    wait_for((pusher.world.etc / "hook-started").exists, what="the first push is in its hook")
    (child,) = [
        one
        for one in with_words(str(pusher.repository))
        if one.cmdline()[:2] == ["git", "receive-pack"]
    ]
    child.kill()
    first.wait(LIMIT_S)
    output = pusher.world.root / "second"
    second = pusher.start_push("main", output)
    wait_for(lambda: "waiting" in output.read_text(), what="the second push waits")
    slow.unlink()
    assert second.wait(LIMIT_S) == 0


def test_killed_pusher_leaves_the_verdict_to_the_hook(pusher: Pusher) -> None:
    """A terminal that closes in the middle does not stop the hook, and the ref moves."""
    slow = pusher.world.etc / "slow-hook"
    slow.touch()
    first = pusher.start_push("main", pusher.world.root / "first")
    wait_for((pusher.world.etc / "hook-started").exists, what="the push is in its hook")
    first.kill()
    first.wait(LIMIT_S)
    slow.unlink()
    wait_for(lambda: pusher.head() != "", what="the ref moves")
