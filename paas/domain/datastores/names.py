"""The names of datastores, and those of their attachments to apps."""

import re
from collections.abc import Sequence, Set
from typing import NewType

from paas.domain.datastores.kinds import AttachmentName, DatastoreKind
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import VarName, shown

DatastoreName = NewType("DatastoreName", str)

# Heroku's colors.
COLORS = (
    *("AMBER", "AQUA", "BLACK", "BLUE", "BRONZE", "BROWN", "CHARCOAL", "COBALT", "COPPER"),
    *("CRIMSON", "CYAN", "GOLD", "GRAY", "GREEN", "IVORY", "JADE", "MAROON", "MAUVE", "NAVY"),
    *("OLIVE", "ONYX", "ORANGE", "PINK", "PUCE", "PURPLE", "RED", "ROSE", "SILVER", "TEAL"),
    *("VIOLET", "WHITE", "YELLOW"),
)
_SUFFIX = "_URL"
_NAME_MAX = 63


def variable(name: AttachmentName) -> VarName:
    """The config var of an attachment."""
    return VarName(f"{name}{_SUFFIX}")


def datastore_name(text: str) -> DatastoreName:
    """Validate the name of a datastore: a DNS label that begins with its kind."""
    if re.fullmatch(r"[a-z]{1,12}-[a-z0-9-]{1,40}[a-z0-9]", text) is None:
        raise usage_error(
            "datastore-name",
            f"{shown(text)} is not the name of a datastore, such as postgresql-curly-1234.",
            "List those of an app: paas addons -a APP",
        )
    return DatastoreName(text)


def attachment_name(text: str) -> AttachmentName:
    """Validate the name of an attachment: capitals, digits and underscores, without ``_URL``."""
    if re.fullmatch(r"[A-Z][A-Z0-9_]*", text) is None or len(text) > _NAME_MAX:
        raise usage_error(
            "attachment-name",
            f"{shown(text)} is not the name of an attachment: capital letters, digits and "
            f"underscores, starting with a letter, at most {_NAME_MAX}.",
            "For example: --as ANALYTICS, for the config var ANALYTICS_URL",
        )
    if text.endswith(_SUFFIX):
        raise usage_error(
            "attachment-name",
            f"{text} ends with {_SUFFIX}, which the name of the config var gets anyway.",
            f"Leave it out: --as {text.removesuffix(_SUFFIX)}",
        )
    return AttachmentName(text)


def scheme_of(kind: DatastoreKind, text: str) -> str:
    """Validate the scheme of a URL, by which libraries select a driver. Raises PaasError."""
    traits = kind.traits
    known = (traits.scheme, *sorted(traits.schemes))
    if text not in known:
        raise usage_error(
            "datastore-scheme",
            f"{shown(text)} is not a scheme of {traits.product}'s URLs: {', '.join(known)}.",
            f"Leave it out for {traits.scheme}.",
        )
    return text


def new_names(
    kind: DatastoreKind, taken: Set[str], wanted: AttachmentName | None
) -> list[AttachmentName]:
    """The names under which a datastore is attached.

    taken: names whose config vars the app has, attached or set by hand. wanted: the user's own
    name; without it, the first names of its kind that are free, or a color, or both. Raises
    PaasError.
    """
    if wanted is not None:
        return [refuse_taken(wanted, taken)]
    traits = kind.traits
    names = [name for name in traits.firsts if name not in taken]
    if names and not traits.always_colored:
        return names
    colored = (AttachmentName(f"{traits.color_prefix}{color}") for color in COLORS)
    color = next((name for name in colored if name not in taken), None)
    if color is None:
        raise PaasError(
            "no-color",
            "The app already has an attachment for every color.",
            "Name this one: --as NAME",
        )
    return [*names, color]


def refuse_taken(name: AttachmentName, taken: Set[str]) -> AttachmentName:
    """The name, if the app has no config var for it yet. Raises PaasError."""
    if name in taken:
        raise PaasError(
            "attachment-taken",
            f"The app already has the config var {variable(name)}.",
            f"Choose another name with --as, or remove it: paas config:unset {variable(name)}, "
            f"or paas addons:detach {name} if it is attached.",
        )
    return name


def names_of_vars(names: Sequence[str]) -> set[str]:
    """The attachment names to which these config vars would belong."""
    return {name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)}
