"""Spaces of attributes: users from what is known of them, checked against numpy, and all that stands on them."""

from __future__ import annotations

import json

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray
from scipy import stats

from conftest import connect
from pgaudience.checking import run_checks
from pgaudience.database import open_space
from pgaudience.embedding.registry import measure
from pgaudience.errors import PgaudienceError
from pgaudience.installing import migrate
from pgaudience.learning import training_due
from pgaudience.learning.attributes import Described
from pgaudience.learning.spread import find_spread
from pgaudience.learning.train import train_attributes
from pgaudience.mapping import make_map
from pgaudience.pipeline import catch_up
from pgaudience.refresh import refresh
from test_behaviour import rows as rows_of

pytestmark = [pytest.mark.slow, pytest.mark.newest]

Known = dict[str, object]


def rows(url: str, query: str, schema: str = "known") -> list[tuple]:
    return rows_of(url, query, schema)


def derive(url: str, dimensions: int = 12, schema: str = "known") -> None:
    migrate(
        url, schema, model="attributes", weighting=None, of="audience",
        measure=lambda model: measure(model, dimensions=dimensions),
    )  # fmt: skip


def trained(url: str, schema: str = "known") -> Described:
    with connect(url) as connection:
        done = train_attributes(connection, open_space(connection, schema))
        refresh(connection)
    return done


def add(url: str, people: list[Known], first: int = 0) -> None:
    """Add users whose attributes are these; those that are None are missing."""
    with connect(url) as connection:
        kinds: dict[str, str] = {}
        for n, known in enumerate(people, first):
            held = {name: value for name, value in known.items() if value is not None}
            for name, value in held.items():
                is_text = kinds.get(name) == "text" or isinstance(value, str | list)
                kinds[name] = "text" if is_text else "number"
            connection.execute("insert into users values (default, %s, %s)", [f"u{n}", json.dumps(held)])
        for name, kind in kinds.items():
            connection.execute(
                "insert into attribute_kinds values ('users', %s, %s) on conflict do nothing", [name, kind]
            )


def people_of(count: int, seed: int = 0) -> list[Known]:
    random = np.random.default_rng(seed)
    return [
        {
            "age": None if n % 10 == 3 else int(random.integers(18, 80)),
            "balance": float(np.round(random.lognormal(6, 1.5) - 300, 2)),
            "job": str(random.choice(["student", "clerk", "nurse"], p=[0.2, 0.5, 0.3])),
            "home": None if n % 10 == 5 else str(random.choice(["city", "country"])),
        }
        for n in range(count)
    ]


def expected(people: list[Known], weight: float = 0.5) -> NDArray[np.float64]:
    """One-hot columns by the root of half the weight beside numbers made normal by scipy, shape (users, columns)."""
    columns = []
    for name in ("age", "balance"):
        numbers = np.array([np.nan if one[name] is None else one[name] for one in people], dtype=float)
        known = ~np.isnan(numbers)
        moved, _ = stats.yeojohnson(numbers[known])
        column = np.zeros(len(people))
        column[known] = (moved - moved.mean()) / moved.std()
        columns.append(column)
    for name in ("job", "home"):
        for value in sorted({str(one[name]) for one in people if one[name] is not None}):
            columns.append(np.array([one[name] == value for one in people]) * np.sqrt(weight / 2))
    return np.stack(columns, axis=1)


def distances(url: str, schema: str = "known") -> NDArray[np.float64]:
    """Euclidean distances between users, before they are brought to unit length, in order of their keys."""
    found = rows(url, "select direction::real[] from attribute_profiles order by user_key", schema)
    vectors = np.array([row[0] for row in found])
    return np.linalg.norm(vectors[:, None] - vectors[None], axis=2)


@pytest.fixture
def empty(space: str) -> str:
    derive(space)
    return space


@pytest.fixture
def known(empty: str) -> str:
    """Eighty people, their space trained."""
    add(empty, people_of(80))
    trained(empty)
    return empty


