"""JSON from outside: what is accepted, what it means, and where each value is."""

import json
import re
from typing import Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paas.adapters.builds.result import parse_result
from paas.domain.builds.buildpacks import LIST_MAX
from paas.domain.manifest.appjson import QUANTITY_MAX, parse_app_json
from paas.domain.manifest.procfile import COMMAND_MAX_BYTES
from paas.domain.values.errors import PaasError
from paas.domain.values.jsontext import Document, JsonTextError, parse_json
from paas.domain.values.names import process_type, var_name, var_value
from tests.unit.properties.texts import ANYTHING, files, json_values, rendered, texts

SYNTAX = '{}[]:,"\\/ \t\n\r0123456789.-+eEtrufalsnINy'
VALUES = json_values(st.text(ANYTHING, max_size=8), st.text(ANYTHING, max_size=20))


def _refuse(*_: object) -> NoReturn:
    raise ValueError


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse()
    return found


def _expected(text: str) -> Any:
    """What the standard library makes of it, where it is asked to be strict."""
    return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)


@given(texts(SYNTAX))
def test_any_text_is_a_document_or_an_error_with_its_place(text: str) -> None:
    """An error's line and column are in the text, or just behind it."""
    try:
        parse_json(text)
    except JsonTextError as error:
        lines = text.split("\n")
        assert 1 <= error.line <= len(lines)
        assert 1 <= error.column <= len(lines[error.line - 1]) + 1


# Close to JSON: the extensions of the standard library, names that repeat, a comma too many.
NEARLY_JSON = st.recursive(
    st.sampled_from(["1", "-0.5e3", "01", "true", "null", "NaN", "-Infinity", "nan", '"NaN"'])
    | st.sampled_from(['"\\ud800"', '"\\x"', '"\t"', "'a'", "", "\xa0", "[,]", '"{"', '"\\""']),
    lambda below: (
        st.builds(
            "{}{}{}{}".format, st.sampled_from(["", " ", "\n"]), st.just("["), below, st.just("]")
        )
        | st.builds(lambda parts: "[" + ",".join(parts) + "]", st.lists(below, max_size=3))
        | st.builds(
            lambda pairs: "{" + ", ".join(f"{name}: {text}" for name, text in pairs) + "}",
            st.lists(
                st.tuples(st.sampled_from(['"a"', '"b"', '"\\u0061"', "a"]), below), max_size=3
            ),
        )
    ),
    max_leaves=8,
)


@given(st.text(st.sampled_from(SYNTAX), max_size=30) | NEARLY_JSON)
def test_nothing_else_is_accepted_than_json(text: str) -> None:
    """Exactly what the standard library accepts, without its extensions and repeated names."""
    try:
        expected = _expected(text)
    except ValueError:
        with pytest.raises(JsonTextError):
            parse_json(text)
    else:
        assert parse_json(text).value == expected or re.search(r"\d{18}", text)


@given(st.data())
def test_values_are_kept_and_found(data: st.DataObject) -> None:
    """A value is read as it was written, and each part of it begins at the place noted for it."""
    # Two halves of a surrogate pair, side by side, are one character in JSON.
    value = json.loads(json.dumps(data.draw(VALUES)))
    document = parse_json(data.draw(rendered(value)))
    assert document.value == value
    _assert_places(document, (), value)
    assert len(document.values) == _count(value)


def _assert_places(document: Document, path: tuple[str | int, ...], value: Any) -> None:
    assert _read(document, document.values[path]) == value
    for name, part in _below(value):
        if isinstance(value, dict):
            assert _read(document, document.keys[(*path, name)]) == name
        _assert_places(document, (*path, name), part)


def _read(document: Document, offset: int) -> Any:
    """The value that begins there."""
    return json.JSONDecoder().raw_decode(document.text, offset)[0]


