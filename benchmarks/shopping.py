"""Made-up shopping: rows of user, product name and quantity, as a CSV file of any length."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

ROWS_A_USER = 20
ROWS_AN_ENTRY = 50
ROWS_AT_ONCE = 250_000

QUALITIES = (
    "", "small", "large", "mini", "classic", "organic", "vintage", "folding", "waterproof", "wireless", "handmade",
    "recycled", "premium", "heavy duty", "lightweight", "kids", "travel size", "extra soft", "fair trade", "limited",
)  # fmt: skip
COLOURS = (
    "red", "blue", "green", "black", "white", "pink", "grey", "ivory", "navy", "olive", "purple", "silver", "golden",
    "turquoise", "striped", "spotted", "floral", "plain", "cream", "orange", "natural", "dark", "pastel", "brown",
)  # fmt: skip
MATERIALS = (
    "cotton", "wool", "leather", "bamboo", "ceramic", "glass", "steel", "oak", "paper", "linen", "silk", "rubber",
    "enamel", "wicker", "marble", "copper", "velvet", "canvas", "felt", "porcelain",
)  # fmt: skip
THINGS = (
    "mug", "ski jacket", "lunch box", "tea towel", "picture frame", "candle holder", "garden chair", "water bottle",
    "hiking boots", "yoga mat", "photo album", "cake stand", "alarm clock", "desk lamp", "shopping bag", "doormat",
    "baking tray", "cushion cover", "wall clock", "bird feeder", "suitcase", "dog lead", "swimming goggles", "teapot",
    "running shoes", "headphones", "phone case", "coffee grinder", "notebook", "umbrella", "backpack", "jigsaw puzzle",
)  # fmt: skip


def product_names(count: int, seed: int = 1) -> list[str]:
    """Return distinct product names of two to six words, at most 300,000, the same ones for the same seed."""
    names = [" ".join(filter(None, words)) for words in product(QUALITIES, COLOURS, MATERIALS, THINGS)]
    chosen = np.random.default_rng(seed).permutation(len(names))[:count]
    return [names[place] for place in chosen]


def write_csv(path: Path, rows: int) -> dict[str, int]:
    """Write rows in random order with a header, and say how many users and entries they are of.

    What is bought follows Zipf's law, few users buy most, and so it is with quantities; nearly all pairs are distinct.
    """
    users, entries = rows // ROWS_A_USER, rows // ROWS_AN_ENTRY
    names = product_names(entries)
    with path.open("w", encoding="utf-8") as file:
        file.write("user_id,entry,frequency\n")
        for who, what, quantities in _draw(rows, users, entries):
            fields = zip(who.tolist(), map(names.__getitem__, what.tolist()), quantities.tolist(), strict=True)
            file.writelines(map("%d,%s,%d\n".__mod__, fields))
    return {"rows": rows, "users": users, "entries": entries, "bytes": path.stat().st_size}


def _draw(rows: int, users: int, entries: int) -> Iterator[tuple[NDArray[np.int64], ...]]:
    random = np.random.default_rng(2)
    user_ids = 10_000_000 + random.permutation(9 * users)[:users]
    of_users = np.cumsum(random.lognormal(sigma=0.8, size=users))
    of_entries = np.cumsum(1 / (np.arange(entries) + 10.0) ** 0.9)
    for first in range(0, rows, ROWS_AT_ONCE):
        count = min(ROWS_AT_ONCE, rows - first)
        who = user_ids[_pick(random, of_users, count)]
        what = _pick(random, of_entries, count)
        quantities = np.minimum(np.ceil(random.pareto(1.5, size=count)), 10_000).astype(np.int64)
        yield who, what, quantities


def _pick(random: np.random.Generator, cumulated: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    return np.searchsorted(cumulated, random.random(count) * cumulated[-1], side="right")
