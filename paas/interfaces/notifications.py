"""Sending notifications, and remembering what was told."""

from collections.abc import Mapping
from typing import Protocol

from paas.domain.notifications.ledger import Ledger
from paas.domain.notifications.messages import Message


class Notifier(Protocol):
    """What sends."""

    def send(self, messages: Mapping[str, Message]) -> dict[str, str | None]:
        """Send each to the place of that id: why it could not be, None where it was.

        Raises PaasError if nothing can be sent at all.
        """


class Ledgers(Protocol):
    """What each place was told, by its id; a restart forgets nothing."""

    def read(self) -> dict[str, Ledger]: ...
    def write(self, ledgers: Mapping[str, Ledger]) -> None: ...
