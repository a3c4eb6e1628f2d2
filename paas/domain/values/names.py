"""Names from outside, each validated once into its own type; refused, never repaired."""

import re
from typing import NewType

from paas.domain.values.errors import PaasError, usage_error

AppName = NewType("AppName", str)
UserName = NewType("UserName", str)
ProcessType = NewType("ProcessType", str)
VarName = NewType("VarName", str)
BranchName = NewType("BranchName", str)

APP_NAME_MAX = 30
RESERVED_APP_NAMES = frozenset(
    {"root", "admin", "git", "www", "paas", "api", "dashboard", "localhost", "status", "mail"}
)

# As who the platform itself is recorded: for a release that it went back to, for a run of a job.
PLATFORM_USER = "paas"
CRON_USER = "cron"
# The operator is recorded as root: no user may look like them, or like the platform.
RESERVED_USER_NAMES = frozenset({"root", PLATFORM_USER, CRON_USER})

# Set by the platform for each instance; a config var of that name could only do harm.
RESERVED_VARS = {
    "PORT": "the platform gives every instance a port of its own",
}
VAR_NAME_MAX = 200
# Compiled here, once: each command is a fork of a process that has imported this.
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_APP_NAME = re.compile(r"[a-z](?:[a-z0-9-]{0,28}[a-z0-9])?")
_USER_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,31})")
_PROCESS_TYPE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,62})")
_VAR_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
VAR_VALUE_MAX_BYTES = 65_536


def is_app_name(text: str) -> bool:
    """Whether a text has the form of an app's name: a DNS label that starts with a letter."""
    return _APP_NAME.fullmatch(text) is not None


def app_name(text: str) -> AppName:
    """Validate an app's name: a DNS label of at most 30 characters that starts with a letter."""
    if not is_app_name(text):
        raise usage_error(
            "app-name",
            f"{shown(text)} is not an app name: 1 to {APP_NAME_MAX} lowercase letters, digits and "
            "dashes, starting with a letter and not ending with a dash.",
        )
    if text in RESERVED_APP_NAMES:
        raise usage_error("app-name-reserved", f"The name {text!r} is reserved: choose another.")
    return AppName(text)


def user_name(text: str) -> UserName:
    """Validate a user's name: lowercase letters, digits, ``.``, ``_`` and ``-``, at most 32."""
    if _USER_NAME.fullmatch(text) is None:
        raise usage_error(
            "user-name",
            f"{shown(text)} is not a user name: 1 to 32 lowercase letters, digits, dots, "
            "underscores and dashes, starting with a letter or digit.",
        )
    if text in RESERVED_USER_NAMES:
        raise usage_error("user-name-reserved", f"The name {text!r} is reserved: choose another.")
    return UserName(text)


def process_type(text: str) -> ProcessType:
    """Validate a process type: letters, digits, ``_`` and ``-``, at most 63 (Heroku's rule)."""
    if _PROCESS_TYPE.fullmatch(text) is None:
        raise usage_error(
            "process-type",
            f"{shown(text)} is not a process type: 1 to 63 letters, digits, dashes and "
            "underscores, starting with a letter or digit.",
        )
    return ProcessType(text)


def var_name(text: str) -> VarName:
    """Validate the name of a config var: a shell variable's name (POSIX 2018, 3.235)."""
    if _VAR_NAME.fullmatch(text) is None or len(text) > VAR_NAME_MAX:
        raise usage_error(
            "config-name",
            f"{shown(text)} is not a config var's name: letters, digits and underscores, "
            f"not starting with a digit, at most {VAR_NAME_MAX}.",
        )
    if text in RESERVED_VARS:
        raise usage_error("config-reserved", f"{text} cannot be set: {RESERVED_VARS[text]}.")
    return VarName(text)


def var_value(name: VarName, text: str) -> str:
    """Validate a config var's value: any text without NUL, at most 64 KiB in UTF-8."""
    if "\0" in text:
        raise usage_error("config-value", f"The value of {name} contains a NUL character.")
    try:
        size_bytes = len(text.encode("utf-8", "surrogateescape"))
    except UnicodeEncodeError as error:
        raise usage_error(
            "config-value", f"The value of {name} contains half a surrogate pair."
        ) from error
    if size_bytes > VAR_VALUE_MAX_BYTES:
        raise usage_error(
            "config-value",
            f"The value of {name} is {size_bytes} bytes long; the limit is {VAR_VALUE_MAX_BYTES}.",
        )
    return text


def branch_name(text: str) -> BranchName:
    """Validate a branch's name: a careful subset of git-check-ref-format(1)."""
    good = re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,99})", text) is not None
    if not good or ".." in text or "//" in text or text.endswith((".", "/", ".lock")):
        raise usage_error("branch-name", f"{shown(text)} is not a branch name that paas accepts.")
    return BranchName(text)


def shown(text: str) -> str:
    """A user's text, quoted and shortened for a message; control characters come out escaped."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def printable(text: str) -> str:
    """A text that moves no cursor and ends no line: control characters shown escaped."""
    return "".join(c if c.isprintable() or c == "\t" else repr(c)[1:-1] for c in text)


def plain_output(line: str) -> str:
    """A line that a program printed, without its colours, and printable."""
    return printable(_COLOUR.sub("", line))


def assignment(text: str) -> tuple[VarName, str]:
    """Split ``NAME=value`` (the value may hold more ``=``) and validate both."""
    name, equals, value = text.partition("=")
    if not equals:
        raise PaasError(
            "config-assignment",
            f"{shown(text)} is not of the form NAME=value.",
            "For example: GREETING=hello",
            exit_code=2,
        )
    valid = var_name(name)
    return valid, var_value(valid, value)
