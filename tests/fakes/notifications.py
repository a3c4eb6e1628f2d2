"""A notifier that keeps what it is told to send."""

from collections.abc import Mapping

from paas.domain.notifications.messages import Message


class KeptNotifications:
    """`Notifier`. sent: by the place's id. failures: why places cannot be notified."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, Message]] = []
        self.failures: dict[str, str] = {}

    def send(self, messages: Mapping[str, Message]) -> dict[str, str | None]:
        self.sent += [(id, one) for id, one in messages.items() if id not in self.failures]
        return {id: self.failures.get(id) for id in messages}
