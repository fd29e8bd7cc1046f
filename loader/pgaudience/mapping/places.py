"""Maps without axes: a sample is arranged, all others are placed beside the nearest of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from psycopg.sql import SQL

from pgaudience.database import Connection
from pgaudience.errors import PgaudienceError
from pgaudience.mapping.points import read_sample, read_vectors
from pgaudience.mapping.tsne import arrange, place_beside
from pgaudience.progress import progress

Matrix = NDArray[np.float64]
Keys = NDArray[np.int64]
Flags = NDArray[np.bool_]

LEAST_POINTS = 10

_FORMER = {
    "users": SQL("""
        select p.user_key, p.x, p.y
        from maps m
        join user_places p using (map_id)
        where (m.relation, m.method) = ('users', 'tsne') and p.user_key = any (%s)"""),
    "entries": SQL("""
        select p.entry_key, p.x, p.y
        from maps m
        join entry_places p using (map_id)
        where (m.relation, m.method) = ('entries', 'tsne') and p.entry_key = any (%s)"""),
}
_FORGET = {
    "users": SQL("delete from user_places where map_id = %s"),
    "entries": SQL("delete from entry_places where map_id = %s"),
}
_STORE = {
    "users": SQL("copy user_places (map_id, user_key, x, y, is_fitted) from stdin"),
    "entries": SQL("copy entry_places (map_id, entry_key, x, y, is_fitted) from stdin"),
}


@dataclass(frozen=True, slots=True)
class Arranged:
    """Where all users or entries were placed; `sample` are others than those that were arranged, if there are."""

    relation: str
    keys: Keys
    places: Matrix
    are_fitted: Flags
    sample: Matrix
    places_of_sample: Matrix

    def store(self, connection: Connection, map_id: int) -> None:
        """Write the places in place of the former ones of this map."""
        connection.execute(_FORGET[self.relation], [map_id])
        with connection.cursor().copy(_STORE[self.relation]) as copy:
            rows = zip(self.keys.tolist(), self.places.tolist(), self.are_fitted.tolist(), strict=True)
            for key, (x, y), is_fitted in rows:
                copy.write_row((map_id, key, x, y, is_fitted))


def arrange_all(connection: Connection, relation: str, dimensions: int, average: Matrix | None) -> Arranged:
    """Arrange a sample by t-SNE, from the former places of it, and place all others beside it.

    Raises PgaudienceError when there is too little to arrange.
    """
    fitted, vectors = read_sample(connection, relation, dimensions, average)
    if len(fitted) < LEAST_POINTS or np.ptp(vectors, axis=0).max() < 1e-6:
        raise PgaudienceError(
            f"{len(fitted)} {relation} that differ are too few to be arranged", "Take a map of axes: --method pca"
        )
    arranged = arrange(vectors, _former(connection, relation, fitted, vectors))
    at = dict(zip(fitted.tolist(), arranged, strict=True))
    keys: list[Keys] = []
    places: list[Matrix] = []
    with progress(f"Placing {relation}", None, relation) as shown:
        for block, points in read_vectors(connection, relation, dimensions, average):
            keys.append(block)
            places.append(_places(block, points, at, vectors, arranged))
            shown.advance(len(block))
    judged, sample = read_sample(connection, relation, dimensions, average, last=True)
    all_keys = np.concatenate(keys)
    return Arranged(
        relation,
        all_keys,
        np.concatenate(places),
        np.isin(all_keys, fitted),
        sample,
        _places(judged, sample, at, vectors, arranged),
    )


def _places(keys: Keys, points: Matrix, at: dict[int, Matrix], arranged: Matrix, places: Matrix) -> Matrix:
    found = place_beside(points, arranged, places)
    for row, key in enumerate(keys.tolist()):
        if key in at:
            found[row] = at[key]
    return found


def _former(connection: Connection, relation: str, keys: Keys, vectors: Matrix) -> Matrix | None:
    """Return where the sample was; who is new in it, beside the nearest who were; None where hardly anybody was."""
    rows = connection.execute(_FORMER[relation], [keys.tolist()]).fetchall()
    at = {key: np.array([x, y]) for key, x, y in rows}
    known = np.array([key in at for key in keys.tolist()])
    if known.mean() < 0.5:
        return None
    places = np.array([at[key] for key in keys[known].tolist()])
    return _places(keys, vectors, at, vectors[known], places)
