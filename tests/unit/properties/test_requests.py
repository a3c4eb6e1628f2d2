"""What reaches the gate: SSH commands and the frames of its protocol."""

import os
import re
import shlex
import socket
import struct
import subprocess
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from paas.domain.values.errors import PaasError
from paas.domain.values.names import app_name, user_name
from paas.entrypoints.gate import wire
from paas.entrypoints.gate.ssh import GitRequest, parse, split
from paas.entrypoints.gate_client import link
from tests.unit.properties.texts import ANYTHING, json_values, texts

SHELL = "abn '\"\\\n\t\r"
WORDS = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("'\"\\\n\t\r $`"))
NO_NUL = st.text(st.characters(exclude_categories=(), exclude_characters="\0"), max_size=30)


@given(
    texts(SHELL + "git-receivpkuloads/.~;$()\x1b\0")
    | st.builds("{} {}".format, st.sampled_from(["git-receive-pack", "git"]), texts("shop'/.~-"))
)
def test_any_command_is_understood_or_refused(command: str) -> None:
    """A git request names a valid app; the words of others have no control characters."""
    try:
        found = parse(command)
    except PaasError as error:
        assert error.exit_code == 2
        assert error.message.isprintable()
        return
    if isinstance(found, GitRequest):
        assert app_name(found.app) == found.app
    else:
        assert found
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", "".join(found))


@given(st.lists(WORDS, max_size=6))
def test_quoted_words_arrive_unchanged(words: list[str]) -> None:
    """What a laptop quotes for ssh, the server takes apart."""
    assert split(shlex.join(words)) == words


@settings(max_examples=50)
@given(st.text(st.sampled_from(SHELL), max_size=20))
def test_words_are_those_of_a_shell(command: str) -> None:
    """Whatever is accepted, a POSIX shell splits in the same way."""
    try:
        words = split(command)
    except PaasError:
        assume(False)
    script = f'set -- {command}\nfor word; do printf "%s\\0" "$word"; done'
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=False, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words


@given(
    json_values(
        st.sampled_from(["argv", "user", "command", "env", "origin", "TERM"]),
        st.text(ANYTHING, max_size=9),
    )
)
def test_any_json_is_a_request_or_refused(raw: Any) -> None:
    """Whatever its shape."""
    try:
        request = wire.parse(raw)
    except (wire.BadRequestError, PaasError):
        return
    assert request.user is None or user_name(request.user) == request.user
    assert all("\0" not in text for text in (*request.argv, *request.env.values()))


@given(
    argv=st.lists(NO_NUL, max_size=4),
    user=st.none() | st.sampled_from(["alice", "b.o-b_1"]),
    command=st.none() | NO_NUL,
    env=st.dictionaries(st.sampled_from(link.ENV_ALWAYS), NO_NUL, max_size=3),
)
def test_a_request_arrives_as_it_was_sent(
    argv: list[str], user: str | None, command: str | None, env: dict[str, str]
) -> None:
    """The client's JSON, which it writes itself, and three descriptors."""
    asked = {"argv": argv, "user": user, "command": command, "env": env, "origin": {}}
    body = link._json(asked).encode("utf-8", "surrogatepass")
    request, count = _receive(struct.pack("!I", len(body)) + body, 3)
    assert count == 3
    assert request == wire.Request(tuple(argv), user, command, env)  # type: ignore[arg-type]


FRAMES = st.binary(max_size=40) | st.builds(
    lambda size, body: struct.pack("!I", len(body) if size is None else size) + body,
    st.none() | st.integers(0, 60) | st.integers(0, 2**32 - 1),
    st.binary(max_size=60)
    | texts('{}[]":,argvusercommandnltp').map(lambda t: t.encode("utf-8", "replace")),
)


@given(FRAMES, st.sampled_from([0, 1, 3, 3, 3, 4]))
def test_any_frame_is_a_request_or_refused(data: bytes, descriptors: int) -> None:
    """Wrong lengths, wrong JSON and wrong numbers of descriptors alike."""
    with pytest.raises((wire.BadRequestError, OSError)):
        _receive(data, descriptors)


def _receive(data: bytes, descriptors: int) -> tuple[wire.Request, int]:
    """What the gate makes of these bytes from a client that leaves after them."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs, open(os.devnull) as null:  # noqa: PTH123
        if data:
            socket.send_fds(theirs, [data], [null.fileno()] * descriptors)
        theirs.shutdown(socket.SHUT_WR)
        request, fds = wire.receive(ours, limit_s=60)
        for fd in fds:
            os.close(fd)
        return request, len(fds)
