"""Where the files that travel with the package are: inside the wheel, or in the checkout of an editable install."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_CHECKOUT = _PACKAGE.parent.parent


def folder(name: str) -> Path:
    """Return the folder `sql`, `migrations` or `examples`.

    Raises FileNotFoundError when the installation is incomplete.
    """
    for parent in (_PACKAGE, _CHECKOUT):
        if (parent / name).is_dir():
            return parent / name
    raise FileNotFoundError(f"this installation of pgaudience has no folder {name!r}")
