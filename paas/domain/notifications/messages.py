"""What notifications say: in words for people, and as JSON for webhooks."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass

from paas.domain.notifications.ledger import News

LINES_MAX = 20
_WORDS_MAX = 400


@dataclass(frozen=True, slots=True)
class Message:
    """title: one line. text: a line or two for each trouble. problems, solved: for programs."""

    title: str
    text: str
    problems: tuple[tuple[str, str, str], ...] = ()
    solved: tuple[str, ...] = ()

    @property
    def plain(self) -> dict[str, object]:
        """As JSON."""
        return {
            "title": self.title,
            "text": self.text,
            "problems": [list(one) for one in self.problems],
            "solved": list(self.solved),
        }


def message_of(server: str, news: News) -> Message:
    """One message about all of it; of more than a few, how many more there are."""
    new, over = news.new[:LINES_MAX], news.over[:LINES_MAX]
    lines = [f"{_cut(one.words)}\n→ {one.next}" if one.next else _cut(one.words) for one in new]
    lines += [f"Over: {_cut(words)}" for words in over]
    if more := len(news.new) + len(news.over) - len(new) - len(over):
        lines.append(f"And {more} more: paas doctor")
    first = _cut(new[0].words if new else f"Over: {over[0]}", 100)
    count = len(news.new) + len(news.over)
    title = f"[{server}] {first}" if count == 1 else f"[{server}] {count} messages"
    return Message(
        title,
        "\n".join(lines),
        tuple((one.event, _cut(one.words), one.next) for one in new),
        tuple(map(_cut, over)),
    )


def trial_message(server: str) -> Message:
    """What tests a place."""
    return Message(f"[{server}] Test", "This is a test: notifications of this server arrive here.")


def _cut(words: str, most: int = _WORDS_MAX) -> str:
    one_line = " ".join(words.split())
    return one_line if len(one_line) <= most else f"{one_line[: most - 1]}…"


def webhook_body(target: str, delivery: str, at: str, message: dict[str, object]) -> bytes:
    """The body of a webhook, in the form of Heroku's.

    https://devcenter.heroku.com/articles/app-webhooks#receiving-webhooks
    """
    plain = {
        "action": "create",
        "actor": {"email": None, "id": None},
        "created_at": at,
        "data": message,
        "id": delivery,
        "previous_data": {},
        "published_at": at,
        "resource": "notification",
        "sequence": None,
        "updated_at": at,
        "version": "application/vnd.heroku+json; version=3",
        "webhook_metadata": {
            "attempt": {"id": delivery},
            "delivery": {"id": delivery},
            "event": {"id": delivery, "include": "notification"},
            "webhook": {"id": target},
        },
    }
    return json.dumps(plain).encode()


def signature(secret: str, body: bytes) -> str:
    """The header Heroku-Webhook-Hmac-SHA256."""
    return base64.b64encode(hmac.new(secret.encode(), body, hashlib.sha256).digest()).decode()