@pytest.mark.parametrize("weight", [0.5, 2])
def test_distances_are_those_of_k_prototypes(known: str, weight: float) -> None:
    rows(known, f"update space set category_weight = {weight}")
    trained(known)
    columns = expected(people_of(80), weight)
    np.testing.assert_allclose(
        distances(known), np.linalg.norm(columns[:, None] - columns[None], axis=2), rtol=2e-2, atol=2e-3
    )


def test_cosines_are_distances_nearly(known: str) -> None:
    found = np.array([row[0] for row in rows(known, "select embedding::real[] from user_vectors order by user_key")])
    assert np.linalg.norm(found, axis=1) == pytest.approx(1)
    near = np.corrcoef(
        np.linalg.norm(found[:, None] - found[None], axis=2)[np.triu_indices(80, 1)],
        distances(known)[np.triu_indices(80, 1)],
    )
    assert near[0, 1] > 0.98


@pytest.mark.parametrize("numbers", [[-3.0, -1, 0, 0, 2, 9], [0.0, 0, 0, 1], [1e12, 3, 4, 5], [-1e6, -5, -4, 3]])
def test_the_transform_in_sql_is_that_of_scipy(empty: str, numbers: list[float]) -> None:
    spread = find_spread(np.array(numbers))
    assert spread is not None
    (found,) = rows(
        empty,
        f"select array_agg(standard_number(n, {spread.lowest}, {spread.highest}, {spread.power}, {spread.center},"
        f" {spread.scale}) order by i)"
        f" from unnest(array[{','.join(map(str, numbers))}]::numeric[]) with ordinality u (n, i)",
    )
    moved = stats.yeojohnson(np.array(numbers), spread.power)
    np.testing.assert_allclose(found[0], (moved - moved.mean()) / moved.std(), atol=1e-6)


@pytest.mark.parametrize("power", [0, 1, 2, -2])
def test_every_power(empty: str, power: int) -> None:
    found = rows(empty, f"select standard_number(n, -3, 5, {power}, 0, 1) from unnest(array[-9, -3, 0, 1.5, 8]) n")
    np.testing.assert_allclose([row[0] for row in found], stats.yeojohnson(np.array([-3, -3, 0, 1.5, 5]), power))


def test_segments_are_those_of_k_means(known: str) -> None:
    """Of two kinds of people, whom k-means tells apart by numbers and categories alike."""
    add(known, [{"age": 20, "job": "student", "home": "city", "balance": 0}] * 30, 80)
    add(known, [{"age": 75, "job": "retired", "home": "country", "balance": 9000}] * 30, 110)
    trained(known)
    rows(known, "call build_segmentation('kinds', k => 2, centered => false)")
    kinds = rows(
        known,
        "select count(distinct a.segment_id) filter (where u.attributes ->> 'age' = '20'),"
        " count(distinct a.segment_id) filter (where u.attributes ->> 'age' = '75'), count(distinct a.segment_id)"
        " from segment_assignments a join users u using (user_key)"
        " where u.attributes ->> 'age' in ('20', '75')"
        " and u.attributes ->> 'balance' in ('0', '9000')",
    )
    assert kinds == [(1, 1, 2)]
    assert rows(known, "select count(*) from lookalikes(array['u80', 'u81'], k => 28)"
                       " where user_id between 'u82' and 'u99' or user_id like 'u10_'") == [(28,)]  # fmt: skip


def test_newcomers_are_placed_by_sql_alone(known: str) -> None:
    """A value nobody had, numbers beyond those seen, nothing at all: each is somewhere, or not there."""
    rows(known, "insert into users (user_id, attributes) values"
                " ('like u0', (select attributes from users where user_id = 'u0')),"
                " ('other', '{\"job\": \"astronaut\"}'),"
                " ('rich', '{\"job\": \"nurse\", \"balance\": 1e300}'), ('nobody', '{}')", "audience")  # fmt: skip
    assert rows(known, "select stale from status") == [(True,)]
    rows(known, "call refresh()")
    assert rows(known, "select user_id, similarity > 0.99999 from similar_users('u0', k => 1)") == [("like u0", True)]
    with pytest.raises(psycopg.errors.ObjectNotInPrerequisiteState, match="nothing is known of user 'other'"):
        rows(known, "select * from similar_users('other')")
    assert len(rows(known, "select * from similar_users('rich', k => 3)")) == 3
    assert rows(known, "select user_id from users except select user_id from user_vectors order by 1") == [
        ("nobody",), ("other",),
    ]  # fmt: skip


