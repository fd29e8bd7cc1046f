"""Whether the interval of audience_precision holds the truth: audits of audiences whose members are labelled."""

from __future__ import annotations

from typing import Any

import numpy as np
from measuring import say

from judging.filling import filled, shared
from judging.labelled import DATA, SMALL
from judging.searching import Connection
from judging.truth import population, read_labels, truths
from pgaudience.embedding.provider import Provider

AUDITS, JUDGED, SIZE = 500, 60, 500
FEW_AUDITS = 20
LOWEST, HIGHEST = 0.93, 0.97

_CREATE = """
create temporary table found (label text, user_id text, rank bigint, belongs boolean);
create temporary table audits (audience text, label text);
"""

_FIND = """
insert into found (label, user_id, rank, belongs)
select %(label)s, s.user_id, s.rank, s.user_id = any (%(users)s)
from search_users(%(query)s::vector, k => %(size)s) s
"""

# Only the ranking matters here: whatever the definition says, the members are those that were found.
_SAVE = """
insert into audiences (audience, definition, members)
select a.audience, '{"filter": {"label": true}}', f.members
from audits a
join (select label, count(*) as members from found group by label) f using (label)
"""

_MEMBERS = """
insert into audience_members (audience, user_id, rank)
select a.audience, f.user_id, f.rank from audits a join found f using (label)
"""

_JUDGE = """
insert into audience_judgements (audience, user_id, belongs)
select a.audience, s.user_id, f.belongs
from audits a
cross join lateral sample_members(a.audience, n => %s) s
join found f on f.label = a.label and f.user_id = s.user_id
"""

_COVERED = """
select
    (5 * p.size / max(p.size) over (partition by a.audience))::integer as fifths,
    p.low,
    p.high,
    p.estimate,
    (
        select avg(f.belongs::integer)::double precision
        from found f
        where f.label = a.label and f.rank <= p.size
    ) as truth
from audits a
cross join lateral audience_precision(a.audience) p
"""


def measure(provider: Provider, *, small: bool) -> dict[str, Any]:
    """Return the share of audits whose 95 % interval holds the true precision, by data set and part of the audience."""
    found = {name: _measure(name, provider, small=small) for name in DATA}
    covered = [result["parts"]["all"]["covered"] for result in found.values()]
    return {
        "audits": FEW_AUDITS if small else AUDITS,
        "judged": JUDGED,
        "data": found,
        **(
            {}
            if small
            else {"target": {"covered": [LOWEST, HIGHEST], "met": all(LOWEST <= each <= HIGHEST for each in covered)}}
        ),
    }


def _measure(name: str, provider: Provider, *, small: bool) -> dict[str, Any]:
    data = DATA[name]
    with filled(shared(f"{data.folder}/events.csv.gz"), provider) as connection:
        connection.execute(_CREATE)
        labels = _find(connection, name, provider, small=small)
        audits = FEW_AUDITS if small else AUDITS
        rows = [(f"audit {number}", labels[number % len(labels)]) for number in range(audits)]
        connection.cursor().executemany("insert into audits values (%s, %s)", rows)
        for statement in (_SAVE, _MEMBERS, "analyze"):
            connection.execute(statement)
        connection.execute(_JUDGE, [JUDGED])
        outcome = np.array(connection.execute(_COVERED).fetchall(), dtype=np.float64)
    truth = outcome[outcome[:, 0] == 5, 4]
    say(f"{name}: {len(labels)} labels, true precision {truth.min():.2f} to {truth.max():.2f}")
    return {
        "labels": len(labels),
        "true_precision": [round(float(each), 3) for each in np.quantile(truth, (0, 0.5, 1))],
        "parts": {
            "all" if fifths == 5 else f"best {fifths}/5": _report(outcome[outcome[:, 0] == fifths])
            for fifths in range(1, 6)
        },
    }


def _find(connection: Connection, name: str, provider: Provider, *, small: bool) -> list[str]:
    """Search for each label, and keep whom was found and who of them has several entries of the label."""
    data = DATA[name]
    labels: list[str] = []
    people = population(connection, 1)
    users = np.array(list(people.places))
    for column in data.columns:
        pairs = read_labels(shared(f"{data.folder}/entries.csv.gz"), column)
        found = {f"{column}: {label}": (label, truth) for label, truth in truths(connection, people, pairs).items()}
        chosen = dict(list(found.items())[:SMALL] if small else found.items())
        vectors = provider.embed_queries([label for label, _ in chosen.values()])
        for (key, (_, truth)), vector in zip(chosen.items(), vectors, strict=True):
            connection.execute(
                _FIND,
                {"label": key, "users": users[truth.several].tolist(), "query": str(vector.tolist()), "size": SIZE},
            )
        labels += chosen
    return labels


def _report(rows: np.ndarray) -> dict[str, float]:
    _, low, high, estimate, truth = rows.T
    return {
        "covered": round(float(((low <= truth) & (truth <= high)).mean()), 3),
        "width": round(float((high - low).mean()), 3),
        "bias": round(float((estimate - truth).mean()), 4),
    }
