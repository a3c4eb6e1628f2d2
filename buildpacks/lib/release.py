"""Read the output of a buildpack's bin/release, as the app's uid, and print the part that is used.

Usage: release.py YAML_DIRECTORY. Standard input: YAML, or JSON, which needs no library and is read
faster. Standard output: JSON of config_vars, default_process_types and static, each a mapping of
strings. No value is interpreted: a number is its literal text, however many digits it has.
Exit status 1, with the reason as a sentence on standard error, if it cannot be used.
https://devcenter.heroku.com/articles/buildpack-api#bin-release
"""

import json
import sys
from typing import Any

MAX_BYTES = 65_536
DEPTH_MAX = 32
SECTIONS = ("config_vars", "default_process_types", "static")
NOTHING = ("", "~", "null")


def from_yaml(text: str, directory: str) -> Any:
    """The document with every scalar as a string."""
    sys.path.insert(0, directory)
    import yaml

    try:
        depth = 0
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            depth += isinstance(event, yaml.CollectionStartEvent)
            depth -= isinstance(event, yaml.CollectionEndEvent)
            if depth > DEPTH_MAX:
                raise ValueError(f"it is nested deeper than {DEPTH_MAX} levels")
        return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506 - it makes only strings
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f", line {mark.line + 1}" if mark else ""
        raise ValueError(f"it is not valid YAML{where}") from error


def parse(content: bytes, directory: str) -> dict[str, dict[str, str]]:
    """The sections. Raises ValueError with the problem."""
    if len(content) > MAX_BYTES:
        raise ValueError(f"it is larger than {MAX_BYTES} bytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8 text") from error
    try:
        found = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (json.JSONDecodeError, RecursionError):
        found = from_yaml(text, directory)
    if not isinstance(found, dict):
        return {}
    return {name: section(name, found[name]) for name in SECTIONS if name in found}


def section(name: str, value: Any) -> dict[str, str]:
    """One mapping of strings."""
    if value is None or value in NOTHING:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"{name} is not a mapping")  # noqa: TRY004 - one class for all
    return {key: scalar(name, key, item) for key, item in value.items() if item is not None}


def scalar(name: str, key: object, value: Any) -> str:
    """One string."""
    if not isinstance(key, str) or not isinstance(value, str | bool):
        raise ValueError(f"{name} must map names to strings")  # noqa: TRY004
    return str(value).lower() if isinstance(value, bool) else value


def main() -> int:
    """Read standard input up to the limit."""
    try:
        found = parse(sys.stdin.buffer.read(MAX_BYTES + 1), sys.argv[1])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    # ASCII only, so that it can have no NUL and no partial character.
    print(json.dumps(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
