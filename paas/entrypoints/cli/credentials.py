"""What the lists of keys and tokens share: the last use, and until when they are valid."""

from datetime import datetime

from paas.domain.people.uses import LastUse


def use_data(last: LastUse) -> dict[str, object]:
    """For programs. Times in ISO 8601."""
    return {
        "last_used": last.use.at.isoformat() if last.use else None,
        "last_used_from": last.use.address if last.use else None,
        "not_used_since": last.not_since.isoformat() if last.not_since else None,
    }


def use_cells(last: LastUse) -> tuple[str, str]:
    """When, and from where."""
    if last.use is not None:
        return f"{last.use.at:%Y-%m-%d %H:%M}", last.use.address or ""
    return f"not since {last.not_since:%Y-%m-%d}" if last.not_since else "never", ""


def expiry_cell(expires: datetime | None, now: datetime) -> str:
    """Until when it is valid."""
    if expires is None:
        return "never"
    return "expired" if expires <= now else f"{expires:%Y-%m-%d}"
