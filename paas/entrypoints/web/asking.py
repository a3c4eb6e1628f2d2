"""Asks the gate for operations, within the limits of addresses and of guesses."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from paas.entrypoints.web import gate, guesses
from paas.entrypoints.web.guesses import Guesses
from paas.entrypoints.web.places import PER_ADDRESS, Places

# The references of errors of tokens that are not valid.
TOKEN_REFUSALS = frozenset({"token-form", "token-unknown", "token-expired"})


class Operate(Protocol):
    """Has the gate run an operation: see web.gate.operate. Raises FailedError or GateDownError."""

    def __call__(
        self, asked: Mapping[str, object], descriptors: tuple[int, int, int] | None = None
    ) -> gate.Value: ...


class TooManyError(Exception):
    """The gate is not asked. wait_s: after how long it would be, if that is known."""

    def __init__(self, words: str, wait_s: int | None = None) -> None:
        super().__init__(words)
        self.words = words
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Asking:
    """places: requests of each address. guesses: of tokens, at all entrances."""

    operate: Operate
    places: Places = field(default_factory=Places)
    guesses: Guesses = field(default_factory=Guesses)

    def ask(
        self, operation: str, arguments: Mapping[str, object], token: str, address: str
    ) -> gate.Value:
        """The answer to an operation. Raises TooManyError, FailedError or GateDownError."""
        if wait_s := self.guesses.wait_s(address, token):
            raise TooManyError(guesses.words(wait_s), wait_s)
        if not self.places.take(address):
            raise TooManyError(f"{PER_ADDRESS} requests come from your address already.")
        asked = {
            "operation": operation,
            "arguments": arguments,
            "token": token,
            "address": address,
        }
        try:
            answer = self.operate(asked)
            self.guesses.accepted(token)
        except gate.FailedError as failed:
            if failed.reference in TOKEN_REFUSALS:
                self.guesses.refused(address, token)
            raise
        finally:
            self.places.free(address)
        return answer
