"""The one door for subprocesses."""

import time
from pathlib import Path

import pytest

from paas.adapters.system.subprocesses import Finished, run, started_ahead
from paas.domain.values.errors import PaasError, ProgramFailedError, TimedOutError
from paas.domain.values.exits import exit_words
from tests.waiting import wait_for

ENV = {"PATH": "/usr/local/bin:/usr/bin:/bin"}


def shell(script: str, **options: object) -> Finished:
    """Run a shell script."""
    given = {"description": "Trying", "timeout_s": 200.0, "env": ENV, **options}
    return run(["/bin/sh", "-c", script], **given)  # type: ignore[arg-type]


def test_output_is_kept_with_stderr_in_its_place() -> None:
    """stdout and stderr come as one, in their order."""
    assert shell("echo a; echo b >&2; printf c") == Finished(0, b"a\nb\nc")


def test_the_caller_is_asked_several_times_a_second_however_much_is_printed() -> None:
    """Whether it goes on: at once, and not for each line."""
    asked: list[None] = []
    began = time.monotonic()
    shell("seq 20000; sleep 0.3", interrupt=lambda: asked.append(None))
    assert 2 <= len(asked) <= 2 + (time.monotonic() - began) / 0.1


def test_stderr_can_be_kept_apart() -> None:
    """It is no part of the output then, and the context of a failure."""
    assert shell("echo a; echo b >&2; echo c", errors_apart=True) == Finished(0, b"a\nc\n")
    with pytest.raises(ProgramFailedError) as caught:
        shell("echo a; echo why >&2; exit 3", errors_apart=True)
    assert caught.value.context == ("why",)


def test_lines_are_streamed_as_they_come(tmp_path: Path) -> None:
    """Each line arrives when it is printed, the last one without an end too."""
    heard, seen = tmp_path / "heard", []

    def hear(line: bytes) -> None:
        seen.append(line)
        heard.touch()

    wait = f"until [ -e {heard} ]; do sleep 0.01; done"
    shell(f"echo a; {wait}; printf 'b\\r\\n\\377\\nc'", on_line=hear)
    assert seen == [b"a", b"b", b"\xff", b"c"]


def test_a_very_long_line_arrives_in_pieces() -> None:
    """A line of 200,000 bytes does not pile up."""
    seen: list[bytes] = []
    shell("head -c 200000 /dev/zero | tr '\\0' x", on_line=seen.append)
    assert max(map(len, seen)) <= 2 * 65_536
    assert b"".join(seen) == b"x" * 200_000


def test_a_failure_says_what_and_has_the_last_lines_as_context() -> None:
    """The message has the description and the status, the context the end of the output."""
    with pytest.raises(ProgramFailedError) as caught:
        shell("echo one; echo two >&2; exit 7")
    assert caught.value.message == "Trying failed: exited with status 7."
    assert caught.value.context == ("one", "two")
    assert shell("exit 7", check=False).status == 7
    assert shell("kill -9 $$", check=False).status == -9


def test_the_limit_kills_the_whole_group() -> None:
    """At the limit the program and what it started are killed."""
    with pytest.raises(TimedOutError, match=r"did not end within 0.3 s"):
        shell("sleep 6000 & sleep 6000", timeout_s=0.3)


def test_what_is_left_behind_does_not_hold_up_the_end() -> None:
    """A background child that keeps the pipe open is killed when the program ends."""
    assert shell("sleep 6000 & echo done").output == b"done\n"


def test_an_error_while_streaming_stops_the_program() -> None:
    """If the reader of the lines fails, the program is ended."""

    def refuse(line: bytes) -> None:
        raise ValueError(line)

    with pytest.raises(ValueError, match="a"):
        shell("echo a; sleep 6000", on_line=refuse)


def test_the_environment_is_what_was_given_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing of our own environment gets through."""
    monkeypatch.setenv("OURS", "secret")
    output = run(["/usr/bin/env"], description="x", timeout_s=200, env={"A": "b\nc"}).output
    assert output == b"A=b\nc\n"


def test_stdin_is_what_was_given_or_empty(tmp_path: Path) -> None:
    """A program reads the given bytes, more than a pipe holds; else the end of file."""
    assert len(shell("cat", stdin=b"x" * 300_000).output) == 300_000
    assert shell("cat; pwd", cwd=tmp_path).output == f"{tmp_path}\n".encode()


def test_a_program_that_was_started_ahead_is_told_later_what_to_do() -> None:
    """It waits for its stdin, and then ends like any other."""
    words = ["/bin/sh", "-c", 'told=$(cat); echo "did $told"; exit 3']
    with started_ahead(words, description="Trying", env=ENV) as ahead:
        done = shell("", stdin=b"this", ahead=ahead, check=False)
    assert done == Finished(3, b"did this\n")


def test_a_program_that_was_started_ahead_for_nothing_is_ended(tmp_path: Path) -> None:
    """With its process group, before it has done anything."""
    words = ["/bin/sh", "-c", f"echo $$ > {tmp_path}/pid; cat; touch {tmp_path}/done"]
    with started_ahead(words, description="Trying", env=ENV):
        wait_for(lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert not (tmp_path / "done").exists()


def test_a_program_that_ends_before_it_is_told_tells_by_its_status() -> None:
    """As one that is started when it is needed."""
    with started_ahead(["/bin/false"], description="Trying", env=ENV) as ahead:
        assert shell("", stdin=b"x" * 300_000, ahead=ahead, check=False).status == 1


def test_a_program_that_is_missing_is_named() -> None:
    """The message says which program cannot be started, and why."""
    with pytest.raises(PaasError, match=r"/no/such cannot be started \(No such file"):
        run(["/no/such"], description="x", timeout_s=200, env={})


@pytest.mark.parametrize(
    ("status", "words"),
    [(0, "exited with status 0"), (-15, "killed by SIGTERM"), (-99, "killed by signal 99")],
)
def test_statuses_in_words(status: int, words: str) -> None:
    """An exit status or signal as people say it."""
    assert exit_words(status) == words
