"""The one base class of expected failures."""

from __future__ import annotations


class PgaudienceError(Exception):
    """An expected failure: one line that says what is wrong, and a hint that says how to mend it.

    The command line prints both without a traceback and exits with status 1.
    """

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
