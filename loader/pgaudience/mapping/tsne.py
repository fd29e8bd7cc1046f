"""A map by t-SNE: neighbours beside each other, whatever that does to what is far apart."""

from __future__ import annotations

from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from pgaudience.errors import PgaudienceError
from pgaudience.mapping.axes import principal_axes
from pgaudience.progress import progress

Matrix = NDArray[np.float64]

PERPLEXITY = 30
BESIDE = 5
"""Beside how many of the nearest that were arranged all others are placed."""

_EXAGGERATED, _ROUNDS, _STEP = 250, 500, 50


def arrange(points: Matrix, former: Matrix | None) -> Matrix:
    """Return places of points, one a row, by t-SNE (van der Maaten and Hinton 2008) with cosine distances.

    It starts from `former` places, so that everybody stays about where they were; without them, from the two axes of
    greatest variance (Kobak and Berens 2019). The same points give the same places.

    Raises PgaudienceError when openTSNE is not installed.
    """
    try:
        from openTSNE import TSNE  # pyright: ignore[reportMissingTypeStubs]
    except ModuleNotFoundError as error:
        raise PgaudienceError(
            "t-SNE needs the package openTSNE", 'Install it: pip install "pgaudience[maps]"'
        ) from error
    start = _along_axes(points) if former is None else former
    exaggerated = _EXAGGERATED if former is None else 0
    with progress("Arranging", exaggerated + _ROUNDS, "rounds") as shown:

        def advance(*_: object) -> bool:
            shown.advance(_STEP)
            return False

        tsne = cast(Any, TSNE)(
            perplexity=min(PERPLEXITY, (len(points) - 1) / 3),
            metric="cosine",
            initialization=start,
            early_exaggeration_iter=exaggerated,
            n_iter=_ROUNDS,
            random_state=0,
            n_jobs=1,
            callbacks=advance,
            callbacks_every_iters=_STEP,
        )
        return np.asarray(tsne.fit(points), dtype=np.float64)


def _along_axes(points: Matrix) -> Matrix:
    """Return places along the axes of greatest variance, as close together as t-SNE wants to begin."""
    places = points @ principal_axes(np.cov(points.T), 2)
    return (places - places.mean(axis=0)) * (1e-4 / places[:, 0].std())


def place_beside(points: Matrix, arranged: Matrix, places: Matrix) -> Matrix:
    """Return for each point the mean place of the nearest that were arranged; all have unit length."""
    nearest = min(BESIDE, len(arranged))
    near = np.argpartition(-(points @ arranged.T), nearest - 1, axis=1)[:, :nearest]
    return places[near].mean(axis=1)
