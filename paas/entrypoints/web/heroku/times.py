"""Times as Heroku writes them: ISO 8601, in UTC, with a Z."""

from datetime import UTC, datetime

# Of what has always been there.
BEGINNING = "2000-01-01T00:00:00Z"


def time(text: str | None) -> str | None:
    """One of the platform's times."""
    if text is None:
        return None
    return f"{datetime.fromisoformat(text).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
