"""Whether the judged make an audience better: the precision of the others, with and without likeness to them.

Somebody judges 30 or 60 members of an audience of its true size, drawn as sample_members does, and all users are ranked
anew: by the score of the search plus `weight` times the cosine with the judged (users as seen from the average user),
both in standard deviations from their mean. The judged stand for the mean of those who belong less a share of that of
those who do not, as in group_vector. Precision is that of the first as many as there are who belong, with the judged
left out of both rankings; it is a mean over draws, the interval is over labels.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from measuring import say
from numpy.typing import NDArray

from judging.filling import filled, shared
from judging.intervals import gain
from judging.labelled import DATA, SMALL
from judging.searching import Connection, user_count
from judging.truth import population, read_labels, truths
from pgaudience.embedding.provider import Provider

JUDGED, DRAWS, STRATA = (30, 60), 5, 5
SMALLEST, LARGEST_SHARE = 120, 0.5
SHARPENINGS = {
    f"{name}, weight {weight:g}": (unlike, weight)
    for name, unlike in (("like yes", 0.0), ("away from no", 0.25), ("far from no", 1.0))
    for weight in (0.25, 0.5, 1.0)
}

_VECTORS = "select user_id, embedding from centered_user_vectors order by user_id"

_SCORES = """
select r.user_id, r.score
from (
    select array_agg(a.entry_key) as entry_keys, array_agg(a.excess) as excesses
    from admitted_entries(%(query)s) a
) a
cross join rank_users(
    %(query)s, a.entry_keys, a.excesses, %(k)s, '{}', 'hybrid', null, null, 1, true
) r
order by r.user_id
"""

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


def measure(provider: Provider, *, small: bool) -> dict[str, Any]:
    """Return what each way to use the judged adds to the precision, by data set and how many are judged."""
    return {"sharpened": {name: _measure(name, provider, small=small) for name in DATA}}


def _measure(name: str, provider: Provider, *, small: bool) -> dict[str, Any]:
    data = DATA[name]
    figures: dict[int, list[tuple[float, ...]]] = {judged: [] for judged in JUDGED}
    with filled(shared(f"{data.folder}/events.csv.gz"), provider) as connection:
        people = population(connection, 1)
        rows = connection.execute(_VECTORS).fetchall()
        users, vectors = [row[0] for row in rows], np.array([row[1].to_numpy() for row in rows], dtype=np.float64)
        places = np.array([people.places[user] for user in users])
        for column in data.columns:
            pairs = read_labels(shared(f"{data.folder}/entries.csv.gz"), column)
            labels = {
                label: truth.several[places]
                for label, truth in truths(connection, people, pairs).items()
                if SMALLEST <= truth.several.sum() <= LARGEST_SHARE * len(users)
            }
            for label in list(labels)[: SMALL if small else None]:
                scores = _scores(connection, provider, label, users)
                for judged in JUDGED:
                    figures[judged].append(_precisions(scores, vectors, labels[label], judged))
    say(f"{name}: {len(figures[JUDGED[0]])} labels")
    return {"labels": len(figures[JUDGED[0]]), "judged": {str(judged): _report(figures[judged]) for judged in JUDGED}}


def _scores(connection: Connection, provider: Provider, label: str, users: list[str]) -> Floats:
    query = provider.embed_queries([label])[0]
    found = connection.execute(_SCORES, {"query": query, "k": user_count(connection)}).fetchall()
    assert [row[0] for row in found] == users
    return np.array([row[1] for row in found])


def _precisions(scores: Floats, vectors: Floats, belongs: Flags, judged: int) -> tuple[float, ...]:
    """Return the precision of the search, then that of each sharpening: a mean over draws."""
    found = np.array([_draw(scores, vectors, belongs, judged, seed) for seed in range(DRAWS)])
    return tuple(found.mean(axis=0))


def _draw(scores: Floats, vectors: Floats, belongs: Flags, judged: int, seed: int) -> list[float]:
    chosen = _sample(np.argsort(-scores, kind="stable")[: belongs.sum()], judged, seed)
    others = np.setdiff1d(np.arange(len(scores)), chosen)
    yes, no = chosen[belongs[chosen]], chosen[~belongs[chosen]]
    rankings = [scores]
    for unlike, weight in SHARPENINGS.values():
        direction = _mean(vectors[yes]) - unlike * _mean(vectors[no])
        cosines = vectors @ direction / max(np.linalg.norm(direction), 1e-9)
        rankings.append(_standard(scores) + weight * _standard(cosines))
    size = belongs[others].sum()
    return [float(belongs[others][np.argsort(-ranking[others], kind="stable")[:size]].mean()) for ranking in rankings]


def _sample(members: NDArray[np.int64], judged: int, seed: int) -> NDArray[np.int64]:
    """Draw as many from each fifth of the members, who are given best first."""
    random = np.random.default_rng(seed)
    return np.concatenate(
        [random.permutation(stratum)[: judged // STRATA] for stratum in np.array_split(members, STRATA)]
    )


def _mean(vectors: Floats) -> Floats:
    return vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1])


def _standard(values: Floats) -> Floats:
    return (values - values.mean()) / max(values.std(), 1e-9)


def _report(figures: list[tuple[float, ...]]) -> dict[str, Any]:
    search, *sharpened = np.array(figures).T
    return {
        "search": round(float(search.mean()), 4),
        **{
            name: {**gain(precision, search), "harmed": round(float((precision < search).mean()), 3)}
            for name, precision in zip(SHARPENINGS, sharpened, strict=True)
        },
    }