def test_a_refit_keeps_the_axes(known: str) -> None:
    axes = "select attribute, value, embedding::text from attribute_axes where value is not null order by 1, 2"
    before = rows(known, axes)
    add(known, [{"job": "baker", "home": "abroad"}] * 60, 80)
    done = trained(known)
    assert done.categories == {"job": 4, "home": 3}
    assert set(before) < set(rows(known, axes))


def test_it_is_due_when_there_are_a_fifth_more_users(empty: str) -> None:
    def due() -> bool:
        with connect(empty, "known") as connection:
            return training_due(connection)

    assert not due()
    add(empty, people_of(40))
    assert due()
    trained(empty)
    assert not due()
    add(empty, people_of(10), 40)
    assert due()
    with connect(empty) as connection:
        catch_up(connection, open_space(connection, "audience"), None)
    assert not due()
    assert rows(empty, "select stale from status") == [(False,)]
    assert rows(empty, "select count(*) from user_vectors") == [(50,)]
    with connect(empty) as connection:
        assert [check.name for check in run_checks(connection, "known") if not check.ok] == []


def test_values_without_an_axis(known: str) -> None:
    """What one user alone has, a constant, and what there is no room for; some attributes alone, too."""
    add(known, [{"name": f"n{n}", "job": "cook", "country": "France"} for n in range(5)], 80)
    rows(known, 'update users set attributes = attributes || \'{"planet": "earth", "one": 1}\'', "audience")
    rows(
        known, "insert into attribute_kinds values ('users', 'one', 'number'), ('users', 'planet', 'text')", "audience"
    )
    done = trained(known)
    assert done.left_out == ["name", "one", "planet"]
    assert done.rare == 0
    derive(known, 5, "small")
    small = trained(known, "small")
    assert small.numbers == ["age", "balance"]
    assert sum(small.categories.values()) == 2
    rows(known, "update space set attributes = array['job']")
    assert trained(known).categories == {"job": 4}
    assert rows(known, "select count(*) from attribute_axes") == [(5,)]


def test_lists_are_several_values(empty: str) -> None:
    add(empty, [{"likes": ["tea", "rum"]}, {"likes": ["tea"]}, {"likes": ["rum", "tea"]}, {"likes": "rum"}])
    assert trained(empty).categories == {"likes": 2}
    assert distances(empty)[0, 2] == pytest.approx(0)
    assert distances(empty)[1, 3] == pytest.approx(np.sqrt(0.5))


def test_nothing_to_tell_apart(known: str, empty: str) -> None:
    rows(known, "update space set attributes = array['planet']")
    before = rows(known, "select count(*) from attribute_axes")
    with pytest.raises(PgaudienceError, match="nothing is known of users"):
        trained(known)
    assert rows(known, "select count(*) from attribute_axes") == before


def test_texts_are_asked_elsewhere(known: str) -> None:
    rows(known, "insert into queries (query, embedding, embedded_at) values ('ski', '[1, 0, 0]', now())", "audience")
    with pytest.raises(psycopg.errors.InvalidParameterValue, match="no text is like the attributes") as refused:
        rows(known, "select * from search_users('ski')")
    assert refused.value.diag.message_hint == "Ask the space of texts: select audience.embed('ski');"


@pytest.mark.parametrize("policy", ["category_weight = 0", "category_weight = 'infinity'", "category_weight = -1"])
def test_policies_that_cannot_be(known: str, policy: str) -> None:
    with pytest.raises(psycopg.errors.CheckViolation):
        rows(known, f"update space set {policy}")


