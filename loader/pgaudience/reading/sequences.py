"""Timed events as texts: all that a user did in one session becomes one entry, in the order in which it was done."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pgaudience.errors import PgaudienceError
from pgaudience.reading.cleaning import Chunk
from pgaudience.reading.times import EPOCH, NO_TIME

EVENT_NAMES = ("entry", "seconds", "frequency")
SESSION_NAMES = ("weekday", "date", "time", "hour")
MOST_EVENTS = 1_000
"""A session of more becomes several texts."""

SEQUENCES_A_CHUNK = 10_000
SECOND = 1_000_000

_NAME = re.compile(r"\{([^{}]*)\}")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHAPE = "As in: '{weekday} {time}, Visits: {entry} ({seconds}s) → …'"


@dataclass(frozen=True, slots=True)
class SequenceTemplate:
    """How a session is told: what is said once, then `event` for each event, with `separator` between them.

    A session ends where the next event is another session's or, without sessions, more than `gap` microseconds later.
    """

    opening: str
    event: str
    separator: str
    gap: int | None

    @classmethod
    def of(cls, template: str, gap_minutes: float | None) -> SequenceTemplate:
        """Take a template apart: an event is all from {entry} to the last word before the … at its end.

        Raises PgaudienceError where it has not that form, or names something that events do not have.
        """
        told = template.rstrip().removesuffix("…").removesuffix("...")
        begins, ends = told.find("{entry}"), told.rfind("}") + 1
        if told == template.rstrip() or begins < 0:
            raise PgaudienceError(f"no template of a sequence: {template!r}", _SHAPE)
        for part, names in ((told[:begins], SESSION_NAMES), (told[begins:], EVENT_NAMES)):
            for name in _NAME.findall(part):
                if name not in names:
                    known = ", ".join(f"{{{each}}}" for each in (*SESSION_NAMES, *EVENT_NAMES))
                    raise PgaudienceError(
                        f"{{{name}}} cannot stand there in the template of a sequence",
                        f"There are {known}; those of an event come from {{entry}} on. {_SHAPE}",
                    )
        suffix, space, last = told[ends:].rstrip().rpartition(" ")
        suffix = suffix.rstrip() if space and last else ""
        separator = told[ends + len(suffix) :]
        gap = None if gap_minutes is None else round(gap_minutes * 60 * SECOND)
        return cls(told[:begins], told[begins:ends] + suffix, separator or " ", gap)

    def digest(self, content: bytes) -> bytes:
        """SHA-256 of some content told in this way: told otherwise, it is another source."""
        return sha256(content + repr(self).encode()).digest()

    def texts_of(self, chunks: Iterable[Chunk], source: str) -> Iterator[Chunk]:
        """Yield what a source holds as one entry a session; nothing is known of it before the last row is read.

        It holds some 30 bytes a row in memory, and each distinct text once.

        Raises PgaudienceError where a row says no time.
        """
        events = _Events()
        for chunk in chunks:
            events.add(chunk, source)
            rejected = chunk.rows - len(chunk.users)
            yield Chunk([], [], np.zeros(0), None, None, rejected, chunk.consumed)
        consumed = events.consumed
        users, texts, times = list[str](), list[str](), list[int]()
        for user, moments, entries, frequencies in events.sessions(self.gap):
            users.append(user)
            times.append(moments[0])
            texts.append(self._tell(moments, entries, frequencies))
            if len(users) == SEQUENCES_A_CHUNK:
                yield _chunk(users, texts, times, consumed)
                users, texts, times = list[str](), list[str](), list[int]()
        yield _chunk(users, texts, times, consumed)

    def _tell(self, times: list[int], entries: list[str], frequencies: list[float]) -> str:
        begun = EPOCH + timedelta(microseconds=times[0])
        once = {
            "weekday": _WEEKDAYS[begun.weekday()], "date": f"{begun:%Y-%m-%d}", "time": f"{begun:%H:%M}",
            "hour": str(begun.hour),
        }  # fmt: skip
        lengths = [(after - at) // SECOND for at, after in zip(times, [*times[1:], times[-1]], strict=True)]
        told = [
            _fill(self.event, {"entry": entry, "seconds": str(seconds), "frequency": f"{frequency:g}"})
            for entry, seconds, frequency in zip(entries, lengths, frequencies, strict=True)
        ]
        return _fill(self.opening, once) + self.separator.join(told)


class _Events:
    """The rows of a source, with numbers in place of texts."""

    def __init__(self) -> None:
        self._users, self._entries, self._sessions = dict[str, int](), dict[str, int](), dict[str | None, int]()
        self._parts = list[tuple[NDArray[np.int64], ...]]()
        self._frequencies = list[NDArray[np.float64]]()
        self.consumed = 0

    def add(self, chunk: Chunk, source: str) -> None:
        """Take the rows of a chunk."""
        self.consumed = chunk.consumed
        if not chunk.users:
            return
        if chunk.times is None:
            raise PgaudienceError(f"no column of {source} says when, so there are no sequences", "--occurred-at COLUMN")
        if (chunk.times == NO_TIME).any():
            raise PgaudienceError(
                f"some rows of {source} say no time, so nobody knows where in a sequence they belong",
                "Leave such rows out: --since 1900-01-01",
            )
        sessions = chunk.sessions or [None] * len(chunk.users)
        numbered = _number(self._users, chunk.users), _number(self._entries, chunk.entries)
        self._parts.append((numbered[0], _number(self._sessions, sessions), chunk.times, numbered[1]))
        self._frequencies.append(chunk.frequencies)

    def sessions(self, gap: int | None) -> Iterator[tuple[str, list[int], list[str], list[float]]]:
        """Yield the user, the times, the entries and the frequencies of each session, in the order of their times."""
        if not self._parts:
            return
        users, sessions, times, entries = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        frequencies = np.concatenate(self._frequencies)
        order = np.lexsort((np.arange(len(users)), times, sessions, users))
        users, sessions, times = users[order], sessions[order], times[order]
        entries, frequencies = entries[order], frequencies[order]
        begins = np.append(True, (np.diff(users) != 0) | (np.diff(sessions) != 0))
        if gap is not None:
            begins[1:] |= np.diff(times) > gap
        names, texts = list(self._users), list(self._entries)
        bounds = [*np.flatnonzero(begins).tolist(), len(users)]
        for first, end in pairwise(bounds):
            for start in range(first, end, MOST_EVENTS):
                stop = min(start + MOST_EVENTS, end)
                told: list[str] = [texts[number] for number in entries[start:stop].tolist()]
                yield names[users[start]], times[start:stop].tolist(), told, frequencies[start:stop].tolist()


def _number(numbers: dict[Any, int], texts: Sequence[object]) -> NDArray[np.int64]:
    return np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int64, count=len(texts))


def _fill(template: str, values: dict[str, str]) -> str:
    return _NAME.sub(lambda found: values[found[1]], template)


def _chunk(users: list[str], texts: list[str], times: list[int], consumed: int) -> Chunk:
    return Chunk(users, texts, np.ones(len(users)), np.array(times, dtype=np.int64), None, len(users), consumed)
