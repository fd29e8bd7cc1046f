"""How much oftener two entries are had by the same user than by chance."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from pgaudience.progress import progress

Sparse = Any  # scipy.sparse.csr_matrix, which has no types

_CELLS_AT_ONCE = 20_000_000
MOST_CELLS = 60_000_000
"""The cells that are kept at most, 12 bytes each; of more, each row keeps its largest."""


def positive_pmi(baskets: Sparse, smoothing: float, shift: float) -> Sparse:
    """Return the positive pointwise mutual information of all pairs of entries, shape (entries, entries), sparse.

    `baskets`, shape (users, entries), is 1 where a user has an entry. A cell is the log of how many times oftener the
    two are had by one user than by chance, less `shift`, where that is positive: Levy and Goldberg (2014), Neural word
    embedding as implicit matrix factorization. `smoothing` below 1 keeps rare entries from having the largest: Levy,
    Goldberg and Dagan (2015), Improving distributional similarity.

    Rows are made in blocks, so that the memory this takes does not grow with the square of the entries.
    """
    from scipy import sparse  # pyright: ignore[reportMissingTypeStubs]

    entries = int(baskets.shape[1])
    columns = baskets.tocsc()
    others = np.asarray(baskets.sum(axis=1)).ravel() - 1
    totals = np.asarray(columns.T @ np.maximum(others, 0)).ravel().astype(np.float64)
    context = totals**smoothing
    context /= max(float(context.sum()), 1.0)
    block = max(1, _CELLS_AT_ONCE // max(entries, 1))
    most = max(1, MOST_CELLS // max(entries, 1))
    rows: list[Sparse] = []
    with progress("Counting pairs", entries, "entries") as shown:
        for first in range(0, entries, block):
            last = min(first + block, entries)
            cells = (columns[:, first:last].T @ baskets).tocoo()
            apart = cells.row + first != cells.col
            at, to = cells.row[apart], cells.col[apart]
            pmi = np.log(cells.data[apart] / (totals[at + first] * context[to])) - shift
            rows.append(_largest(sparse, at, to, pmi, (last - first, entries), most))
            shown.advance(last - first)
    return cast(Any, sparse).vstack(rows, format="csr") if rows else baskets.T @ baskets


def _largest(sparse: Any, rows: Any, columns: Any, values: Any, shape: tuple[int, int], most: int) -> Sparse:
    """Return the positive values as a matrix, of each row at most so many."""
    positive = values > 0
    rows, columns, values = rows[positive], columns[positive], values[positive]
    if np.bincount(rows, minlength=1).max() > most:
        order = np.lexsort((columns, -values, rows))
        places: Any = np.arange(len(rows)) - cast(Any, np.searchsorted(rows[order], rows[order]))
        chosen = order[places < most]
        rows, columns, values = rows[chosen], columns[chosen], values[chosen]
    return sparse.csr_matrix((values, (rows, columns)), shape=shape)
