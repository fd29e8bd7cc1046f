"""Making what a server needs on disk: the home, the data folder, the socket's folder."""

from __future__ import annotations

import os
import secrets
import shutil
import stat
import sys
import tempfile
from pathlib import Path

from pgaudience.errors import PgaudienceError
from pgaudience.server.accounts import Account
from pgaudience.server.layout import USER, Layout, write_private

# Byte order for sorting everywhere; letters are Unicode's, from PostgreSQL itself where it brings them (17 on).
_LOCALE = ["--encoding=UTF8", "--locale=C", f"--lc-ctype={'en_US.UTF-8' if sys.platform == 'darwin' else 'C.UTF-8'}"]
_BUILTIN_LOCALE = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]

_ELSEWHERE = "set PGAUDIENCE_HOME to a folder of your own; it is created when missing"


def prepare_home(home: Path, account: Account) -> None:
    """Create the home when missing; nothing that exists is changed.

    Raises PgaudienceError when the home is somebody else's, or when the account cannot get there.
    """
    if account.demoted:
        _check_way(home, account)
    home.mkdir(mode=0o755 if account.demoted else 0o700, parents=True, exist_ok=True)
    status = home.stat()
    if status.st_uid != os.geteuid():
        raise PgaudienceError(f"{home} belongs to another user", _ELSEWHERE)
    if status.st_mode & stat.S_IWOTH:
        raise PgaudienceError(f"{home} can be written by everyone", _ELSEWHERE)


def _check_way(home: Path, account: Account) -> None:
    for folder in (*reversed(home.parents), home):
        if folder.exists() and not account.can_enter(folder):
            raise PgaudienceError(
                f"the server's system user cannot pass through {folder}",
                "set PGAUDIENCE_HOME to a folder every user can reach, such as /var/lib/pgaudience",
            )


def create_cluster(layout: Layout, account: Account, programs: Path, lock: int) -> None:
    """Run initdb unless there is a data folder; one that was cut short leaves nothing that matters."""
    if layout.data.exists():
        return
    if not layout.password_file.exists():
        write_private(layout.password_file, secrets.token_hex(24))
    partial = layout.data.with_name(f"{layout.data.name}.new")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(mode=0o700)
    account.own(partial)
    options = [f"--username={USER}", "--auth=scram-sha-256", "--pwfile=/dev/stdin", "--data-checksums", *_LOCALE]
    if layout.major >= 17:
        options += _BUILTIN_LOCALE
    # A nameless file as standard input: the password is never seen in a process list or under a path.
    with tempfile.TemporaryFile() as password:
        password.write(layout.password.encode())
        password.seek(0)
        if account.demoted:
            os.fchown(password.fileno(), account.uid, account.gid)
        result = account.run(
            [programs / "initdb", f"--pgdata={partial.name}", *options], cwd=layout.home, stdin=password, lock=lock
        )
    if result.returncode != 0:
        raise PgaudienceError(f"initdb failed in {layout.home}: {result.stderr.strip()}")
    partial.rename(layout.data)


def renew_socket_folder(layout: Layout, account: Account) -> None:
    """Make the socket's folder anew, for the account alone. Raises PgaudienceError when somebody squats it."""
    folder = layout.sockets
    if os.path.lexists(folder):
        status = folder.lstat()
        ours = stat.S_ISDIR(status.st_mode) and status.st_uid in (os.geteuid(), account.uid)
        if folder.parent != layout.home and not ours:
            raise PgaudienceError(
                f"{folder}, the folder of the server's socket, belongs to somebody else",
                "remove it, or set PGAUDIENCE_HOME to a shorter path",
            )
        shutil.rmtree(folder)
    folder.mkdir(mode=0o700)
    account.own(folder)
