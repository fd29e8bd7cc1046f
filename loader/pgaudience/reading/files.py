"""An input file: found, unpacked if it is packed, hashed, and its position known while it is read."""

from __future__ import annotations

import hashlib
import io
import os
import shutil
import stat
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

from pgaudience.errors import PgaudienceError
from pgaudience.reading.packing import DAMAGES, HEAD_BYTES, Packing, check_text, packed_name, packing_of

UTF8_MARK = b"\xef\xbb\xbf"


class InputFile:
    """A file to read once: `stream` has its bytes, unpacked if they are gzip, bzip2, xz or a zip file of one file.

    That is told by content, not by name; `member` is the name of the file in a zip file.
    """

    def __init__(self, name: str, raw: BinaryIO) -> None:
        self.name = name
        self._raw = raw
        self._digest: bytes | None = None
        self.size: int | None = raw.seek(0, io.SEEK_END)
        raw.seek(0)
        self._packing: Packing | None = None
        self.member: str | None = None
        with self.explained():
            self._packing = packing_of(raw)
            if self._packing is not None and self._packing.name == "zip":
                self.member = packed_name(raw, name)
            self.stream = self._unpacked()

    def position(self) -> int:
        """Bytes read so far, of `size`."""
        return self._raw.tell()

    def digest(self) -> bytes:
        """SHA-256 of the content, unpacked, so that a file and its packed copies have the same.

        It takes one more pass over the file, the first time it is asked for; reading goes on where it was.
        """
        if self._digest is None:
            position = self._raw.tell()
            self._raw.seek(0)
            with self.explained():
                content = cast("io.BufferedReader", self._unpacked())
                self._digest = hashlib.file_digest(content, "sha256").digest()
            self._raw.seek(position)
        return self._digest

    def begin_text(self) -> None:
        """Skip a byte order mark of UTF-8; raise PgaudienceError where the file is no text in UTF-8."""
        with self.explained():
            head = self.stream.read(HEAD_BYTES)
            check_text(head, self.name)
            self.stream.seek(len(UTF8_MARK) if head.startswith(UTF8_MARK) else 0)

    def seekable(self) -> BinaryIO:
        """Give the unpacked bytes where one can jump about: in a temporary file if need be."""
        if self._packing is None:
            return self._raw
        copy = tempfile.TemporaryFile()  # noqa: SIM115  (lives as long as the table)
        with self.explained():
            shutil.copyfileobj(self.stream, copy, 1 << 20)
        copy.seek(0)
        return copy

    def close(self) -> None:
        """Close the file; a spooled one is gone then."""
        self._raw.close()

    @contextmanager
    def explained(self) -> Generator[None]:
        """Raise PgaudienceError where the bytes of the file cannot be had."""
        packing = self._packing.name if self._packing else None
        try:
            yield
        except DAMAGES as error:
            raise self._damaged(error) from error
        except OSError as error:
            if packing and error.errno is None:
                raise self._damaged(error) from error
            raise _unreadable(self.name, error) from error
        except (NotImplementedError, RuntimeError) as error:  # an encrypted zip file, or one packed in another way
            if packing != "zip":
                raise
            raise PgaudienceError(f"{self.name} cannot be unzipped here: {error}", "unzip it yourself") from error

    def _damaged(self, error: Exception) -> PgaudienceError:
        packing = self._packing.name if self._packing else "zip"
        return PgaudienceError(f"{self.name} is damaged {packing}: {error}", "fetch or pack the file again")

    def _unpacked(self) -> BinaryIO:
        if self._packing is None:
            return self._raw
        return io.BufferedReader(cast("io.RawIOBase", self._packing.unpack(self._raw)))


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
        return _input_file(str(path), raw)
    with raw:
        return _spooled(str(path), raw)


def said_by(error: OSError) -> str:
    """Tell what the operating system says is wrong, or else Python."""
    return error.strerror or str(error)


def _spooled(name: str, stream: BinaryIO) -> InputFile:
    """Copy a stream that can be read only once, such as a pipe, to where one can go back."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115  (InputFile closes it)
    try:
        shutil.copyfileobj(stream, copy, 1 << 20)
    except OSError as error:
        raise _unreadable(name, error) from error
    return _input_file(name, copy)


def _input_file(name: str, raw: BinaryIO) -> InputFile:
    try:
        return InputFile(name, raw)
    except BaseException:
        raw.close()
        raise


def _unreadable(name: str, error: OSError) -> PgaudienceError:
    return PgaudienceError(f"cannot read {name}: {said_by(error)}", "check the disk it is on")
