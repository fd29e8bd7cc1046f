"""Files that appear whole or not at all."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pgaudience.errors import PgaudienceError

WORLD_READABLE = 0o644
PRIVATE = 0o600


@contextmanager
def replacing(to: Path, mode: int = WORLD_READABLE) -> Generator[IO[bytes]]:
    """Write to a file that takes its place when the block ends well, and is never seen before.

    Raises PgaudienceError when the file cannot be written.
    """
    name = None
    try:
        handle, name = tempfile.mkstemp(prefix=f".{to.name}.", dir=to.parent)
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).chmod(mode)
        Path(name).replace(to)
    except OSError as error:
        raise PgaudienceError(f"{to} cannot be written: {error.strerror}") from error
    finally:
        if name is not None:
            Path(name).unlink(missing_ok=True)
