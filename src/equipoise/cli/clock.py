"""The time, which only the command line reads."""

from datetime import UTC, datetime

__all__ = ["now", "written"]


def now() -> datetime:
    """This moment in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0)


def written(moment: datetime) -> str:
    """A moment as ISO 8601 in UTC: `2027-03-01T09:00:00Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
