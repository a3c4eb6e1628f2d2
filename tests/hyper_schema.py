"""Heroku's hyper-schema (JSON Schema, draft 4), as far as it describes answers.

Where it says ``strictProperties``, an object has all properties that it names, and no others.
"""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

_TYPES: Mapping[str, tuple[type, ...]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "null": (type(None),),
    "number": (int, float),
    "object": (dict,),
    "string": (str,),
}
# What this server has beyond the schema, as Heroku has it, too; and what is only Heroku's own.
EXTRA: Mapping[str, frozenset[str]] = {
    "account": frozenset(
        {"acknowledged_msa", "acknowledged_msa_at", "italian_customer_terms"}
        | {"italian_partner_terms"}
    ),
    "app": frozenset({"create_status", "current_build_architecture"}),
}
MISSING: Mapping[str, frozenset[str]] = {"app": frozenset({"organization"})}
_OWN_HOSTS = frozenset({"git_url", "web_url"})


class Schema:
    """The schema in a file."""

    def __init__(self, path: Path) -> None:
        self._root: dict[str, Any] = json.loads(path.read_text())

    def faults(self, resource: str, value: object) -> list[str]:
        """What is wrong with an object of that resource, each with its place."""
        schema = self._root["definitions"][resource]
        if isinstance(value, dict):
            extra = EXTRA.get(resource, frozenset())
            value = {name: one for name, one in value.items() if name not in extra}
            value |= dict.fromkeys(MISSING.get(resource, ()))
        return list(self._faults(schema, value, resource))

    def _faults(self, schema: Mapping[str, Any], value: object, place: str) -> Iterator[str]:
        while "$ref" in schema:
            schema = self._at(schema["$ref"])
        for one in ("anyOf", "oneOf"):
            if one in schema and all([*self._faults(s, value, place)] for s in schema[one]):
                yield f"{place}: fits none of {one}"
        kinds = schema.get("type", list(_TYPES))
        if not any(_is(kind, value) for kind in ([kinds] if isinstance(kinds, str) else kinds)):
            yield f"{place}: {value!r} is not of {kinds}"
            return
        if "enum" in schema and value not in schema["enum"]:
            yield f"{place}: {value!r} is none of {schema['enum']}"
        pattern = schema.get("pattern")
        is_own = place.rpartition(".")[2] in _OWN_HOSTS
        if pattern and isinstance(value, str) and not is_own and not re.search(pattern, value):
            yield f"{place}: {value!r} does not fit {pattern}"
        if isinstance(value, dict):
            yield from self._faults_of_object(schema, value, place)
        elif isinstance(value, list) and "items" in schema:
            for number, item in enumerate(value):
                yield from self._faults(schema["items"], item, f"{place}[{number}]")

    def _faults_of_object(
        self, schema: Mapping[str, Any], value: Mapping[str, object], place: str
    ) -> Iterator[str]:
        properties = schema.get("properties", {})
        if schema.get("strictProperties"):
            for name in sorted(properties.keys() ^ value.keys()):
                yield f"{place}.{name}: {'missing' if name in properties else 'unknown'}"
        for name in properties.keys() & value.keys():
            yield from self._faults(properties[name], value[name], f"{place}.{name}")

    def _at(self, reference: str) -> Mapping[str, Any]:
        found = self._root
        for word in reference.removeprefix("#/").split("/"):
            found = found[word]
        return found


def _is(kind: str, value: object) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, _TYPES[kind])
