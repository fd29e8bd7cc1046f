"""Files of vectors that were made elsewhere: of entries or of users, which the name of their column says."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.errors import PgaudienceError
from pgaudience.reading.columns import ENTRY_NAMES, USER_NAMES, Columns, find_named, guess, listed
from pgaudience.reading.faults import Faults, kept
from pgaudience.reading.files import open_file
from pgaudience.reading.formats import format_of, open_table
from pgaudience.reading.json_nested import NestedTable
from pgaudience.reading.reasons import NO_LENGTH, NOT_A_VECTOR, NOT_FINITE
from pgaudience.reading.rejects import Rejects
from pgaudience.reading.table import Batch, Table

Matrix = NDArray[np.float32]
Kind = Literal["entries", "users"]

VECTOR_NAMES = ("vector", "embedding", "vectors", "embeddings", "state", "values")


@dataclass(frozen=True, slots=True)
class Vectors:
    """Some thousand vectors, shape (n, dimensions), of unit length, and whose they are; `kind` is that of all."""

    kind: Kind
    texts: Sequence[str]
    matrix: Matrix


def read_vectors(
    path: str | Path, ids: str | Path | None, columns: Columns, dimensions: int, rejects: Rejects
) -> Iterator[Vectors]:
    """Read vectors from Parquet, JSON or JSON lines, or from the rows of an .npy file with a table of `ids` beside it.

    Whose they are stands in the column of the user or of the entry, named or guessed; a vector is a list of numbers. A
    row that is none, or holds what is not finite or zeros alone, is rejected. Raises PgaudienceError for vectors of
    another number of dimensions, and where the files do not fit each other.
    """
    rejects.spare(path)
    if (ids is not None) != (Path(path).suffix.lower() == ".npy"):
        raise PgaudienceError(
            "whose the rows of an .npy file are must be said, and of no other file",
            "As in: --vectors states.npy --ids users.csv",
        )
    return _of_array(path, ids, columns, dimensions, rejects) if ids else _of_table(path, columns, dimensions, rejects)


def _of_table(path: str | Path, columns: Columns, dimensions: int, rejects: Rejects) -> Iterator[Vectors]:
    file = open_file(path, sys.stdin.buffer)
    try:
        table = _flat(open_table(file, format_of(str(path))), file.name)
        kind, column = _whose(table.header, columns, file.name)
        vector = guess(VECTOR_NAMES, [name for name in table.header if name != column])
        if vector is None:
            raise PgaudienceError(
                f"no column of {file.name} looks like the vector; it has {listed(table.header)}",
                f"call it one of: {', '.join(VECTOR_NAMES)}",
            )
        for batch in table.batches([column, vector]):
            yield _clean(kind, batch, batch.columns[1], dimensions, rejects, file.name)
        rejects.flush()
    finally:
        file.close()


def _of_array(
    path: str | Path, ids: str | Path, columns: Columns, dimensions: int, rejects: Rejects
) -> Iterator[Vectors]:
    try:
        array = cast("NDArray[Any]", np.load(path, mmap_mode="r", allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise PgaudienceError(f"{path} is not readable as .npy: {str(error).splitlines()[0]}") from error
    if array.ndim != 2 or array.dtype.kind not in "fiu":
        raise PgaudienceError(
            f"{path} holds no numbers of the shape (rows, dimensions), but {array.dtype}{array.shape}"
        )
    file = open_file(ids, sys.stdin.buffer)
    try:
        table = _flat(open_table(file, format_of(str(ids))), file.name)
        kind, column = _whose(table.header, columns, file.name)
        done = 0
        for batch in table.batches([column]):
            if batch.rejected:
                raise PgaudienceError(f"{file.name}, line {batch.rejected[0].line}: {batch.rejected[0].reason.text}")
            rows = len(batch.columns[0])
            if done + rows > len(array):
                break
            yield _clean(kind, batch, array[done : done + rows], dimensions, rejects, file.name)
            done += rows
        else:
            rows = 0
        if done + rows != len(array):
            more = "more" if rows else f"{done:,}"
            raise PgaudienceError(f"{path} has {len(array):,} rows, {file.name} has {more}", "One id for each row.")
        rejects.flush()
    finally:
        file.close()


def _flat(table: Table, source: str) -> Table:
    if isinstance(table, NestedTable):
        raise PgaudienceError(
            f"{source} has no rows of vectors", 'write {"user_id": …, "vector": [0.1, …]} in each line'
        )
    return table


def _whose(header: Sequence[str], columns: Columns, source: str) -> tuple[Kind, str]:
    """Tell whether the rows are of users or of entries, and in which column these stand."""
    user = find_named(columns.user, "--user", header, source)
    entry = find_named(columns.entry, "--entry", header, source)
    if user is None and entry is None:
        user, entry = guess(USER_NAMES, header), guess(ENTRY_NAMES, header)
    if (user is None) == (entry is None):
        raise PgaudienceError(
            f"are the vectors of {source} those of users or of entries? it has {listed(header)}",
            "Name the column of their ids or texts with --user COLUMN or --entry COLUMN.",
        )
    return ("users", user) if user is not None else ("entries", cast(str, entry))


def _clean(
    kind: Kind, batch: Batch, values: Sequence[object] | Matrix, dimensions: int, rejects: Rejects, source: str
) -> Vectors:
    faults = Faults()
    texts = faults.texts(batch.columns[0])
    faults.mark_unstorable([texts])
    if kind == "users":
        faults.mark_users(texts, rejects)
    else:
        faults.mark_entries(texts, rejects)
    matrix, is_vector = _matrix(values, dimensions, lambda row: f"{source}, line {batch.written(row)[0]}")
    not_finite = ~np.isfinite(matrix).all(axis=1, keepdims=True)
    lengths = np.linalg.norm(np.where(not_finite, 0, matrix), axis=1, keepdims=True)
    faults.mark_where(~is_vector, NOT_A_VECTOR)
    faults.mark_where(not_finite.ravel(), NOT_FINITE)
    faults.mark_where((lengths == 0).ravel(), NO_LENGTH)
    stay = faults.settle(batch, rejects, source)
    good = slice(None) if stay is None else np.array(stay, dtype=np.bool_)
    found = Vectors(kind, kept(texts.values, stay), (matrix[good] / lengths[good]).astype(np.float32))
    rejects.accept(source, len(found.texts))
    return found


def _matrix(
    values: Sequence[object] | Matrix, dimensions: int, place: Callable[[int], str]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the vectors, and which rows are any; the others are zeros.

    Raises PgaudienceError at the first that has another number of dimensions, as then none of them fits.
    """
    if isinstance(values, np.ndarray):
        if len(values) and values.shape[1] != dimensions:
            raise _misfit(place(0), values.shape[1], dimensions)
        return values.astype(np.float64), np.ones(len(values), dtype=np.bool_)
    matrix = np.zeros((len(values), dimensions))
    is_vector = np.zeros(len(values), dtype=np.bool_)
    for row, value in enumerate(values):
        try:
            vector = np.array(value, dtype=np.float64) if isinstance(value, list) else None
        except (TypeError, ValueError):
            continue
        if vector is not None and vector.ndim == 1:
            if len(vector) != dimensions:
                raise _misfit(place(row), len(vector), dimensions)
            matrix[row], is_vector[row] = vector, True
    return matrix, is_vector


def _misfit(place: str, found: int, dimensions: int) -> PgaudienceError:
    return PgaudienceError(
        f"{place}: a vector has {found:,} dimensions, the space has {dimensions:,}",
        f"Make a space for these: migrate --of SPACE --model vectors --dimensions {found}",
    )