# By an outcome


def buyers(count: int, seed: int = 5) -> list[Known]:
    """People of whom students and the old buy; a shop of two or three people each tells nothing, nor does noise."""
    random = np.random.default_rng(seed)
    people: list[Known] = []
    for n in range(count):
        age, job = int(random.integers(18, 80)), str(random.choice(["student", "clerk", "nurse", "cook"]))
        likely = 0.1 + 0.5 * (job == "student") + 0.3 * (age > 60)
        people.append(
            {
                "age": age,
                "job": job,
                "shop": f"s{n % (count // 3)}",
                "noise": str(random.integers(4)),
                "buys": None if n % 4 == 0 else "yes" if random.random() < likely else "no",
            }
        )
    return people


def arranged(url: str, outcome: str = "buys") -> Described:
    with connect(url) as connection:
        done = train_attributes(connection, open_space(connection, "known"), outcome)
        refresh(connection)
    return done


def places(url: str, attribute: str) -> dict[tuple[str, int | None], float]:
    """The coordinate of each value, by fold."""
    found = rows(
        url,
        "select value, fold, (select sum(c) from unnest(embedding::real[]) c)::float"
        f" from attribute_axes where attribute = '{attribute}'",
    )
    return {(value, fold): place for value, fold, place in found}


def test_values_lie_where_the_outcomes_of_others_are(empty: str) -> None:
    people = buyers(300)
    add(empty, people)
    done = arranged(empty)
    assert done.numbers == ["age"]
    assert "shop" in done.left_out
    found = places(empty, "job")
    folds = dict(rows(empty, "select substr(user_id, 2)::int, outcome_fold(user_key) from users"))
    known = [(str(one["job"]), folds[n], one["buys"] == "yes") for n, one in enumerate(people) if one["buys"]]
    mean = np.mean([buys for *_, buys in known])

    def code(value: str, without: int | None) -> float:
        some = [buys for job, fold, buys in known if job == value and fold != without]
        return (sum(some) + 10 * mean) / (len(some) + 10) - mean

    expected = {key: code(*key) for key in found}
    factor = found["student", None] / expected["student", None]
    assert factor > 0
    for key, place in found.items():
        assert place == pytest.approx(factor * expected[key], abs=1e-4), key


def test_ones_own_outcome_does_not_leak(empty: str) -> None:
    """Who buys after all lies where the same person lay who does not, in every coordinate of that person's fold."""
    people = buyers(300)
    add(empty, people)
    arranged(empty)
    who = next(n for n, one in enumerate(people) if one["buys"] == "no")
    (fold,) = rows(empty, f"select outcome_fold(user_key) from users where user_id = 'u{who}'")[0]

    def shape() -> np.ndarray:
        found = places(empty, "job")
        own = np.array([found[job, fold] for job in ("student", "clerk", "nurse", "cook")])
        return (own - own.mean()) / own.std()

    before = shape()
    rows(empty, f"update users set attributes = jsonb_set(attributes, '{{buys}}', '\"yes\"') where user_id = 'u{who}'",
         "audience")  # fmt: skip
    arranged(empty)
    np.testing.assert_allclose(shape(), before, atol=2e-2)
    assert places(empty, "shop") == {}


def test_newcomers_without_an_outcome_are_placed_by_all(empty: str) -> None:
    add(empty, buyers(300))
    arranged(empty)
    rows(empty, "insert into users (user_id, attributes) values ('new', '{\"age\": 70, \"job\": \"student\"}'),"
                " ('newer', '{\"age\": 25, \"job\": \"nurse\"}'); call refresh()", "audience")  # fmt: skip
    rows(empty, "call refresh()")
    ranks = dict(rows(empty, "select user_id, rank from lookalikes(array(select user_id from users"
                             " where attributes ->> 'buys' = 'yes'), fraction => 1)"))  # fmt: skip
    assert ranks["new"] < 60 < ranks["newer"]
    one_hot = arranged(empty, "")
    assert one_hot.categories["job"] == 4
    assert rows(empty, "select count(*) from user_vectors") == [(302,)]


