"""Spaces of texts, of behaviour and their blend over the same people: what each tells of what users did afterwards.

Behaviour is learned from the early halves alone; the late ones are loaded when it is learned. *new*: of the entries of
a late half that the early one has not, the share among the twenty nearest to the early one that it has not. *re-id*:
the reciprocal rank of a user's late half among all late halves, by `similar_users` of the early one. *bits*: what
knowing the segment of the early half, of twelve, tells of an entry of the late one, beyond its share, by what others in
the segment did (whose shares are drawn towards those of all, as much as explains them best). *p10*: how many of the ten
nearest entries of an entry have a label with it in common. Intervals are over users, of entries for *p10*. Among ten
entries nobody is found again.
"""

from __future__ import annotations

import csv
import gzip
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from embed import Silent
from measuring import Comparison, Contender, against, alternate, say
from numpy.typing import NDArray
from psycopg import errors
from psycopg.conninfo import make_conninfo
from scipy.optimize import minimize_scalar
from scipy.sparse import linalg
from scipy.special import gammaln
from serving import SCHEMA, Connection, Server

from judging.filling import filled, shared
from judging.halves import EARLY, LATE, Cut, cut
from judging.intervals import gain, spread
from pgaudience.database import SpaceConnection, open_space
from pgaudience.embedding.embed import embed_pending
from pgaudience.embedding.provider import Provider
from pgaudience.embedding.registry import measure as measure_model
from pgaudience.installing import migrate
from pgaudience.learning import learn
from pgaudience.learning.baskets import read_baskets
from pgaudience.learning.ppmi import positive_pmi
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from pgaudience.refresh import refresh

TEXT, BEHAVIOUR, BLEND = SCHEMA, "behaviour", "blend"
SPACES = (TEXT, BEHAVIOUR, BLEND)
FEWEST_ENTRIES = 5
QUERIES, JUDGED, FEW = 500, 1_000, 20
SEGMENTS, NEAREST, NEIGHBOURS = 12, 20, 10
TRAINING = 2.0

_HALVES = """
update users set attributes = jsonb_build_object('half', split_part(user_id, ' ', 1)) where user_id like %s
"""
_NEAREST = """
select u.user_id, array(
    select e.entry
    from entry_vectors n
    join entries e using (entry_key)
    order by n.embedding <=> u.embedding, n.entry_key
    limit u.entries + %(nearest)s
)
from user_vectors u
where u.user_id = any (%(users)s)
"""
_PLACE = """
select s.place
from (
    select s.user_id, row_number() over (order by s.rank) as place
    from similar_users(%(user)s, k => 1000000) s
    where starts_with(s.user_id, %(late)s)
) s
where s.user_id = %(self)s
"""
_BUILD = """
call build_segmentation('halves', k => %s, filter => '{"half": "early"}', describe => false)
"""
_SEGMENTS = """
select u.user_id, s.segment_id
from segment_assignments s
join users u using (user_key)
where s.run_id = (select max(r.run_id) from segmentation_runs r)
"""
_NEIGHBOURS = """
select e.entry, array(
    select o.entry
    from entry_vectors n
    join entries o using (entry_key)
    where n.entry_key <> v.entry_key
    order by n.embedding <=> v.embedding, n.entry_key
    limit %(neighbours)s
)
from (
    select * from entry_vectors order by hashint8extended(entry_key, 0), entry_key limit %(judged)s
) v
join entries e using (entry_key)
"""

Figures = dict[str, NDArray[np.float64]]
"""By measure: of each user, or entry, that is judged."""


@dataclass(frozen=True, slots=True)
class Tastes:
    """A data set of activity, the label of its entries, and what each space should reach, by measure."""

    events: str
    label: str | None
    targets: dict[str, dict[str, float]]


DATA = {
    "completejourney": Tastes(
        "completejourney/events_timed.csv.gz",
        "department",
        {BEHAVIOUR: {"new": 0.12}, BLEND: {"new": 0.09, "re-id": 0.13}},
    ),
    "instacart-sample": Tastes("instacart-sample/events.csv.gz", "aisle", {}),
    "online-retail": Tastes("online-retail/events_timed.csv.gz", None, {}),
    "bootloader": Tastes("bootloader/events_timed.csv.gz", None, {}),
}


