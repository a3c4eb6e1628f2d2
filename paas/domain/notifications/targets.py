"""Whom notifications go to. The URLs are secrets, and shown in part only."""

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from paas.domain.logs.drains import why_refused as why_no_drain
from paas.domain.values.errors import PaasError, usage_error
from paas.domain.values.secret import Secret

EVENTS = ("backup", "certificate", "crash-loop", "deploy-failed", "disk", "node")
# What is about the server, and not about an app.
OF_SERVER = frozenset({"disk", "node"})
TARGETS_MAX = 20
URL_MAX = 2_048
WEBHOOK, EMAIL = "webhook", "email"
SERVICES = {
    "slack": "slack",
    "discord": "discord",
    "tgram": "telegram",
    "ntfy": "ntfy",
    "ntfys": "ntfy",
}
# Webhook addresses that these services hand out themselves.
_SERVICE_HOSTS = {"hooks.slack.com": "slack", "discord.com": "discord", "discordapp.com": "discord"}
_PARAMETERS = ("channel", "mode", "priority", "tags", "thread", "to", "token", "topic")
_PARAMETER = rf"(?:{'|'.join(_PARAMETERS)})=[\w.,%+@-]*"
_QUERY = re.compile(rf"{_PARAMETER}(?:&{_PARAMETER})*")
_ADDRESS = re.compile(r"[\w.+-]{1,64}@[A-Za-z0-9.-]{1,253}")
_HINT = (
    "A webhook (https://...), mailto:ADDRESS, slack://, discord://, tgram://, ntfy:// or ntfys://: "
    "see docs/how-to/notifications.md."
)


@dataclass(frozen=True, slots=True)
class Target:
    """A place that is notified. app_id: None: of all apps and of the server itself.

    url: where. secret: what signs a webhook. events: of which kinds.
    """

    id: str
    app_id: int | None
    url: Secret
    secret: Secret
    events: tuple[str, ...]
    created_at: datetime

    @property
    def kind(self) -> str:
        """``webhook``, ``email``, or the name of the service."""
        return kind_of(self.url.reveal())

    @property
    def shown(self) -> str:
        """The URL without what may be a secret: all but scheme and host."""
        url = self.url.reveal()
        if self.kind == EMAIL:
            return f"mailto:****@{url.rpartition('@')[2]}"
        parts = urlsplit(url)
        if parts.scheme in ("http", "https"):
            return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/****"
        return f"{parts.scheme}://****"

    def wants(self, event: str, app_id: int | None) -> bool:
        """Whether it is to be told of such an event of that app (None: of the server)."""
        return event in self.events and self.app_id in (None, app_id)


def kind_of(url: str) -> str:
    """The kind of a URL. Raises usage errors, which do not repeat it."""
    if not 0 < len(url) <= URL_MAX or not url.isascii() or not url.isprintable() or " " in url:
        raise _bad(f"it must be of plain characters without blanks, at most {URL_MAX}")
    kind = _kind_of(url)
    _, mark, query = url.partition("?")
    # Others of apprise's would have it read a file, or fetch another URL.
    if kind not in (EMAIL, WEBHOOK) and mark and _QUERY.fullmatch(query) is None:
        raise _bad(f"of the parameters of {kind}, only {', '.join(_PARAMETERS)} are known")
    return kind


def _kind_of(url: str) -> str:
    scheme, _, rest = url.partition(":")
    if scheme == "mailto":
        if _ADDRESS.fullmatch(rest) is None:
            raise _bad("after mailto: there is one address, and nothing else")
        return EMAIL
    if scheme in SERVICES and rest.startswith("//") and len(rest) > len("//"):
        return SERVICES[scheme]  # what follows is a token as a rule, not a host
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise _bad("its host or port is not valid") from error
    if not parts.hostname or port == 0 or parts.fragment:
        raise _bad("it names no host, or port 0, or has a part after #")
    if parts.scheme not in ("http", "https"):
        raise _bad("nothing is sent by its scheme")
    return _SERVICE_HOSTS.get(parts.hostname, WEBHOOK)


def _bad(why: str) -> PaasError:
    return usage_error("notify-url", f"This URL cannot be notified: {why}.", _HINT)


def events_of(text: str | None) -> tuple[str, ...]:
    """Kinds of events, separated by commas; None: all. Raises usage errors."""
    if text is None:
        return EVENTS
    named = [one.strip() for one in text.split(",")]
    for one in named:
        if one not in EVENTS:
            raise usage_error(
                "notify-events",
                f"There is no kind of event {one[:40]!r}.",
                f"There are: {', '.join(EVENTS)}.",
            )
    return tuple(sorted(set(named)))


def new_target(target: Target, present: Sequence[Target], *, to_private: bool) -> Target:
    """Validate one beside the present ones of its app. to_private: see `why_refused`."""
    kind = kind_of(target.url.reveal())
    host = urlsplit(target.url.reveal()).hostname or ""
    try:
        why = why_refused(host, to_private=to_private) if kind != EMAIL else None
    except ValueError:
        why = None  # a name: its addresses are looked at when it is connected to
    if why is not None:
        raise usage_error("notify-address", f"Nothing can be sent to {host}: {why}.")
    if any(one.url == target.url for one in present):
        raise PaasError("notify-taken", f"{target.shown} is notified already.", "See: paas notify")
    if len(present) >= TARGETS_MAX:
        raise PaasError(
            "notify-many", f"At most {TARGETS_MAX} places can be notified.", "See: paas notify"
        )
    return target


def why_refused(address: str, *, to_private: bool) -> str | None:
    """Why nothing is sent to an IP address, or None if it is. Raises ValueError for a name.

    The server itself connects, and can reach what users cannot. to_private: allow private
    networks and this server (the setting notify_private); metadata services never.
    """
    if why := why_no_drain(address, to_server=to_private):
        return why
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    if not to_private and not (mapped or ip).is_global:
        return "it is in a private network"
    return None
