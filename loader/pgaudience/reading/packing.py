"""What the bytes of a file are, told by how they begin: packed, in another encoding, or no text at all."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO, cast

from pgaudience.errors import PgaudienceError

HEAD_BYTES = 64

# What a spreadsheet has at its top, and a packed file has not.
SPREADSHEET_PARTS = {"[Content_Types].xml", "mimetype"}


@dataclass(frozen=True, slots=True)
class Packing:
    """A way to pack one file: how it begins, and its unpacked bytes."""

    name: str
    beginning: re.Pattern[bytes]
    unpack: Callable[[BinaryIO], BinaryIO]


def _unzip(raw: BinaryIO) -> BinaryIO:
    archive = zipfile.ZipFile(raw)
    return cast("BinaryIO", archive.open(_members(archive)[0]))


def _unxz(raw: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", lzma.LZMAFile(raw))


def _members(archive: zipfile.ZipFile) -> list[str]:
    return [name for name in archive.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]


PACKINGS = (
    Packing("gzip", re.compile(rb"\x1f\x8b"), lambda raw: cast("BinaryIO", gzip.GzipFile(fileobj=raw))),
    Packing("bzip2", re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)"), lambda raw: cast("BinaryIO", bz2.BZ2File(raw))),
    Packing("xz", re.compile(rb"\xfd7zXZ\0"), _unxz),
    Packing("zip", re.compile(rb"PK(\x03\x04|\x05\x06)"), _unzip),
)
PACKED_SUFFIXES = (".gz", ".bz2", ".xz", ".zip")
DAMAGES = (EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, zipfile.BadZipFile)

# How files begin that are no text in UTF-8, what they are, and what to do.
NOT_TEXT = (
    (rb"\xff\xfe\0\0|\0\0\xfe\xff|\0\0\0[^\0]|[^\0]\0\0\0", "UTF-32", "convert it: iconv -f UTF-32 -t UTF-8 {name}"),
    (rb"\xff\xfe|\xfe\xff|\0[^\0]|[^\0]\0", "UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 {name}"),
    (rb"\x28\xb5\x2f\xfd", "zstd", "unpack it: zstd -d {name}"),
    (rb"\x04\x22\x4d\x18", "lz4", "unpack it: lz4 -d {name}"),
    (rb"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it: 7z x {name}"),
    (rb"Rar!\x1a\x07", "a RAR archive", "unpack it: unrar x {name}"),
    (rb"PAR1", "Parquet", "name that with --format parquet"),
    (rb"PK\x03\x04|\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "a spreadsheet", "name that with --format xlsx"),
    (rb"SQLite format 3\0", "an SQLite database", 'ask it: --query "select …" --source sqlite:///{name}'),
    (rb"%PDF-", "a PDF", "export the table behind it as CSV"),
    (rb"\x1f\x8b|BZh[1-9]1AY|\xfd7zXZ\0", "packed twice", "unpack it"),
)


def packing_of(raw: BinaryIO) -> Packing | None:
    """Tell how a file is packed, by its first bytes; a spreadsheet is not, though it is a zip file."""
    head = _head(raw)
    packing = next((packing for packing in PACKINGS if packing.beginning.match(head)), None)
    if packing is not None and packing.name == "zip" and not SPREADSHEET_PARTS.isdisjoint(_names(raw)):
        return None
    return packing


def packed_name(raw: BinaryIO, name: str) -> str:
    """Give the name of the file in a zip file; raise PgaudienceError where it has none or several."""
    members = _members(zipfile.ZipFile(raw))
    if len(members) != 1:
        raise PgaudienceError(
            f"{name} is a zip file of {len(members)} files, not of one", "unzip it, and name the files"
        )
    return members[0]


def check_text(head: bytes, name: str) -> None:
    """Raise PgaudienceError where a file that begins so is no text in UTF-8."""
    for beginning, what, mend in NOT_TEXT:
        if re.match(beginning, head, re.DOTALL):
            raise PgaudienceError(f"{name} is {what}, not text in UTF-8", mend.format(name=name))


def _names(raw: BinaryIO) -> list[str]:
    names = zipfile.ZipFile(raw).namelist()
    raw.seek(0)
    return names


def _head(raw: BinaryIO) -> bytes:
    head = raw.read(HEAD_BYTES)
    raw.seek(0)
    return head