def _below(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def _count(value: Any) -> int:
    return 1 + sum(_count(part) for _, part in _below(value))


KEYS = (
    st.sampled_from(["env", "formation", "healthchecks", "start_limit", "scripts", "cron"])
    | st.sampled_from(["value", "generator", "required", "quantity", "buildpacks", "url", "dokku"])
    | st.sampled_from(["predeploy", "postdeploy", "command", "schedule", "maintenance", "name"])
    | st.sampled_from(["concurrency_policy", "type", "path", "content", "attempts", "timeout"])
    | st.sampled_from(["wait", "port", "uptime", "listening", "web", "worker", "A", "addons"])
)
WORDS = st.sampled_from(
    ["secret", "allow", "3m", "180s", "\u0663s", "startup", "@daily", "0 3 * * *", "/", "python"]
) | st.sampled_from(["heroku/python", "/srv/x", "https://a.example/x", "https://[", "\ud800", "\0"])
GOOD = st.sampled_from(["ab", "secret", "allow", "3m", "startup", "0 3 * * *", "/", "python"])
TEXT = st.one_of(
    GOOD, GOOD, GOOD, GOOD, WORDS, st.text(st.sampled_from("ab\n\0\ud800"), max_size=4)
)
ANY_JSON = json_values(KEYS, WORDS | st.text(ANYTHING, max_size=20))


def _object(**members: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Some of the members, as they should be; now and then something else."""
    proper = st.fixed_dictionaries({}, optional=members)
    return st.one_of(proper, proper, proper, ANY_JSON)


NAMES = st.one_of(
    *[st.sampled_from(["web", "A", "worker", "B"])] * 4,
    st.sampled_from(["a b", "PORT", "\n", "\ud800", ""]),
)
LIMITED = st.integers(1, 50) | st.integers(-1, 120) | st.integers() | TEXT
APP_JSON = _object(
    env=st.dictionaries(NAMES, TEXT | _object(value=TEXT, generator=TEXT, required=ANY_JSON)),
    formation=st.dictionaries(NAMES, _object(quantity=LIMITED)),
    scripts=_object(postdeploy=TEXT, dokku=_object(predeploy=TEXT, postdeploy=TEXT)),
    cron=st.lists(_object(command=TEXT, schedule=TEXT, name=TEXT, concurrency_policy=TEXT)),
    buildpacks=st.lists(_object(url=TEXT), max_size=LIST_MAX + 2),
    start_limit=LIMITED,
    healthchecks=st.dictionaries(
        NAMES,
        st.lists(
            _object(type=TEXT, path=TEXT, content=TEXT, attempts=LIMITED, timeout=LIMITED)
            | _object(
                type=TEXT, uptime=LIMITED, port=LIMITED, listening=ANY_JSON, command=ANY_JSON
            ),
            max_size=3,
        ),
        max_size=2,
    ),
)


def _assert_within_limits(content: bytes) -> None:
    """An app.json is refused with its place, or everything in it is within its limits."""
    try:
        found = parse_app_json(content)
    except PaasError as error:
        assert error.reference == "app-json"
        assert error.message.startswith("app.json")
        return
    for var in found.env:
        assert var_name(var.name) == var.name
        assert var.value is None or var_value(var.name, var.value) == var.value
    for kind in (*found.formation, *found.checks):
        assert process_type(kind) == kind
    assert all(0 <= quantity <= QUANTITY_MAX for quantity in found.formation.values())
    assert len(found.buildpacks) <= LIST_MAX
    commands = [found.predeploy, found.postdeploy, found.first_deploy]
    for command in [*commands, *(job.command for job in found.cron)]:
        assert command is None or 0 < len(command.strip().encode()) <= COMMAND_MAX_BYTES
        assert "\0" not in (command or "")
    assert all(job.schedule.isprintable() for job in found.cron)
    assert all(warning.isprintable() for warning in found.warnings)


@given(files(SYNTAX))
def test_any_app_json_is_read_or_refused(content: bytes) -> None:
    """Whatever is committed under that name."""
    _assert_within_limits(content)


@given(st.data())
def test_app_json_of_any_shape_is_read_or_refused(data: st.DataObject) -> None:
    """Its own names in any order, with values of any type."""
    _assert_within_limits(data.draw(rendered(data.draw(APP_JSON))).encode("utf-8", "replace"))


VAR_NAMES = st.sampled_from(["A", "B_1", "PORT", "1", ""])
RESULT = st.fixed_dictionaries(
    {},
    optional={
        "config_vars": st.dictionaries(VAR_NAMES, st.text(ANYTHING, max_size=9), max_size=3),
        "default_process_types": st.dictionaries(
            st.sampled_from(["web", "worker", "", "a b"]), st.text(ANYTHING, max_size=9)
        ),
        "static": st.dictionaries(
            st.sampled_from(["root", "fallback", "error_page"]), texts("a./ ~\\")
        ),
    },
) | json_values(
    st.sampled_from(["config_vars", "default_process_types", "static", "A"]),
    st.text(ANYTHING, max_size=9),
)


@given(RESULT, st.binary(max_size=20))
def test_any_result_of_a_build_is_read_or_refused(result: Any, label: bytes) -> None:
    """The build is the app's own code, so its result file may have anything in it."""
    content = label + b"\0" + json.dumps(result).encode() + b"\0"
    try:
        built = parse_result(content)
    except PaasError:
        return
    for kind, command in built.processes.items():
        assert process_type(kind) == kind
        assert 0 < len(command.encode()) <= COMMAND_MAX_BYTES
    for name, value in built.config.items():
        assert var_value(var_name(name), value.reveal()) == value.reveal()
