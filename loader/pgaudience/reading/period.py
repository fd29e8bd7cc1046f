"""A period of time, of which alone the activity counts."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from pgaudience.errors import PgaudienceError
from pgaudience.reading.cleaning import Chunk
from pgaudience.reading.times import BAD_TIME, NO_TIME, to_micros


@dataclass(frozen=True, slots=True)
class Period:
    """From `since` on and before `until`, in microseconds since 1970-01-01 UTC; None is open."""

    since: int | None = None
    until: int | None = None

    @classmethod
    def of(cls, since: str | None, until: str | None) -> Period | None:
        """Return the period between two times as people write them; None if there is neither.

        Raises PgaudienceError for what is no time, and where the end is not after the beginning.
        """
        if since is None and until is None:
            return None
        period = cls(_micros(since), _micros(until))
        if period.since is not None and period.until is not None and period.since >= period.until:
            raise PgaudienceError(f"--since {since} is not before --until {until}")
        return period

    def within(self, chunk: Chunk) -> Chunk:
        """Return the rows of a chunk that are in the period; a row without a time is not."""
        if chunk.times is None:
            raise PgaudienceError(
                "a period is asked for, and no column says when",
                "Name it: --occurred-at COLUMN; or leave out the period.",
            )
        stays = chunk.times != NO_TIME
        if self.since is not None:
            stays &= chunk.times >= self.since
        if self.until is not None:
            stays &= chunk.times < self.until
        return chunk if stays.all() else chunk.only(stays.tolist())

    def digest(self, content: bytes) -> bytes:
        """SHA-256 of some content in this period: another period of a file is another source."""
        return sha256(content + f"{self.since} {self.until}".encode()).digest()


def _micros(text: str | None) -> int | None:
    if text is None:
        return None
    found = int(to_micros([text])[0])
    if found in (NO_TIME, BAD_TIME):
        raise PgaudienceError(f"{text!r} is not a time", "Write it as 2026-05-31 or 2026-05-31T12:00:00Z.")
    return found
