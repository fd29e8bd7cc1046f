"""Bytes into text of whole lines, block by block, so that a file of any size takes the same memory."""

from __future__ import annotations

import io
from collections.abc import Iterator

from pgaudience.errors import PgaudienceError
from pgaudience.reading.files import InputFile

BLOCK_BYTES = 1 << 22
LONGEST_LINE_BYTES = 1 << 26


def read_text(file: InputFile) -> Iterator[str]:
    """Read a text file as blocks of whole lines with their endings, about four megabytes at a time.

    Lines end with LF, CRLF or CR. Bytes that are not UTF-8 become surrogates (PEP 383), and so can be written back.

    Raises PgaudienceError for what is no text in UTF-8, and for a line over 64 MB: that is no file of lines.
    """
    file.begin_text()
    begun, size = list[bytes](), 0  # a line whose end is not read yet, in pieces
    while True:
        with file.explained():
            read = file.stream.read(BLOCK_BYTES)
        if not read:
            break
        if begun and begun[-1].endswith(b"\r"):  # may be half a CRLF
            size -= len(begun[-1])
            read = begun.pop() + read
        end = _end_of_last_line(read)
        if end:
            yield b"".join([*begun, read[:end]]).decode("utf-8", "surrogateescape")
            begun, size, read = [], 0, read[end:]
        begun.append(read)
        size += len(read)
        if size > LONGEST_LINE_BYTES:
            raise PgaudienceError(
                f"{file.name} has a line over {LONGEST_LINE_BYTES >> 20} MB",
                "is it a text file with line ends? if it has another format, name that with --format",
            )
    if size:
        yield b"".join(begun).decode("utf-8", "surrogateescape")


def lines_of(text: str) -> list[str]:
    """Cut a text into its lines, each with its ending."""
    return io.StringIO(text, newline="").readlines()


def _end_of_last_line(data: bytes) -> int:
    """Tell where the last whole line ends, 0 if none does. A CR at the very end may be half a CRLF."""
    return data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
