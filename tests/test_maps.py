"""Maps, checked against scikit-learn, and what stands on them."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.decomposition import PCA
from sklearn.manifold import trustworthiness as reference

from conftest import Cluster, connect, migrate_toy
from pgaudience.cli import cli
from pgaudience.database import blocks, open_space
from pgaudience.errors import PgaudienceError
from pgaudience.mapping import Map, make_map
from pgaudience.mapping import points as mapped
from pgaudience.mapping.trust import trustworthiness

pytestmark = pytest.mark.newest

DIMENSIONS = 8

# Three kinds of entries, each about an axis of its own, and users who mostly have those of one kind.
FILL = """
insert into entries (entry)
select format('%s %s', (array['ski', 'horror', 'tea'])[1 + n % 3], n) from generate_series(0, 59) n order by n;
insert into entry_vectors (entry_key, embedding)
select e.entry_key, l2_normalize((
    select array_agg(
        (d = case split_part(e.entry, ' ', 1) when 'ski' then 1 when 'horror' then 2 else 3 end)::int
        + (hashint8extended(e.entry_key * 100 + d, 7) & 1023) / 4096.0
        order by d
    )
    from generate_series(1, 8) d
)::vector)
from entries e;
insert into users (user_id) select format('user_%s', n) from generate_series(0, 119) n order by n;
insert into activity (user_key, entry_key, frequency)
select u.user_key, e.entry_key, 1 + (u.user_key * e.entry_key) % 5
from users u
join entries e on (hashint8extended(1000 * u.user_key + e.entry_key, 0) & 1023)
    < case when (u.user_key + e.entry_key) % 3 = 0 then 500 else 60 end;
