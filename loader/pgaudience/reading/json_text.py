"""The text of JSON documents, read value by value as it comes."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any, Final, cast

from pgaudience.errors import PgaudienceError
from pgaudience.reading.files import InputFile
from pgaudience.reading.lines import LONGEST_LINE_BYTES
from pgaudience.reading.reasons import BOUNDLESS, DEEPEST_JSON, Reason

BLOCK_BYTES = 1 << 16
BATCH_CHARACTERS = 1 << 20
WHITE_SPACE: Final = " \t\r\n"

# As much of a text may belong to a token that is cut off: the longest is -Infinity.
_CUT_OFF = 16

_decoder = json.JSONDecoder(parse_float=Decimal)


def decode(text: str, place: int) -> tuple[object, int, Reason | None]:
    """Read the value that begins at a place, and say where it ends, and what is wrong with it if it can be read on.

    A number with a point or an exponent is a Decimal, so that no digit is lost. Raises JSONDecodeError where the text
    is no JSON, and RecursionError where it is nested too deep to be read.
    """
    try:
        value, end = _decoder.raw_decode(text, place)
    except json.JSONDecodeError:
        raise
    except (ValueError, ArithmeticError):  # a number beyond what Python reads
        value, end, fault = *_with_care().raw_decode(text, place), BOUNDLESS
    else:
        fault = None
    return value, end, fault


def _with_care() -> json.JSONDecoder:
    """Return a decoder that goes on behind numbers that cannot be read."""

    def read(convert: Any) -> Any:
        def number(text: str) -> object:
            try:
                return convert(text)
            except (ValueError, ArithmeticError):
                return None

        return number

    return json.JSONDecoder(parse_int=read(int), parse_float=read(Decimal))


def is_deep(value: object) -> bool:
    """Whether lists and objects are nested deeper than allowed, found layer by layer."""
    layer = [value]
    for _ in range(DEEPEST_JSON):
        layer = [inner for outer in layer for inner in _inside(outer)]
    return any(isinstance(inner, list | dict) for inner in layer)


def _inside(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return cast("dict[str, object]", value).values()
    return cast("list[object]", value) if isinstance(value, list) else ()


class JsonText:
    """The text of a document, of which only what is not read yet is kept.

    Bytes that are not UTF-8 become surrogates (PEP 383). `row` is the ordinal of the row that is being read. Raises
    PgaudienceError where the document is no JSON, and where a value is over 64 MB.
    """

    def __init__(self, file: InputFile) -> None:
        file.begin_text()
        self.row = 1
        self.read = 0  # characters
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._text = ""
        self._place = 0
        self._is_whole = False

    def peek(self) -> str:
        """Return the next character that is no white space, without taking it; nothing at the end."""
        while True:
            while self._place < len(self._text):
                if self._text[self._place] not in WHITE_SPACE:
                    return self._text[self._place]
                self._place += 1
            if self._is_whole:
                return ""
            self._extend()

    def take(self, expected: str) -> str:
        """Take the next character that is no white space, which has to be one of those expected; empty: the end."""
        found = self.peek()
        if found not in expected or not (found or not expected):
            raise self.broken(f"{' or '.join(expected) or 'the end'} expected")
        self._place += len(found)
        return found

    def value(self) -> tuple[object, str, Reason | None]:
        """Take a value, with its text as written, and what is wrong with it."""
        self.peek()
        while True:
            try:
                value, end, fault = decode(self._text, self._place)
            except json.JSONDecodeError as error:
                if self._is_whole or not self._may_be_cut_off(error):
                    raise self.broken(error.msg, error.pos) from error
            except RecursionError as error:
                raise self.broken(f"nested deeper than {DEEPEST_JSON}") from error
            else:
                if self._is_whole or end < len(self._text) - _CUT_OFF or not isinstance(value, int | float | Decimal):
                    return self._taken(value, end, fault)
            self._extend()

    def values(self) -> Iterator[tuple[object, str, Reason | None]]:
        """Take the values of a list, one by one."""
        self.take("[")
        if self.peek() == "]":
            self.take("]")
            return
        yield self.value()
        while self.take(",]") == ",":
            yield self.value()

    def names(self) -> Iterator[str]:
        """Take the names in an object; whoever asks for the next one has taken the value of the last."""
        self.take("{")
        if self.peek() == "}":
            self.take("}")
            return
        yield self._name()
        while self.take(",}") == ",":
            yield self._name()

    def position(self) -> int:
        """Bytes of the file read so far, as stored."""
        return self._file.position()

    def _name(self) -> str:
        if self.peek() != '"':
            raise self.broken("a name in quotes expected")
        name, _, _ = self.value()
        self.take(":")
        return str(name)

    def _taken(self, value: object, end: int, fault: Reason | None) -> tuple[object, str, Reason | None]:
        written = self._text[self._place : end]
        if written.count("[") + written.count("{") > DEEPEST_JSON and is_deep(value):
            raise self.broken(f"nested deeper than {DEEPEST_JSON}")
        self._place = end
        return value, written, fault

    def broken(self, what: str, place: int | None = None) -> PgaudienceError:
        """Say what is wrong with the document, and where."""
        place = self._place if place is None else place
        near = " ".join(self._text[max(place - 30, 0) : place + 30].split())
        return PgaudienceError(
            f"{self._file.name} is not valid JSON at row {self.row:,}: {what}" + (f", near {near}" if near else ""),
            "mend it there; if it has one object a line, name the format: --format jsonl",
        )

    def _may_be_cut_off(self, error: json.JSONDecodeError) -> bool:
        return error.msg.startswith("Unterminated string") or error.pos >= len(self._text) - _CUT_OFF

    def _extend(self) -> None:
        """Read on; by as much as is kept, so that a long value is not gone through too often."""
        rest = self._text[self._place :]
        if len(rest) > LONGEST_LINE_BYTES:
            raise PgaudienceError(
                f"{self._file.name} has a value over {LONGEST_LINE_BYTES >> 20} MB in row {self.row:,}",
                "is it JSON? if it has another format, name that with --format",
            )
        with self._file.explained():
            read = self._file.stream.read(max(BLOCK_BYTES, len(rest)))
        self._is_whole = not read
        new = self._decoder.decode(read, final=self._is_whole)
        self.read += len(new)
        self._text, self._place = rest + new, 0
