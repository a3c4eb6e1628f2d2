"""certs:add's files: read where the person is, in every place where they can stand."""

from pathlib import Path

import pytest

from paas.domain.values.errors import PaasError
from paas.entrypoints.gate_client import certinput


@pytest.fixture
def pair(tmp_path: Path) -> tuple[str, str]:
    """A certificate's file and a key's."""
    crt, key = tmp_path / "a.crt", tmp_path / "a.key"
    crt.write_text("CRT")
    key.write_text("KEY")
    return str(crt), str(key)


@pytest.mark.parametrize(
    ("before", "after", "left"),
    [
        ([], [], []),
        (["shop"], [], ["shop"]),
        (["-a", "shop"], [], ["-a", "shop"]),
        ([], ["-a", "shop"], ["-a", "shop"]),
        (["--app=shop"], [], ["--app=shop"]),
    ],
)
def test_files_are_taken_off_the_words(
    pair: tuple[str, str], before: list[str], after: list[str], left: list[str]
) -> None:
    """The app may stand anywhere, or nowhere."""
    words = ["certs:add", *before, *pair, *after]
    assert certinput.files(words) == (["certs:add", *left], b"CRT\nKEY")


@pytest.mark.parametrize(
    "words",
    [["certs:add"], ["certs:add", "shop"], ["certs:add", "-a", "shop"], ["certs", "a", "b"], []],
)
def test_without_two_files_stdin_is_left_alone(words: list[str]) -> None:
    """Both may come on it."""
    assert certinput.files(words) is None


def test_what_cannot_be_read_is_named(pair: tuple[str, str], tmp_path: Path) -> None:
    """A directory, a file that is not there, one that is far too large."""
    large = tmp_path / "large"
    large.write_bytes(b"x" * 10_000_000)
    for bad, why in ((tmp_path, "directory"), (tmp_path / "no", "No such"), (large, "larger")):
        for words in ([pair[0], str(bad)], [str(bad), pair[1]]):
            with pytest.raises(PaasError, match=why) as caught:
                certinput.files(["certs:add", *words])
            assert str(bad) in caught.value.message


def test_files_travel_as_stdin(pair: tuple[str, str], capfd: pytest.CaptureFixture[str]) -> None:
    """To the command that is run for it; its status is this one's."""
    status = certinput.send(["certs:add", *pair], lambda words: ["sh", "-c", "cat; exit 3"])
    assert status == 3
    assert capfd.readouterr().out == "CRT\nKEY"