call refresh();
"""


def rows(url: str, query: str) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


def array(url: str, query: str) -> np.ndarray:
    return np.array([row[0] for row in rows(url, query)], dtype=np.float64)


def made(url: str, relation: str = "users", method: str = "pca", segmentation: str | None = None, d: int = 2) -> Map:
    with connect(url) as connection:
        return make_map(connection, open_space(connection, "audience"), relation, method, segmentation, d)


def places(url: str, relation: str = "user", method: str = "pca") -> np.ndarray:
    key = f"{relation}_key"
    found = rows(url, f"select x, y, z from {relation}_map where method = '{method}' order by {key}")
    return np.array(found, dtype=np.float64)


def directions(url: str) -> np.ndarray:
    return array(url, "select direction::real[] from map_vectors order by map_id, axis")


@pytest.fixture
def people(cluster: Cluster) -> str:
    def fill(url: str) -> None:
        migrate_toy(url, dimensions=DIMENSIONS)
        rows(url, FILL)

    return cluster.clone("maps", fill)


USERS = "select embedding::real[] from centered_user_vectors order by user_key"
ENTRIES = "select embedding::real[] from entry_vectors order by entry_key"


@pytest.mark.parametrize(("relation", "query"), [("users", USERS), ("entries", ENTRIES)])
@pytest.mark.parametrize("d", [2, 3])
def test_principal_axes_are_those_of_scikit_learn(people: str, relation: str, query: str, d: int) -> None:
    done = made(people, relation, d=d)
    points = array(people, query)
    known = PCA(d).fit(points)
    found = places(people, {"users": "user", "entries": "entry"}[relation])[:, :d]
    assert np.abs(np.abs(found) - np.abs(known.transform(points))).max() < 1e-5
    assert np.allclose(found.mean(axis=0), 0, atol=1e-5)
    assert np.allclose(array(people, "select explained from map_axes order by axis"), known.explained_variance_ratio_)
    assert done.trustworthiness == pytest.approx(reference(points, found, n_neighbors=15), abs=1e-3)
    assert rows(people, "select distinct relation, points, sample_size, neighbours from map_axes") == [
        (relation, len(points), len(points), 15)
    ]
    if d == 2:
        assert rows(people, "select distinct z from user_map union select distinct z from entry_map") == [(None,)]


def test_the_same_data_give_the_same_map_in_blocks_of_any_size(people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made(people)
    first = places(people)
    for size in (100, 1000):
        monkeypatch.setattr(blocks, "BLOCK_BYTES", size)
        rows(people, "delete from maps")
        assert made(people).kept is None
        assert np.allclose(places(people)[:, :2], first[:, :2], atol=1e-6)


def test_newcomers_are_placed_without_a_fit(people: str) -> None:
    made(people)
    former = dict(rows(people, "select user_id, (x, y)::text from user_map"))
    rows(people, "insert into users (user_id) values ('new')")
    rows(people, """
        insert into activity (user_key, entry_key, frequency)
        select (select user_key from users where user_id = 'new'), entry_key, frequency
        from activity join users using (user_key) where user_id = 'user_7'""")  # fmt: skip
    rows(people, "call refresh()")
    found = dict(rows(people, "select user_id, (x, y)::text from user_map"))
    assert found.pop("new") == found["user_7"]
    assert found == former


def test_a_refit_keeps_its_axes(people: str) -> None:
    made(people)
    former, before = directions(people), places(people)[:, :2]
    rows(people, """
        with gone as (delete from activity where user_key % 4 = 0 and entry_key % 2 = 0 returning 1)
        select count(*) from gone""")  # fmt: skip
    rows(people, "call refresh()")
    done = made(people)
    assert done.kept is not None and done.kept > 0.9
    assert (np.einsum("ij,ij->i", directions(people), former) > 0.9).all()
    assert np.allclose(directions(people) @ directions(people).T, np.eye(2), atol=1e-5)
    assert np.corrcoef(before[:, 0], places(people)[: len(before), 0])[0, 1] > 0.9


def test_axes_that_would_swap_or_flip_are_turned_back(people: str) -> None:
    made(people)
    former = directions(people)
    rows(people, "update map_vectors set axis = axis + 1 where axis = 2")
    rows(people, "update map_vectors set axis = 2, direction = scale(direction, -1) where axis = 1")
    rows(people, "update map_vectors set axis = 1 where axis = 3")
    assert made(people).kept == pytest.approx(1)
    assert np.allclose(directions(people), [former[1], -former[0]], atol=1e-5)
    explained = array(people, "select explained from map_axes order by axis")
    assert explained[0] < explained[1]


def test_a_third_axis_leaves_the_first_two(people: str) -> None:
    made(people)
    former = directions(people)
    made(people, d=3)
    assert np.allclose(directions(people)[:2], former, atol=1e-5)
    made(people, d=2)
    assert np.allclose(directions(people), former, atol=1e-5)


def test_the_axes_in_words(people: str) -> None:
    made(people, "entries")
    places = dict(rows(people, "select entry, x from entry_map"))
    ((top, bottom),) = rows(people, "select top_entries, bottom_entries from map_axes where axis = 1")
    assert top == sorted(places, key=lambda entry: -places[entry])[:5]
    assert bottom == sorted(places, key=lambda entry: places[entry])[:5]


@pytest.mark.parametrize("centered", [True, False])
def test_the_plane_of_the_centres(people: str, centered: bool) -> None:
    rows(people, f"call build_segmentation('kinds', k => 3, centered => {centered})")
    done = made(people, method="centres")
    centres = array(people, "select centroid::real[] from run_segments order by segment_id")
    centres -= centres.mean(axis=0)
    axes = directions(people)
    assert np.allclose(centres @ axes.T @ axes, centres, atol=1e-5)
    assert array(people, "select explained_of_centres from map_axes").sum() == pytest.approx(1)
    means = array(people, """
        select array[avg(x), avg(y)] from user_map join segment_members using (segmentation, user_id)
        where method = 'centres' group by segment_id order by segment_id""")  # fmt: skip
    assert np.allclose(means - means.mean(axis=0), centres @ axes.T, atol=1e-4)
    points = array(people, USERS if centered else "select embedding::real[] from user_vectors order by user_key")
    assert np.allclose(places(people, method="centres")[:, :2], (points - points.mean(axis=0)) @ axes.T, atol=1e-4)
    assert done.trustworthiness == pytest.approx(
        reference(points, places(people, method="centres")[:, :2], n_neighbors=15), abs=1e-3
    )
    made(people, "entries", "centres", "kinds")
    assert rows(people, "select count(*) from entry_map where segmentation = 'kinds'") == [(60,)]
    rows(people, "delete from segmentations")
    assert rows(people, "select * from map_axes") == []


def test_two_centres_span_a_line_and_the_rest_is_where_users_differ(people: str) -> None:
    rows(people, "call build_segmentation('kinds', k => 2)")
    made(people, method="centres", d=3)
    assert array(people, "select explained_of_centres from map_axes order by axis") == pytest.approx(
        [1, 0, 0], abs=1e-6
    )
    assert np.allclose(directions(people) @ directions(people).T, np.eye(3), atol=1e-5)
    rows(people, "call build_segmentation('whole', k => 1)")
    made(people, method="centres", segmentation="whole")
    assert rows(people, "select distinct explained_of_centres from map_axes where segmentation = 'whole'") == [(None,)]


def test_what_cannot_be_drawn_says_so(people: str, space: str) -> None:
    with pytest.raises(PgaudienceError, match="no segmentation yet"):
        made(people, method="centres")
    rows(people, "call build_segmentation('a', k => 2)")
    rows(people, "call build_segmentation('b', k => 2)")
    with pytest.raises(PgaudienceError) as error:
        made(people, method="centres")
    assert error.value.hint == "Name one: --segmentation NAME; there are a, b"
    with pytest.raises(PgaudienceError, match=r"^0 entries with a vector are too few"):
        made(space, "entries")
    assert rows(space, "select count(*) from maps") == [(0,)]
    rows(people, "update entry_vectors set embedding = (select embedding from entry_vectors where entry_key = 1)")
    with pytest.raises(PgaudienceError, match="all entries lie in one place"):
        made(people, "entries")


def test_people_in_one_place_are_near_each_other() -> None:
    """Of equal distances none is nearer: where half of the points are one, a map that says so is right."""
    points = np.vstack([np.zeros((40, 4)), np.random.default_rng(0).normal(size=(40, 4))])
    assert trustworthiness(points, points, 15) == 1
    assert trustworthiness(points, points[::-1].copy(), 15) < 0.9


def test_the_command_and_the_views_for_bi_tools(people: str) -> None:
    run = CliRunner().invoke(cli, ["--database", people, "map", "--dimensions", "3"], catch_exceptions=False)
    assert run.exit_code == 0
    assert "Trustworthiness 1.00, of 120 users with 15 neighbours each" in run.stdout
    again = CliRunner().invoke(cli, ["--database", people, "map", "--dimensions", "3"], catch_exceptions=False)
    assert "cosine of the axes 1.00 on average" in again.stderr
    run = CliRunner().invoke(cli, ["--database", people, "map", "--segmentation", "x"])
    assert run.exit_code == 2
    with connect(people, "audience_bi") as connection:
        assert connection.execute("select count(*), count(z) from user_map").fetchone() == (120, 120)
        assert connection.execute("select count(*) from map_axes where relation = 'users'").fetchone() == (3,)
    made(people, "entries")
    ((entry, users),) = rows(
        people, "select entry, users from audience_bi.entry_map order by users desc, entry limit 1"
    )
    assert rows(people, f"select users from audience_bi.entries where entry = '{entry}'") == [(users,)]


# t-SNE


def test_tsne_puts_neighbours_beside_each_other(people: str) -> None:
    done, by_axes = made(people, method="tsne"), made(people)
    points = array(people, USERS)
    found = places(people, method="tsne")[:, :2]
    assert len(found) == len(points) == 120
    assert done.trustworthiness == pytest.approx(reference(points, found, n_neighbors=15), abs=1e-3)
    assert done.trustworthiness > by_axes.trustworthiness
    assert rows(people, "select method, points, sample_size from maps order by 1") == [
        ("pca", 120, 120), ("tsne", 120, 120)
    ]  # fmt: skip
    assert rows(people, "select count(*), count(z) from audience_bi.user_map where method = 'tsne'") == [(120, 0)]


@pytest.mark.slow
def test_tsne_gives_the_same_again_and_keeps_its_place(people: str) -> None:
    made(people, "entries", "tsne")
    first = places(people, "entry", "tsne")[:, :2]
    made(people, "entries", "tsne")
    again = places(people, "entry", "tsne")[:, :2]
    assert np.linalg.norm(again - first, axis=1).mean() < 0.1 * first.std(axis=0).mean()
    rows(people, "delete from maps")
    made(people, "entries", "tsne")
    assert np.allclose(places(people, "entry", "tsne")[:, :2], first)


@pytest.mark.slow
def test_who_is_not_in_the_sample_lies_between_the_nearest_who_are(
    people: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapped, "SAMPLE_SIZE", 60)
    done = made(people, method="tsne")
    assert rows(people, "select count(*), count(*) filter (where is_fitted) from user_places") == [(120, 60)]
    assert (done.sample_size, done.trustworthiness > 0.7) == (60, True)
    nearest = """
        select abs(p.x - n.x) + abs(p.y - n.y)
        from user_places p
        join centered_user_vectors v using (user_key)
        cross join lateral (
            select avg(x) as x, avg(y) as y
            from (
                select q.x, q.y from user_places q join centered_user_vectors f using (user_key)
                where q.is_fitted order by f.embedding <=> v.embedding limit 5
            ) q
        ) n
        where not p.is_fitted"""
    assert max(gap for (gap,) in rows(people, nearest)) < 1e-3
    placed = dict(rows(people, "select user_id, (x, y)::text from user_map"))
    rows(people, "delete from user_places where user_key = (select min(user_key) from user_places where not is_fitted)")
    assert len(dict(rows(people, "select user_id, (x, y)::text from user_map"))) == len(placed) == 120


def test_a_person_who_goes_leaves_the_map(people: str) -> None:
    made(people, method="tsne")
    rows(people, "delete from users where user_id = 'user_7'; call refresh()")
    assert rows(people, "select count(*) from user_places") == [(119,)]
    assert rows(people, "select count(*) from user_map") == [(119,)]


def test_tsne_says_what_it_cannot(people: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PgaudienceError, match="draws in two dimensions"):
        made(people, method="tsne", d=3)
    rows(people, "delete from users where user_key > (select min(user_key) + 8 from users); call refresh()")
    with pytest.raises(PgaudienceError, match="too few to be arranged"):
        made(people, method="tsne")
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    with pytest.raises(PgaudienceError, match="needs the package openTSNE") as caught:
        made(people, "entries", "tsne")
    assert caught.value.hint == 'Install it: pip install "pgaudience[maps]"'
    assert rows(people, "select count(*) from maps") == [(0,)]
