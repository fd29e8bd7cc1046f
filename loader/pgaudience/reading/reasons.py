"""Why a row is rejected, and how its owner mends it."""

from __future__ import annotations

from dataclasses import dataclass

LONGEST_USER_BYTES = 1_000
LONGEST_ENTRY_BYTES = 1_000_000
LONGEST_ATTRIBUTE_BYTES = 1_000_000
LONGEST_ROW_BYTES = 1 << 26
LONGEST_RECORD_LINES = 1_000
LONGEST_NUMBER = 1_000
DEEPEST_JSON = 100

# Only the proportions of frequencies matter. Within these bounds neither sums of billions of them nor their squares
# leave the range of double precision.
SMALLEST_FREQUENCY = 1e-15
LARGEST_FREQUENCY = 1e15


@dataclass(frozen=True, slots=True)
class Reason:
    """What is wrong with a row, as it is counted and shown, and what mends it."""

    text: str
    mend: str


# In the order in which they are looked for: a row has the first that fits it.
MISQUOTED = Reason(
    "text after a closing quote",
    'quote the whole field and double the quotes inside it, as in "a 5"" disk"',
)
UNCLOSED_QUOTE = Reason(
    "quote never closed",
    f"close the quote; a row may run over at most {LONGEST_RECORD_LINES:,} lines",
)
BROKEN_JSON = Reason("not valid JSON", "write one JSON object a line")
DEEP_JSON = Reason(f"not valid JSON: nested deeper than {DEEPEST_JSON}", "write one flat object a line")
NOT_AN_OBJECT = Reason("not a JSON object", 'write each row as an object, as in {"user_id": …, "entry": …}')
NOT_A_LIST_OF_ENTRIES = Reason(
    "a user without an object or a list of entries",
    'write {"user": {"entry": frequency}} or {"user": ["entry", …]}',
)
LONG_ROW = Reason("a row over 64 MB", "shorten its texts")
OUT_OF_RANGE = Reason("a time outside the years 1 to 9999", "leave it blank where it stands for an unknown time")
BOUNDLESS = Reason(
    f"a number that is infinite or beyond {LONGEST_NUMBER:,} digits", "write it as a text if it is a name"
)
NESTED = Reason("a list or an object where one value belongs", "write one text or one number there")
NOT_UTF8 = Reason("not valid UTF-8", "convert the data to UTF-8, for example with iconv")
NUL = Reason("contains NUL", "remove the NUL characters: PostgreSQL cannot store them")
BLANK_USER = Reason("blank user", "fill in who did it")
BLANK_ENTRY = Reason("blank entry", "fill in the text of what was done")
BLANK_TEXT = Reason("no value for the template", "fill in one of its columns, or leave the row out")
BLANK_FREQUENCY = Reason("frequency is blank", "fill in how often, or leave the row out")
NOT_A_NUMBER = Reason("frequency is not a number", "write it as in 3, 0.5 or 1e3, without thousands separators")
NOT_POSITIVE = Reason("frequency is zero or negative", "leave returns and cancellations out, or sum them up first")
TOO_LARGE = Reason("frequency is beyond 1e15", "divide all of them by a constant: only proportions matter")
TOO_SMALL = Reason("frequency is below 1e-15", "multiply all of them by a constant: only proportions matter")
NOT_A_TIME = Reason(
    "occurred_at is not an ISO 8601 time",
    "write it as in 2026-05-31T12:30:00Z, or as seconds or milliseconds since 1970",
)
LONG_USER = Reason(f"user id longer than {LONGEST_USER_BYTES:,} bytes", "PostgreSQL cannot index it: shorten it")
LONG_ENTRY = Reason("entry longer than 1 MB", "shorten it: an embedding reads only its beginning anyway")
LONG_SESSION = Reason(f"session id longer than {LONGEST_USER_BYTES:,} bytes", "PostgreSQL cannot index it: shorten it")
LONG_ATTRIBUTE = Reason("attribute longer than 1 MB", "shorten it, or leave out its column")
NOT_A_VECTOR = Reason("not a list of numbers", "write it as in [0.12, -0.5, …]")
NOT_FINITE = Reason("a vector with a number that is not finite", "see what went wrong where it was made")
NO_LENGTH = Reason("a vector of zeros, which points nowhere", "leave it out")
PLACEHOLDER = Reason("a placeholder for a user or an entry", "without --reject-placeholders such rows are taken")


def wrong_width(found: int, expected: int) -> Reason:
    """Say that a row has another number of fields than the header."""
    fields = "field" if found == 1 else "fields"
    return Reason(f"{found} {fields}, {expected} expected", "quote the fields that hold the delimiter")
