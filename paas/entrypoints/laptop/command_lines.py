"""How a command is typed, as the client on a laptop knows it; and the options of several."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CommandLine:
    """How a command is typed. usage: its arguments, without options."""

    name: str
    usage: str
    summary: str
    options: tuple[str, ...] = ()


APP = ("-a", "--app")
JSON = ("--json",)
TABLE = ("--json", "--wide")
