"""Whose processes the server's are: the caller's own or, for root, an unprivileged system user's."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pgaudience.errors import PgaudienceError

SYSTEM_USER = "pgaudience"


@dataclass(frozen=True, slots=True)
class Account:
    """An account that runs PostgreSQL's programs and owns their files."""

    uid: int
    gid: int

    @property
    def demoted(self) -> bool:
        """Whether the account is another one than the caller's."""
        return self.uid != os.geteuid()

    def own(self, path: Path) -> None:
        """Give a file or folder the caller made to the account."""
        if self.demoted:
            os.chown(path, self.uid, self.gid)

    def run(
        self, command: Sequence[str | Path], *, cwd: Path, stdin: IO[bytes] | None = None, lock: int | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, in a session of its own and without the caller's environment and files.

        What it leaves running keeps the file descriptor `lock` open, so the lock tells whether any of it is alive.
        """
        kept = {name: os.environ[name] for name in ("PATH", "TZ") if name in os.environ}
        return subprocess.run(  # noqa: S603 - no shell; every program is PostgreSQL's or /bin/sh on a constant
            command,
            cwd=cwd,
            env={"PATH": os.defpath, **kept, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL if stdin is None else stdin,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            pass_fds=() if lock is None else (lock,),
            start_new_session=True,
            umask=0o077,
            user=self.uid if self.demoted else None,
            group=self.gid if self.demoted else None,
            extra_groups=[] if self.demoted else None,
        )

    def can_run(self, program: Path) -> bool:
        """Whether the account reaches the program and its libraries."""
        try:
            return self.run([program, "--version"], cwd=Path("/")).returncode == 0
        except PermissionError:
            return False

    def can_enter(self, folder: Path) -> bool:
        """Whether the account may pass through the folder."""
        return self.run(["/bin/sh", "-c", 'cd "$1"', "sh", folder], cwd=Path("/")).returncode == 0


def server_account(data: Path) -> Account:
    """Who runs the server of a data folder: the caller or, for root, the folder's owner, else the system user.

    The owner counts because a volume outlives the container whose system user had another number.
    """
    if os.geteuid() != 0:
        return Account(os.geteuid(), os.getegid())
    if data.exists():
        status = data.stat()
        return Account(status.st_uid, status.st_gid)
    return _system_user() or _created_system_user()


def _system_user() -> Account | None:
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def _created_system_user() -> Account:
    useradd = shutil.which("useradd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin")
    hint = f"create a system user named {SYSTEM_USER}, or run pgaudience as an ordinary user"
    if useradd is None:
        raise PgaudienceError("PostgreSQL does not run as root, and there is no useradd to create a user for it", hint)
    options = ["--system", "--user-group", "--no-create-home", "--shell", "/usr/sbin/nologin"]
    result = subprocess.run([useradd, *options, SYSTEM_USER], capture_output=True, text=True, check=False)  # noqa: S603
    # Another process may have created it in between: what counts is that it is there.
    if account := _system_user():
        return account
    raise PgaudienceError(f"useradd could not create the system user {SYSTEM_USER}: {result.stderr.strip()}", hint)
