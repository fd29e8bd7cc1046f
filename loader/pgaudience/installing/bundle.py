"""The files of sql/, in the order that their install.sql gives."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from alembic.script import ScriptDirectory

from pgaudience.resources import folder


@dataclass(frozen=True, slots=True)
class SqlFile:
    """One file of the bundle; `path` is relative to sql/."""

    path: str
    text: str

    @property
    def digest(self) -> str:
        """SHA-256 of its text."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_bundle(install: str) -> tuple[SqlFile, ...]:
    r"""Return the files that an install file (relative to sql/) includes by `\ir` lines."""
    script = folder("sql") / install
    files: list[SqlFile] = []
    for line in script.read_text().splitlines():
        command, _, name = line.partition(" ")
        if command != r"\ir":
            raise ValueError(f"{script}: a line that is no \\ir: {line!r}")
        path = script.parent / name
        files.append(SqlFile(path.relative_to(folder("sql")).as_posix(), path.read_text()))
    return tuple(files)


def bundle_digest(roles: Iterable[str], *, with_bi: bool) -> str:
    """SHA-256 of all that decides what an installation makes: the files, the newest migration, the roles."""
    digest = hashlib.sha256()
    files = [
        *read_bundle("install.sql"),
        *read_bundle("distributed/install.sql"),
        *(read_bundle("bi/install.sql") if with_bi else ()),
    ]
    newest = ScriptDirectory(str(folder("migrations"))).get_current_head()
    for part in [*(f"{file.path} {file.digest}" for file in files), f"migration {newest}", *roles]:
        digest.update(part.encode() + b"\n")
    return digest.hexdigest()
