"""Sends one notification: a webhook, a mail, or a message of one of the services.

Each raises SendError, whose text names no part of the URL, or OSError.
"""

import smtplib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from importlib import import_module
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from paas.adapters.logs.drain_sinks import SendError
from paas.domain.notifications.messages import signature, webhook_body
from paas.domain.notifications.targets import EMAIL, WEBHOOK, Target

LIMIT_S = 20.0
_ANSWER_MAX_BYTES = 65_536
# Of apprise: only these of its modules are imported; all of them take seconds.
_PLUGINS = {
    "slack": ("slack", "NotifySlack"),
    "discord": ("discord", "NotifyDiscord"),
    "telegram": ("telegram", "NotifyTelegram"),
    "ntfy": ("ntfy", "NotifyNtfy"),
}


@dataclass(frozen=True, slots=True)
class Mail:
    """The server that takes mails: ``smtps://user:password@host:465?from=paas@example.com``."""

    url: str

    def send(self, address: str, title: str, text: str) -> None:
        """Send one. Raises OSError or SendError."""
        parts = urlsplit(self.url)
        mail = EmailMessage()
        sender = parse_qs(parts.query).get("from", [f"paas@{parts.hostname}"])[0]
        mail["Subject"], mail["From"], mail["To"] = title, sender, address
        mail.set_content(text)
        encrypted = parts.scheme == "smtps"
        make = smtplib.SMTP_SSL if encrypted else smtplib.SMTP
        try:
            with make(
                parts.hostname or "", parts.port or (465 if encrypted else 587), timeout=LIMIT_S
            ) as server:
                if not encrypted and server.has_extn("starttls"):
                    server.starttls()
                if parts.username:
                    server.login(unquote(parts.username), unquote(parts.password or ""))
                server.send_message(mail)
        except smtplib.SMTPResponseException as error:
            raise SendError(f"the mail server answered {error.smtp_code}") from error
        except smtplib.SMTPException as error:
            raise SendError(f"the mail server refused it ({type(error).__name__})") from error


def load(kinds: set[str]) -> None:
    """Import what these take, while this process may still read it."""
    for kind in kinds & _PLUGINS.keys():
        _plugin(kind)
    if WEBHOOK in kinds:
        import requests  # noqa: F401 - it stays loaded


def deliver(target: Target, message: Mapping[str, Any], mail: Mail | None) -> None:
    """Send it. Raises OSError or SendError."""
    url, title, text = target.url.reveal(), str(message["title"]), str(message["text"])
    if target.kind == EMAIL:
        if mail is None:
            raise SendError("the setting smtp_url is not set")
        mail.send(url.removeprefix("mailto:"), title, text)
    elif target.kind == WEBHOOK:
        _post(target, dict(message))
    else:
        _by_service(target.kind, url, title, text)


def _post(target: Target, message: dict[str, object]) -> None:
    import requests

    delivery, at = str(uuid.uuid4()), f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    body = webhook_body(target.id, delivery, at, message)
    headers = {
        "Content-Type": "application/json",
        "Heroku-Webhook-Hmac-SHA256": signature(target.secret.reveal(), body),
        "User-Agent": "paas",
    }
    try:
        with requests.post(
            target.url.reveal(),
            data=body,
            headers=headers,
            timeout=LIMIT_S,
            allow_redirects=False,
            stream=True,
        ) as answer:
            answer.raw.read(_ANSWER_MAX_BYTES)
            status = answer.status_code
    except requests.RequestException as error:
        raise SendError(_reason(error)) from error
    if not 200 <= status < 300:
        raise SendError(f"it answered {status}")


def _reason(error: BaseException) -> str:
    """In a few words: what is at the bottom of it, without parts of the URL."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and not hasattr(cause, "request"):
            return cause.strerror or str(cause)
        cause = cause.__cause__ or cause.__context__ or getattr(cause, "reason", None)
    return type(error).__name__


def _by_service(kind: str, url: str, title: str, text: str) -> None:
    plugin = _plugin(kind)
    parsed = plugin.parse_native_url(url) if url.startswith("http") else plugin.parse_url(url)
    if not parsed:
        raise SendError("its URL lacks something that the service needs")
    try:
        sent = plugin(**parsed).notify(body=text, title=title)
    except (TypeError, ValueError) as error:
        raise SendError("its URL lacks something that the service needs") from error
    if not sent:
        raise SendError("the service did not take it")


def _plugin(kind: str) -> Any:
    module, name = _PLUGINS[kind]
    return getattr(import_module(f"apprise.plugins.{module}"), name)