def measure(name: str, provider: Provider, *, small: bool) -> dict[str, Any]:
    """Judge the spaces of one data set on the halves of its users."""
    data = DATA[name]
    halves = cut(shared(data.events))
    if small:
        halves = Cut(dict(list(halves.halves.items())[:: len(halves.halves) // 100]))
    labels = _labels(shared(f"{name}/entries.csv.gz"), data.label) if data.label else {}
    with TemporaryDirectory() as folder:
        early, late = Path(folder) / "early.csv", Path(folder) / "late.csv"
        halves.write(early, early=True, late=False)
        halves.write(late, early=False, late=True)
        with filled(early, provider) as connection:
            return judge(connection, halves, late, provider, labels, data.targets, small=small)


def judge(
    connection: SpaceConnection,
    halves: Cut,
    late: Path,
    provider: Provider,
    labels: dict[str, set[str]],
    targets: dict[str, dict[str, float]],
    *,
    small: bool,
) -> dict[str, Any]:
    """Judge the spaces over the early halves, which are loaded and embedded; the late ones are loaded here."""
    _derive(connection)
    training = _training(connection, rounds=1 if small else 3)
    _add(connection, late, provider)
    found = {space: _judge(connection, space, halves, labels, small=small) for space in SPACES}
    report: dict[str, Any] = {"users": len(halves.halves), "training / svds": training, "spaces": {}}
    for space, figures in found.items():
        report["spaces"][space] = {
            what: {
                **spread(values),
                **({} if space == TEXT or what == "p10" else {"over_text": gain(values, found[TEXT][what])}),
                **(
                    {}
                    if small or what not in targets.get(space, {})
                    else against(float(values.mean()), targets[space][what], at_least=True)
                ),
            }
            for what, values in figures.items()
            if len(values)
        }
    return report


def conninfo(connection: Connection) -> str:
    """Return what connects to the same database."""
    return make_conninfo(connection.info.dsn, password=connection.info.password)


def _derive(connection: SpaceConnection) -> None:
    url = conninfo(connection)
    connection.commit()
    migrate(url, BEHAVIOUR, model="behaviour", weighting=None, of=TEXT, measure=measure_model)
    migrate(url, BLEND, model="blend", weighting=None, parts={TEXT: 0.5, BEHAVIOUR: 0.5}, measure=measure_model)


def _training(connection: SpaceConnection, rounds: int) -> dict[str, Any]:
    """Train, timed against the factorization of the same matrix alone."""
    space = open_space(connection, BEHAVIOUR)
    smoothing, shift = connection.execute("select smoothing, shift from space").fetchone() or (0, 0)
    cells = positive_pmi(read_baskets(connection).matrix, smoothing, shift)
    connection.commit()
    count = min(space.dimensions, cells.shape[0] - 1)
    times = alternate(
        Contender("svds", lambda: linalg.svds(cells, k=count)),
        Contender("train", lambda: learn(connection, space)),
        rounds=rounds,
        cpu=Server(conninfo(connection), Path()).cpu_clock(),
    )
    return times.report([Comparison("train", "svds", TRAINING)])


def _add(connection: SpaceConnection, late: Path, provider: Provider) -> None:
    """Load the late halves too, of which no behaviour is learned."""
    base = open_space(connection, TEXT)
    with Rejects() as rejects, open_source(late, format=None, columns=Columns(), rejects=rejects) as source:
        load(connection, [source])
    connection.execute(_HALVES, ["%"])
    embed_pending(connection, provider, Silent())
    refresh(connection)
    open_space(connection, BEHAVIOUR)
    refresh(connection)
    learn(connection, open_space(connection, BLEND))
    refresh(connection)
    open_space(connection, base.schema)


def _judge(
    connection: SpaceConnection, space: str, halves: Cut, labels: dict[str, set[str]], *, small: bool
) -> Figures:
    open_space(connection, space)
    few = FEW if small else None
    are_many = len({entry for both in halves.halves.values() for half in both for entry in half}) > NEAREST
    figures = {
        "bits": _bits(connection, halves),
        "p10": _agreement(connection, labels, few or JUDGED),
    }
    if are_many:
        figures |= {
            "new": _new(connection, halves, halves.queries(FEWEST_ENTRIES, few or JUDGED)),
            "re-id": _found_again(connection, halves.queries(FEWEST_ENTRIES, few or QUERIES)),
        }
    say(f"{space}: " + ", ".join(f"{what} {values.mean():.3f}" for what, values in figures.items() if len(values)))
    return figures


def _new(connection: Connection, halves: Cut, users: list[str]) -> NDArray[np.float64]:
    asked = {"users": [EARLY + user for user in users], "nearest": NEAREST}
    nearest = {row[0].removeprefix(EARLY): row[1] for row in connection.execute(_NEAREST, asked).fetchall()}
    connection.commit()
    recalls = []
    for user in users:
        early, late = halves.halves[user]
        wanted = set(late) - set(early)
        fresh = [entry for entry in nearest.get(user, []) if entry not in early][:NEAREST]
        if wanted:
            recalls.append(len(wanted & set(fresh)) / len(wanted))
    return np.array(recalls)


def _found_again(connection: Connection, users: list[str]) -> NDArray[np.float64]:
    found = []
    for user in users:
        try:
            place = connection.execute(_PLACE, {"user": EARLY + user, "self": LATE + user, "late": LATE}).fetchone()
        except errors.ObjectNotInPrerequisiteState:  # nothing is known of her
            connection.rollback()
            place = None
        found.append(1 / place[0] if place else 0.0)
    connection.commit()
    return np.array(found)


def _bits(connection: Connection, halves: Cut) -> NDArray[np.float64]:
    """Judge each half of the users by what the others did, so that no segment is known by whom it is judged on."""
    connection.execute(_BUILD, [SEGMENTS])
    segments = {row[0].removeprefix(EARLY): row[1] for row in connection.execute(_SEGMENTS).fetchall()}
    connection.commit()
    late = {user: both[1] for user, both in halves.halves.items() if all(both)}
    places = {
        entry: place for place, entry in enumerate(dict.fromkeys(entry for some in late.values() for entry in some))
    }
    counts = np.zeros((2, max(segments.values()) + 1, len(places)))
    fold = dict(zip(late, np.random.default_rng(0).integers(2, size=len(late)).tolist(), strict=True))
    for user, entries in late.items():
        if user in segments:
            counts[fold[user], segments[user], [places[entry] for entry in entries]] += 1
    gains = [_gains(of_fold) for of_fold in counts]
    return np.array(
        [
            gains[1 - fold[user]][segments[user], [places[entry] for entry in entries]].mean()
            if user in segments
            else 0
            for user, entries in late.items()
        ]
    )


def _gains(counts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how many bits an entry is cheaper in each segment than among all, shape (segments, entries)."""
    shares = (counts.sum(axis=0) + 1) / (counts.sum() + counts.shape[1])
    strength = _strength(counts, shares)
    return np.log2((counts + strength * shares) / (counts.sum(axis=1, keepdims=True) + strength) / shares)


def _strength(counts: NDArray[np.float64], shares: NDArray[np.float64]) -> float:
    """Return how many events of everybody explain the shares of the segments best, if added to those of each.

    The counts, shape (segments, entries), are then likeliest: Minka (2000), Estimating a Dirichlet distribution.
    """

    def unlikelihood(log_strength: float) -> float:
        strength = np.exp(log_strength)
        prior = strength * shares
        totals = gammaln(strength) - gammaln(counts.sum(axis=1) + strength)
        return -float(totals.sum() + (gammaln(counts + prior) - gammaln(prior)).sum())

    return float(np.exp(minimize_scalar(unlikelihood, bounds=(0, 20), method="bounded").x))


def _agreement(connection: Connection, labels: dict[str, set[str]], judged: int) -> NDArray[np.float64]:
    if not labels:
        return np.zeros(0)
    rows = connection.execute(_NEIGHBOURS, {"neighbours": NEIGHBOURS, "judged": judged}).fetchall()
    connection.commit()
    return np.array(
        [
            np.mean([bool(labels[entry] & labels.get(other, set())) for other in others])
            for entry, others in rows
            if entry in labels
        ]
    )


def _labels(path: Path, column: str) -> dict[str, set[str]]:
    labels: dict[str, set[str]] = defaultdict(set)
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row[column].strip():
                labels[row["entry"]].add(row[column])
    return labels
