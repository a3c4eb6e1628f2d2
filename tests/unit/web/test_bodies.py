"""Bodies of requests: in pieces, unpacked, and never larger than they may be."""

import gzip
import io

import pytest

from paas.entrypoints.web.bodies import BodyError, pieces
from paas.entrypoints.web.places import Places


def read(data: bytes, limit_bytes: int, *, gzipped: bool = False) -> bytes:
    """The whole of a body."""
    return b"".join(pieces(io.BytesIO(data), limit_bytes=limit_bytes, gzipped=gzipped))


def test_a_body_up_to_its_limit() -> None:
    """Packed or not, it is what is in it that counts."""
    data = bytes(range(256)) * 1024
    assert read(data, len(data)) == data
    assert read(gzip.compress(data), len(data), gzipped=True) == data
    for packed, gzipped in ((data, False), (gzip.compress(data), True)):
        with pytest.raises(BodyError, match="too large"):
            read(packed, len(data) - 1, gzipped=gzipped)


def test_a_body_that_unpacks_to_a_huge_one() -> None:
    """It is unpacked no further than its limit."""
    bomb = gzip.compress(bytes(64 * 1024**2))
    assert len(bomb) < 100_000
    with pytest.raises(BodyError, match="too large"):
        read(bomb, 1024**2, gzipped=True)


# gzip writes the time into its header, and a test has the same name in each worker.
CUT = gzip.compress(b"x" * 999)[:-9]


@pytest.mark.parametrize("data", [b"no gzip", b"", CUT], ids=["no gzip", "empty", "cut"])
def test_a_body_that_is_not_what_it_says(data: bytes) -> None:
    """It is no gzip, or ends too early."""
    with pytest.raises(BodyError):
        read(data, 10_000, gzipped=True)


def test_an_address_has_a_share() -> None:
    """Another one has its own; a place that is free again can be taken."""
    places = Places(share=2)
    assert [places.take("a") for _ in range(3)] == [True, True, False]
    assert places.take("b")
    places.free("a")
    assert places.take("a")
