"""Rings of slots in a file: each slot has the time that it is of, and a checksum.

A slot that a crash tore, or that was of another time or process, counts as none.
"""

import os
import struct
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paas.domain.metrics.resolutions import RESOLUTIONS, Resolution

_HEAD = struct.Struct("<II")
_MOST = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Rings:
    """A ring of slots for each resolution, one behind the other from an offset on.

    numbers: how many a slot has, of 32 bits each. owner: whose they are; those of another are none.
    """

    fd: int
    offset: int
    numbers: int
    owner: int = 0

    @property
    def slot_bytes(self) -> int:
        """The size of one slot."""
        return slot_bytes(self.numbers)

    def read(self, resolution: Resolution, at: int) -> list[int] | None:
        """The numbers of the slot that begins at that time; None: it has none."""
        data = os.pread(self.fd, self.slot_bytes, self._place(resolution, at))
        return self._numbers(data, at)

    def write(self, resolution: Resolution, at: int, numbers: Sequence[int]) -> None:
        """Raises OSError."""
        body = struct.pack(f"<{self.numbers}I", *(min(one, _MOST) for one in numbers))
        data = _HEAD.pack(at, self._checksum(at, body)) + body
        os.pwrite(self.fd, data, self._place(resolution, at))

    def between(
        self, resolution: Resolution, start: int, end: int
    ) -> Iterator[tuple[int, list[int]]]:
        """The slots that begin in that time, in no order."""
        size, first = self.slot_bytes, self._first(resolution)
        data = os.pread(self.fd, size * resolution.slots, first)
        for place in range(0, len(data) - size + 1, size):
            at = _HEAD.unpack_from(data, place)[0]
            if start <= at < end:
                numbers = self._numbers(data[place : place + size], at)
                if numbers is not None:
                    yield at, numbers

    def _numbers(self, data: bytes, at: int) -> list[int] | None:
        if len(data) < self.slot_bytes:
            return None
        body = data[_HEAD.size :]
        if _HEAD.unpack_from(data) != (at, self._checksum(at, body)):
            return None
        return list(struct.unpack(f"<{self.numbers}I", body))

    def _checksum(self, at: int, body: bytes) -> int:
        return zlib.crc32(body, self.owner ^ at)

    def _first(self, resolution: Resolution) -> int:
        place = self.offset
        for one in RESOLUTIONS:
            if one == resolution:
                break
            place += self.slot_bytes * one.slots
        return place

    def _place(self, resolution: Resolution, at: int) -> int:
        slot = at // resolution.step_s % resolution.slots
        return self._first(resolution) + slot * self.slot_bytes


def slot_bytes(numbers: int) -> int:
    """The size of a slot of so many numbers."""
    return _HEAD.size + 4 * numbers


def rings_bytes(numbers: int) -> int:
    """The size of the rings of all resolutions."""
    return slot_bytes(numbers) * sum(one.slots for one in RESOLUTIONS)
