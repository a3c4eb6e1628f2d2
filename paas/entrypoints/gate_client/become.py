"""What a process becomes when the gate lets it run git: it takes the app's lock first.

Over SSH that process is the gate's client; for a request over HTTP, the gate starts it itself.
"""

from __future__ import annotations

import fcntl
import os
import time

_TEXT_BYTES = 4096
# The halves of a git service over HTTP (git-http-backend(1)): each is a request of its own.
REFS = "refs"
EXCHANGE = "exchange"


def become(words: list[bytes], half: str = "") -> int:
    """Take the lock of a plan and execute its program in place.

    Returns on failure, and, in the process that accompanies a push, when git has ended.
    words: as gate/wire.py:answer_exec has them. half: REFS or EXCHANGE over HTTP. Both
    take the lock: a push that waited for another begins with the refs that this one left.
    """
    lock, holder, count, *rest = words
    argv, pairs = rest[: int(count)], rest[int(count) :]
    env = {name: value for name, _, value in (pair.partition(b"=") for pair in pairs)}
    if half:
        *command, repository = argv
        listing = [b"--advertise-refs"] if half == REFS else []
        argv = [*command, b"--stateless-rpc", *listing, repository]
    if lock and half != REFS:
        from paas.entrypoints.gate_client.observer import observe

        status = observe(env)
        if status is not None:
            return status
    if lock:
        _take(lock, holder.decode(), says_that_it_waits=not half)
    try:
        if lock and not half:
            argv = _advertise(argv, env)
        os.execvpe(argv[0], argv, env)  # noqa: S606 - there is no shell to start
    except OSError as error:
        _say(f"{os.fsdecode(argv[0])} cannot be run here: {error.strerror}.")
        return 1


def _advertise(argv: list[bytes], env: dict[bytes, bytes]) -> list[bytes]:
    """Send the pusher's git the repository's refs, in one write; returns what to execute next.

    git itself writes its list in pieces. A client that leaves at the first one, as one of a SHA-256
    repository does at an empty repository, breaks its ssh's pipe for the second: that ssh then
    closes the connection, and shows nothing of what the observer says about it. So git's two halves
    run one after the other, as for pushes over HTTP (git-http-backend(1)).
    """
    *words, repository = argv
    answer = os.memfd_create("refs", os.MFD_CLOEXEC)
    writes_to_it = [(os.POSIX_SPAWN_DUP2, answer, 1)]
    halves = [*words, b"--stateless-rpc"]
    first = [*halves, b"--advertise-refs", repository]
    pid = os.posix_spawnp(first[0], first, env, file_actions=writes_to_it)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if status != 0:
        os._exit(status if status > 0 else 128 - status)
    listed = os.pread(answer, os.fstat(answer).st_size, 0)
    os.close(answer)
    try:
        while listed:
            listed = listed[os.write(1, listed) :]
    except BrokenPipeError:
        pass  # the second half finds that the client has left, and the observer says why
    return [*halves, repository]


def _take(path: bytes, holder: str, *, says_that_it_waits: bool) -> None:
    """Hold the lock for as long as this process, or anything it starts, lives.

    says_that_it_waits: over HTTP, words would be read only at the end.
    The descriptor is inherited on purpose: should receive-pack be killed, its hook still deploys.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        if says_that_it_waits:
            _say(f"{_present_holder(fd)}; waiting for that push to end.")
        fcntl.flock(fd, fcntl.LOCK_EX)
    since = time.strftime("%H:%M:%S", time.gmtime())
    # A user's name, so nothing in it needs to be escaped; json takes 3 ms to import.
    text = f'{{"holder": "{holder}", "since": "{since} UTC"}}'.encode()
    os.pwrite(fd, text.ljust(os.fstat(fd).st_size), 0)
    os.ftruncate(fd, len(text))
    os.set_inheritable(fd, True)


def _present_holder(fd: int) -> str:
    """The holder of the lock, as text."""
    import json

    try:
        text = json.loads(os.pread(fd, _TEXT_BYTES, 0))
        return f"{text['holder']} has been pushing to this app since {text['since']}"
    except (ValueError, KeyError, TypeError):
        return "Someone is pushing to this app"


def _say(text: str) -> None:
    os.write(2, f" !     {text}\n".encode())