@pytest.mark.parametrize(
    ("outcome", "problem"),
    [
        ("colour", "no user has the outcome 'colour'"),
        ("job", "the outcome 'job' has 4 values"),
        ("planet", "is of one class: of 60 users who have it, each has 'earth'"),
        ("job=baker", "is of one class: of 60 users who have it, none has 'baker'"),
    ],
)
def test_outcomes_that_say_nothing(empty: str, outcome: str, problem: str) -> None:
    add(empty, [{**one, "planet": "earth"} for one in buyers(60)])
    trained(empty)
    before = rows(empty, "select count(*) from attribute_axes")
    with pytest.raises(PgaudienceError, match=problem):
        arranged(empty, outcome)
    assert rows(empty, "select count(*) from attribute_axes") == before
    assert rows(empty, "select outcome from space") == [(None,)]
    assert arranged(empty, "age").numbers == []
    with pytest.raises(PgaudienceError, match="tells of the outcome more than chance does"):
        arranged(empty, "job=student")


def test_multiple_correspondence_analysis(empty: str) -> None:
    """By the book: the singular values of the standardized residuals of the indicator matrix."""
    drawn = np.random.default_rng(7).integers(0, 12, (40, 3)).tolist()
    people = [{"job": "abc"[a % 3], "home": "xy"[b % 2], "pet": "pqrs"[c % 4], "age": a} for a, b, c in drawn]
    add(empty, people)
    with connect(empty, "known") as connection:
        done = make_map(connection, open_space(connection, "known"), "users", "mca", None, 3)
    values = sorted({(name, str(person[name])) for person in people for name in ("job", "home", "pet")})
    table = np.array([[float(person[name] == value) for name, value in values] for person in people]) / (3 * 40)
    rows_, columns = table.sum(axis=1), table.sum(axis=0)
    left, singular, right = np.linalg.svd((table - np.outer(rows_, columns)) / np.sqrt(np.outer(rows_, columns)))
    inertia = singular**2
    explained, adjusted = rows(empty, "select explained, explained_adjusted from maps where method = 'mca'")[0]
    assert np.allclose(explained, inertia[:3] / inertia.sum())
    beyond = (1.5 * np.maximum(inertia - 1 / 3, 0)) ** 2
    assert np.allclose(adjusted, beyond[:3] / beyond.sum())

    found = np.array(rows(empty, "select x, y, z from map_categories order by attribute, value"))
    expected = right[:3].T * singular[:3] / np.sqrt(columns)[:, None]
    signs = np.sign((found * expected).sum(axis=0))
    assert np.allclose(found, expected * signs)
    users = np.array(rows(empty, "select x, y, z from user_map where method = 'mca' order by user_key"))
    assert np.allclose(users, left[:, :3] * singular[:3] / np.sqrt(rows_)[:, None] * signs)
    assert 0.5 < done.trustworthiness <= 1

    add(empty, [people[0], {"job": "a", "pet": "unheard of"}], 40)
    first, late = rows(empty, "select x, y, z from user_map where method = 'mca' and user_id in ('u0', 'u40')")
    assert first == late
    (other,) = rows(empty, "select x from user_map where method = 'mca' and user_id = 'u41'")
    assert np.isclose(other[0] * np.sqrt(inertia[0]), found[values.index(("job", "a")), 0])
    top = rows(empty, "select axis, cardinality(top_entries) from known_bi.map_axes where method = 'mca' order by 1")
    assert top == [(1, 4), (2, 4), (3, 4)]


def test_categories_that_span_nothing(empty: str) -> None:
    add(empty, [{"job": "ab"[n % 2]} for n in range(10)])
    with connect(empty, "known") as connection, pytest.raises(PgaudienceError, match="fewer than 2 dimensions"):
        make_map(connection, open_space(connection, "known"), "users", "mca", None, 2)
    assert rows(empty, "select count(*) from maps") == [(0,)]
