"""The text of .env files: what is read, what is refused, and that nothing is lost on the way."""

import subprocess

import pytest

from paas.domain.manifest.envfile import envfile, parse_envfile, shell_lines
from paas.domain.values.errors import PaasError

VALUES = {
    "LINES": "one\ntwo\n",
    "QUOTES": 'it\'s "quoted" `id` $(id) ${HOME} $$',
    "BACKSLASH": "a\\b\\\\n\\",
    "COMMENT": "a # b",
    "SPACES": "  around  ",
    "EMPTY": "",
    "RETURN": "a\r\nb",
    "UTF8": "Grüße \U0001f680",
    "EQUALS": "B=C=",
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1", {"A": "1"}),
        ("\ufeffA=1\r\nB=2\r\n", {"A": "1", "B": "2"}),
        ("# all\n\n  export A = hello world  # said\n", {"A": "hello world"}),
        ("A=a#b\nB=#c\nC= # d", {"A": "a#b", "B": "", "C": ""}),
        ("A='$HOME \\n' # why\nB=\"x\\ty\\n\\d\"", {"A": "$HOME \\n", "B": "x\ty\n\\d"}),
        ("A=\"one\ntwo\"\nB='three\nfour'", {"A": "one\ntwo", "B": "three\nfour"}),
        ("A='it'\"'\"'s'", {"A": "it's"}),
        ("A=it's", {"A": "it's"}),
        ("A=1\nA=2", {"A": "2"}),
        ("A='x\\'\nB='y'", {"A": "x\\", "B": "y"}),
        ("", {}),
    ],
)
def test_what_a_file_holds(text: str, found: dict[str, str]) -> None:
    """Comments, quotes, several lines, export, and values that only look like something."""
    assert parse_envfile(text) == found


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("A=1\nwhat is this", "Line 2: 'what is this'"),
        ("A=1\n\nB='open\nC=2", "Line 3: a quote is opened"),
        ("A='x'y", "Line 1: there is text after"),
        ("=1", "Line 1"),
        ("A=1\nA-B=1", "Line 2: 'A-B' is not a config var's name"),
        ("A='\n'\nPORT=1", "Line 3: PORT cannot be set"),
    ],
)
def test_what_is_refused(text: str, says: str) -> None:
    """With the number of the line, as wrong usage."""
    with pytest.raises(PaasError) as caught:
        parse_envfile(text)
    assert says in caught.value.message
    assert caught.value.exit_code == 2


def test_what_is_written_is_read_back() -> None:
    """The file and the shell's lines have every value, byte for byte."""
    assert parse_envfile(envfile(VALUES)) == VALUES
    assert parse_envfile(shell_lines(VALUES)) == VALUES


def test_a_shell_reads_the_lines() -> None:
    """Sourced, they set the same."""
    script = shell_lines(VALUES) + 'printf %s "$LINES$QUOTES$BACKSLASH$RETURN"'
    read = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode()
    assert read == VALUES["LINES"] + VALUES["QUOTES"] + VALUES["BACKSLASH"] + VALUES["RETURN"]
