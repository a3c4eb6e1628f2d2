"""How long the web instances of an app may take until they answer: by hand, app.json, or server."""

import re
from dataclasses import dataclass

from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.names import shown

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600}


@dataclass(frozen=True, slots=True)
class StartLimit:
    """A limit in force. origin: where it comes from, in words."""

    seconds: float
    origin: str


@dataclass(frozen=True, slots=True)
class StartLimits:
    """Those of the server. default_s: start_limit_s; ceiling_s: max_start_limit_s."""

    default_s: float
    ceiling_s: float

    @property
    def highest_s(self) -> float:
        """What an app may ask for: the server's own default in any case."""
        return max(self.default_s, self.ceiling_s)

    def of(self, chosen: int | None, declared: int | None) -> StartLimit:
        """The limit for an app. chosen: by checks:set; declared: by app.json of the release.

        One that was allowed once, and no longer is, comes to the highest that is.
        """
        if chosen is not None:
            return StartLimit(min(chosen, self.highest_s), "checks:set")
        if declared is not None:
            return StartLimit(min(declared, self.highest_s), "app.json")
        return StartLimit(self.default_s, "the server's default")

    def allow(self, seconds: int, where: str) -> None:
        """Raise PaasError if it is above the ceiling. where: what asks for it."""
        if seconds > self.highest_s:
            raise PaasError(
                "start-limit-ceiling",
                f"{where} asks for a start limit of {seconds} s; on this server an app may take "
                f"{self.highest_s:g} s at most.",
                "Ask for less, or have the server's administrator raise max_start_limit_s in "
                "server.yml.",
            )


def parse_seconds(text: str) -> int:
    """``180s``, ``3m``, ``180``. Raises PaasError."""
    found = re.fullmatch(r"([0-9]{1,6})([smh]?)", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if seconds < 1:
        raise usage_error(
            "start-limit",
            f"{shown(text)} is not a time such as 90s or 3m.",
            "paas checks:set start-limit 180s",
        )
    return seconds
