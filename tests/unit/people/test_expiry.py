"""Until when something is valid."""

from datetime import UTC, datetime, timedelta

import pytest

from paas.domain.people.expiry import Expiry, parse_choice, parse_expiry
from paas.domain.values.errors import PaasError

NOW = datetime(2026, 11, 29, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1h", NOW + timedelta(hours=1)),
        ("12h", NOW + timedelta(hours=12)),
        ("90d", NOW + timedelta(days=90)),
        ("4w", NOW + timedelta(weeks=4)),
        ("3650d", NOW + timedelta(days=3650)),
        ("2026-11-29", datetime(2026, 11, 30, tzinfo=UTC)),
        ("2027-01-31", datetime(2027, 2, 1, tzinfo=UTC)),
        ("2028-02-29", datetime(2028, 3, 1, tzinfo=UTC)),
    ],
)
def test_expiries(text: str, at: datetime) -> None:
    """A date is valid to its end."""
    assert parse_expiry(text, NOW) == at
    assert parse_choice(text, NOW) == Expiry(at)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0d", "has passed already"),
        ("2026-11-28", "has passed already"),
        ("0001-01-01", "has passed already"),
        ("522w", "more than ten years"),
        ("999999w", "more than ten years"),
        ("2036-12-31", "more than ten years"),
        ("9999-12-31", "There is no date"),
        ("2027-02-29", "There is no date"),
        ("2027-13-01", "There is no date"),
        *(
            (text, "neither hours, days or weeks, nor a date")
            for text in (
                *("", "90", "d", "-1d", "+1d", "1m", "1y", "90 d", "1d12h", "1.5d", "90D"),
                *(
                    "90d\n",
                    "٣d",
                    "2027-1-31",
                    "20270131",
                    "2027-01-31T10:00",
                    "tomorrow",
                    "1234567h",
                ),
            )
        ),
    ],
)
def test_what_is_none(text: str, why: str) -> None:
    """Each is refused with the reason, and with examples."""
    with pytest.raises(PaasError, match=why) as caught:
        parse_expiry(text, NOW)
    assert (caught.value.reference, caught.value.exit_code) == ("expiry", 2)
    assert "90d" in (caught.value.hint or "")


def test_never_is_a_choice_only() -> None:
    """For what may last for ever."""
    assert parse_choice("never", NOW) == Expiry(None)
    with pytest.raises(PaasError):
        parse_expiry("never", NOW)
