"""An input file: found, told whether it is gzip, hashed, and its position known while it is read."""

from __future__ import annotations

import gzip
import hashlib
import io
import os
import shutil
import stat
import tempfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pgaudience.errors import PgaudienceError

GZIP_MAGIC = b"\x1f\x8b"
UTF8_MARK = b"\xef\xbb\xbf"
UTF16_MARKS = b"\xff\xfe", b"\xfe\xff"


class InputFile:
    """A file to read once: `stream` has its bytes, decompressed if they are gzip (told by content, not by name)."""

    def __init__(self, name: str, raw: BinaryIO) -> None:
        self.name = name
        self._raw = raw
        self._digest: bytes | None = None
        self.size: int | None = raw.seek(0, io.SEEK_END)
        raw.seek(0)
        self.is_gzip = raw.read(len(GZIP_MAGIC)) == GZIP_MAGIC
        raw.seek(0)
        self.stream = io.BufferedReader(gzip.GzipFile(fileobj=raw)) if self.is_gzip else raw

    def position(self) -> int:
        """Bytes read so far, of `size`."""
        return self._raw.tell()

    def digest(self) -> bytes:
        """SHA-256 of the content, decompressed, so that a file and its gzipped copy have the same.

        It takes one more pass over the file, the first time it is asked for; reading goes on where it was.
        """
        if self._digest is None:
            position = self._raw.tell()
            self._raw.seek(0)
            content = gzip.GzipFile(fileobj=self._raw) if self.is_gzip else self._raw
            with explained(self.name):
                self._digest = hashlib.file_digest(cast("io.BufferedReader", content), "sha256").digest()
            self._raw.seek(position)
        return self._digest

    def skip_mark(self) -> None:
        """Skip a byte order mark of UTF-8; raise PgaudienceError at one of UTF-16."""
        with explained(self.name):
            beginning = self.stream.read(len(UTF8_MARK))
            if beginning.startswith(UTF16_MARKS):
                raise PgaudienceError(
                    f"{self.name} is UTF-16, not UTF-8", f"convert it: iconv -f UTF-16 -t UTF-8 {self.name}"
                )
            if beginning != UTF8_MARK:
                self.stream.seek(0)

    def seekable(self) -> BinaryIO:
        """Give the decompressed bytes where one can jump about: in a temporary file if need be."""
        if not self.is_gzip:
            return self._raw
        copy = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the table)
        with explained(self.name):
            shutil.copyfileobj(self.stream, copy, 1 << 20)
        copy.seek(0)
        return copy

    def close(self) -> None:
        """Close the file; a spooled one is gone then."""
        self._raw.close()


def open_file(path: str | Path, stdin: BinaryIO) -> InputFile:
    """Open a file, or standard input for `-`; what is no regular file is first copied to a temporary one."""
    if str(path) == "-":
        return _spooled("standard input", stdin)
    try:
        raw = Path(path).open("rb")  # noqa: SIM115  (InputFile closes it)
    except OSError as error:
        raise PgaudienceError(
            f"cannot read {path}: {said_by(error)}", "name a readable file, or - for standard input"
        ) from error
    if stat.S_ISREG(os.fstat(raw.fileno()).st_mode):
        return InputFile(str(path), raw)
    with raw:
        return _spooled(str(path), raw)


def said_by(error: OSError) -> str:
    """Tell what the operating system says is wrong, or else Python."""
    return error.strerror or str(error)


def _spooled(name: str, stream: BinaryIO) -> InputFile:
    """Copy a stream that can be read only once, such as a pipe, to where one can go back."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (InputFile closes it)
    with explained(name):
        shutil.copyfileobj(stream, copy, 1 << 20)
    return InputFile(name, copy)


@contextmanager
def explained(name: str) -> Generator[None]:
    """Raise PgaudienceError where the bytes of a file cannot be had."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise PgaudienceError(f"{name} is damaged gzip: {error}", "fetch or compress the file again") from error
    except OSError as error:
        raise PgaudienceError(f"cannot read {name}: {said_by(error)}", "check the disk it is on") from error
