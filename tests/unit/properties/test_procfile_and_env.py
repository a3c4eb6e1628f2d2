"""The Procfile and .env files: any content is read within its limits or refused."""

import re
import subprocess

from hypothesis import given, settings
from hypothesis import strategies as st

from paas.domain.manifest.envfile import envfile, parse_envfile, shell_lines
from paas.domain.manifest.procfile import COMMAND_MAX_BYTES, command_position, parse_procfile
from paas.domain.values.errors import PaasError
from paas.domain.values.names import VAR_NAME_MAX, process_type, var_name, var_value
from tests.unit.properties.texts import files, texts

# What a process's environment can hold: bytes that are not UTF-8 become half surrogate pairs.
VALUES = st.text(
    st.characters(codec="utf-8", exclude_characters="\0")
    | st.integers(0xDC80, 0xDCFF).map(chr)
    | st.sampled_from("\"'\\$`#= \t\r\nexport"),
    max_size=60,
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,12}", fullmatch=True).filter(lambda n: n != "PORT")
VARS = st.dictionaries(NAMES, VALUES, max_size=5)


SYNTAX = "web: release#\t\r\n\0-_=cron \x0b\x85\u2028"
LINES = st.lists(
    st.builds(
        "{}:{}{}".format,
        st.sampled_from(["web", "worker", "release", "cron", "#", " web ", "a b", ""]),
        texts(SYNTAX),
        st.sampled_from(["\n", "\r\n", "\r", ""]),
    ),
    max_size=4,
).map(lambda lines: "".join(lines).encode("utf-8", "replace"))


@given(files(SYNTAX) | LINES)
def test_any_procfile_is_read_or_refused(content: bytes) -> None:
    """What is read has valid types and commands of one line, and reads the same once written."""
    try:
        found = parse_procfile(content)
    except PaasError as error:
        assert error.reference == "procfile"
        assert error.message.isprintable()
        return
    for kind, command in found.items():
        assert process_type(kind) == kind
        assert command == command.strip()
        assert 0 < len(command.encode()) <= COMMAND_MAX_BYTES
        assert not {"\0", "\r", "\n"} & set(command)
    written = "".join(f"{kind}: {command}\n" for kind, command in found.items())
    assert parse_procfile(written.encode()) == found


@given(
    st.dictionaries(
        st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,9}", fullmatch=True),
        st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1).map(str.strip),
        max_size=5,
    ),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", " ", "\t  "]),
)
def test_the_place_of_a_command_is_where_it_stands(
    commands: dict[str, str], end: str, blanks: str
) -> None:
    """Line and column lead to the command."""
    kept = {kind: command for kind, command in commands.items() if command}
    lines = ["# a comment", *(f"{kind}:{blanks}{command}" for kind, command in kept.items())]
    content = end.join(lines).encode()
    assert parse_procfile(content) == kept
    for kind, command in kept.items():
        position = re.fullmatch(
            r"Procfile, line (\d+), column (\d+)", command_position(content, kind)
        )
        assert position is not None
        assert lines[int(position[1]) - 1][int(position[2]) - 1 :] == command


@given(texts("A=B_1export \"'\\#$`\t\r\n"))
def test_any_env_file_is_read_or_refused(text: str) -> None:
    """What is read is valid, and comes back the same when it is exported and imported."""
    try:
        found = parse_envfile(text)
    except PaasError as error:
        assert error.reference == "envfile"
        assert error.exit_code == 2
        return
    for name, value in found.items():
        assert len(name) <= VAR_NAME_MAX
        assert var_value(var_name(name), value) == value
    assert parse_envfile(envfile(dict(found.items()))) == found


@given(VARS)
def test_what_is_exported_is_imported_the_same(values: dict[str, str]) -> None:
    """Both ways to write config vars are read back exactly."""
    assert parse_envfile(envfile(values)) == values
    assert parse_envfile(shell_lines(values)) == values


@settings(max_examples=25)
@given(VARS)
def test_a_shell_reads_the_exported_lines(values: dict[str, str]) -> None:
    """``eval`` of them sets just these variables, whatever is in their values."""
    # A name for each, since some (PWD, IFS, SHELLOPTS, UID) mean something to the shell.
    named = {f"X{number}": value for number, value in enumerate(values.values())}
    script = shell_lines(named) + "exec env -0\n"
    done = subprocess.run(
        ["/bin/sh", "-c", script.encode("utf-8", "surrogateescape")],
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=True,
    )
    pairs = dict(pair.split(b"=", 1) for pair in done.stdout.split(b"\0")[:-1])
    assert {name: pairs[name.encode()] for name in named} == {
        name: value.encode("utf-8", "surrogateescape") for name, value in named.items()
    }
    assert set(pairs) <= {b"PATH", b"PWD", b"OLDPWD", b"SHLVL", b"_", *map(str.encode, named)}
