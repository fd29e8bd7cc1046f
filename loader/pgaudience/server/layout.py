"""What lies where in a home folder, and what its small files say."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from pgaudience.errors import PgaudienceError

USER = "pgaudience"
DATABASE = "pgaudience"

# A socket's whole path fits 103 bytes on macOS (107 on Linux); "/.s.PGSQL.65535" takes 15 of them.
_LONGEST_SOCKET_FOLDER = 88


def default_home() -> Path:
    """Return the server's home: PGAUDIENCE_HOME, else /var/lib/pgaudience for root, else the user's data folder."""
    if chosen := os.environ.get("PGAUDIENCE_HOME"):
        return Path(chosen).expanduser().absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/pgaudience")
    return Path(platformdirs.user_data_dir("pgaudience"))


def write_private(path: Path, text: str) -> None:
    """Write a file only its owner reads, whole or not at all."""
    partial = path.with_name(f"{path.name}.new")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


@dataclass(frozen=True, slots=True)
class Layout:
    """The files of one major version's server in a home folder."""

    home: Path
    major: int

    @property
    def data(self) -> Path:
        """PGDATA."""
        return self.home / f"data-{self.major}"

    @property
    def log(self) -> Path:
        """The server's log."""
        return self.home / f"server-{self.major}.log"

    @property
    def control_lock(self) -> Path:
        """Locked while a process starts or stops a server of this home."""
        return self.home / "control.lock"

    @property
    def process_lock(self) -> Path:
        """Locked as long as any process of this server lives, whatever became of the one that started it."""
        return self.home / f"server-{self.major}.lock"

    @property
    def password_file(self) -> Path:
        """The superuser's password, the same for every major version."""
        return self.home / "password"

    @property
    def port_file(self) -> Path:
        """The TCP port; no file, no TCP."""
        return self.home / f"port-{self.major}"

    @property
    def sockets(self) -> Path:
        """Folder of the unix socket; outside the home when the path is too long or libpq would split it."""
        inside = self.home / f"run-{self.major}"
        path = os.fsencode(inside)
        if len(path) <= _LONGEST_SOCKET_FOLDER and not set(path) & set(b',"'):
            return inside
        # The same for every process, which XDG_RUNTIME_DIR is not (cron, sudo, systemd).
        return Path("/tmp") / f"pgaudience-{hashlib.sha256(path).hexdigest()[:16]}"  # noqa: S108 - checked by owner

    @property
    def port(self) -> int | None:
        """The chosen TCP port, None without TCP."""
        try:
            return int(self.port_file.read_text())
        except FileNotFoundError:
            return None

    @property
    def socket_port(self) -> int:
        """The number in the socket's name."""
        return self.port or 5432

    @property
    def password(self) -> str:
        """The superuser's password. Raises PgaudienceError where no server was ever started."""
        try:
            return self.password_file.read_text()
        except FileNotFoundError:
            raise PgaudienceError(f"no embedded server was started in {self.home}", "run: pgaudience start") from None

    def write_port(self, port: int | None) -> None:
        """Keep the port for later starts; None: no TCP."""
        if port is None:
            self.port_file.unlink(missing_ok=True)
        else:
            write_private(self.port_file, str(port))
