"""A value that is never shown by accident."""

from typing import Final


class Secret:
    """Text that prints as ``****``; ``reveal()`` is the only way to its content."""

    __slots__ = ("_text",)
    MASK: Final = "****"

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The content, for the one place that must have it."""
        return self._text

    def __repr__(self) -> str:
        return self.MASK

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._text == self._text

    def __hash__(self) -> int:
        return hash(self._text)
