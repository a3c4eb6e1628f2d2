"""What a place was told: each trouble once, at most once an hour, and when it is over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from paas.domain.server.alarms import Trouble

AGAIN_S = 3_600.0
# After a failure to send.
RETRY_S = 600.0
# Of one place; what is beyond is told in number only.
KEPT_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """A trouble that was told. at: when (Unix time). mark: see `Trouble`. lasts: until now."""

    at: float
    words: str
    mark: str = ""
    lasts: bool = True


@dataclass(frozen=True, slots=True)
class News:
    """What is to be told now: new troubles, the words of those that are over."""

    new: Sequence[Trouble]
    over: Sequence[str]

    def __bool__(self) -> bool:
        return bool(self.new or self.over)


@dataclass(frozen=True, slots=True)
class Ledger:
    """Of one place. retry_at: not before that, since sending failed."""

    told: Mapping[str, Told] = field(default_factory=dict)
    retry_at: float = 0.0

    def news(self, troubles: Sequence[Trouble], now: float) -> News:
        """What it was not told yet."""
        if now < self.retry_at <= now + RETRY_S:
            return News((), ())
        present = {one.key for one in troubles}
        new = [one for one in troubles if self._is_new(one, now)]
        over = [one.words for key, one in self.told.items() if one.lasts and key not in present]
        return News(new, over)

    def _is_new(self, trouble: Trouble, now: float) -> bool:
        told = self.told.get(trouble.key)
        if told is None:
            return True
        if told.lasts and told.mark == trouble.mark:
            return False
        return not told.at <= now < told.at + AGAIN_S

    def after(self, news: News, troubles: Sequence[Trouble], now: float) -> "Ledger":
        """The same once that was told."""
        present = {one.key for one in troubles}
        kept = {
            key: Told(one.at, one.words, one.mark, one.lasts and key in present)
            for key, one in self.told.items()
            if key in present or now < one.at + AGAIN_S
        }
        kept |= {one.key: Told(now, one.words, one.mark) for one in news.new}
        newest = sorted(kept.items(), key=lambda item: item[1].at)[-KEPT_MAX:]
        return Ledger(dict(newest))

    def failed(self, now: float) -> "Ledger":
        """The same once it could not be told."""
        return Ledger(self.told, now + RETRY_S)
