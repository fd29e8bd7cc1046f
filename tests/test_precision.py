"""How good an audience is, from a few who are judged: the interval holds the truth as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from conftest import connect

pytestmark = pytest.mark.slow

AUDITS, JUDGED, SIZE = 500, 60, 500

_MEMBERS = """
insert into audience_members (audience, user_id, rank)
select 'audit ' || a, 'u' || n, n from generate_series(1, %(audits)s) a cross join generate_series(1, %(size)s) n
"""

_JUDGE = """
insert into audience_judgements (audience, user_id, belongs)
select a.audience, s.user_id, (%(labels)s::boolean[])[s.place]
from audiences a
cross join lateral sample_members(a.audience, n => %(judged)s) s
"""

_PRECISION = """
select p.size, count(*) filter (where t.share between p.low and p.high), avg(p.estimate - t.share), avg(p.high - p.low)
from audiences a
cross join lateral audience_precision(a.audience) p
cross join lateral (
    select avg(l.label::integer) as share from unnest((%(labels)s::boolean[])[:p.size]) l (label)
) t
group by p.size
order by p.size
"""


@pytest.mark.parametrize(
    "first, last", [(1, 0.05), (0.3, 0.3), (0.9, 0.6)], ids=["steep", "flat", "good"]
)  # fmt: skip
def test_the_interval_covers_the_truth(space: str, first: float, last: float) -> None:
    """Of 500 audits of 60 members each, those whose 95 % interval holds the true share, at every size."""
    chances = np.linspace(first, last, SIZE)
    labels = (np.random.default_rng(4).random(SIZE) < chances).tolist()
    values = {"audits": AUDITS, "size": SIZE, "labels": labels, "judged": JUDGED}
    with connect(space) as connection:
        connection.execute("insert into users (user_id) select 'u' || n from generate_series(1, %s) n", [SIZE])
        connection.execute(
            "insert into audiences (audience, definition, members)"
            " select 'audit ' || a, '{\"filter\": {\"a\": 1}}', %s from generate_series(1, %s) a", [SIZE, AUDITS]
        )  # fmt: skip
        connection.execute(_MEMBERS, values)
        connection.execute("analyze")
        connection.execute(_JUDGE, values)
        counts = connection.execute("select count(*), count(distinct user_id) from audience_judgements").fetchone()
        found = connection.execute(_PRECISION, values).fetchall()
    print(found)
    assert counts == (AUDITS * JUDGED, SIZE)
    assert [size for size, *_ in found] == [100, 200, 300, 400, 500]
    for size, covered, bias, _ in found:
        assert covered / AUDITS > 0.92, size
        assert abs(bias) < 0.02, size
    assert 0.93 <= found[-1][1] / AUDITS <= 0.97
    assert found[-1][3] < 0.25
