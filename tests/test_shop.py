"""From the tables of a shop to audiences in SQL alone, as the README has it, against a plain recomputation."""

from __future__ import annotations

import contextlib
import random
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psycopg
import pytest
from numpy.typing import NDArray

from conftest import Cluster, connect
from pgaudience.database import open_space
from pgaudience.embedding.sentence_transformers import SentenceTransformersProvider
from pgaudience.pipeline import embed_space
from test_docs import BLOCK, CHECKOUT, ELSEWHERE, run_shell, section
from test_scoring import expected_scores

pytestmark = pytest.mark.slow

SPACE = "shop"
BLOCKS = BLOCK.findall(section(CHECKOUT / "README.md", ELSEWHERE["README.md"]))
SHELL, (SETUP, DAY) = (
    [block for language, block in BLOCKS if language == "sh"],
    [block for language, block in BLOCKS if language == "sql"],
)
CHRISTMAS, BAKERS, SEGMENT = "christmas", "german bakers", "second segment"
SEARCHES = {CHRISTMAS: ("christmas decorations", 50), BAKERS: ("baking and cakes", 5)}
FORGOTTEN = "15570"
LEAST_COSINE = 0.9999
ROUNDING = 2e-3

Members = set[str]


def follow(url: str, script: str) -> None:
    """Run statement by statement, as a client does that they are pasted into."""
    with connect(url, SPACE, autocommit=True) as connection:
        for statement in filter(str.strip, script.split(";\n")):
            connection.execute(statement.encode())


@pytest.fixture
def url(cluster18: Cluster, tmp_path: Path) -> str:
    """A database in which the README was followed: the commands, then the SQL that sets up and runs.

    All but a hundred and some products have got their vectors from the model in Python before: they are the same, and
    there in seconds.
    """

    def fill(url: str) -> None:
        with psycopg.connect(url) as connection:
            connection.execute("create extension vector with schema public")
        (tmp_path / "examples").symlink_to(CHECKOUT / "examples")
        for script in SHELL:
            run_shell(url, tmp_path, Path(sys.executable).parent, script)
        follow(url, SETUP.replace("call run();", "call sync();").partition("call build")[0])
        with connect(url, SPACE) as connection:
            embed_space(connection, open_space(connection, SPACE), None)
            connection.execute("delete from entry_vectors where entry_key % 20 = 0")
        follow(url, SETUP)

    return cluster18.clone("shop", fill)


@pytest.fixture
def connection(url: str) -> Iterator[psycopg.Connection]:
    with connect(url, SPACE, autocommit=True) as connection:
        yield connection


@dataclass
class Tables:
    """What is in the tables of the shop now, added up in Python."""

    countries: dict[str, str]
    frequencies: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    products: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    vectors: dict[str, NDArray[np.float64]] = field(default_factory=dict)

    @classmethod
    def read(cls, connection: psycopg.Connection) -> Tables:
        gone = {FORGOTTEN} if rows(connection, "select from forgotten_users") else set()
        countries = dict(rows(connection, "table public.customers"))
        tables = cls({customer: country for customer, country in countries.items() if customer not in gone})
        for customer, product, quantity in rows(connection, "select customer, product, quantity from public.orders"):
            if customer not in gone:
                tables.frequencies[customer, " ".join(product.split())] += quantity
        found = rows(connection, "select entry, embedding::real[] from entries join entry_vectors using (entry_key)")
        tables.products = {entry: np.array(vector) for entry, vector in found}
        sums: dict[str, NDArray[np.float64]] = defaultdict(lambda: np.zeros(384))
        for (customer, product), frequency in tables.frequencies.items():
            sums[customer] += np.log1p(frequency) * tables.products[product]
        tables.vectors = {customer: vector / np.linalg.norm(vector) for customer, vector in sums.items()}
        return tables


def rows(connection: psycopg.Connection, query: str) -> list[tuple]:
    return connection.execute(query.encode()).fetchall()


def members(connection: psycopg.Connection) -> dict[str, Members]:
    return {
        audience: set(users)
        for audience, users in rows(
            connection, "select audience, array_agg(user_id) from audience_members group by audience"
        )
    }


def nearest_segment(connection: psycopg.Connection, tables: Tables) -> Members:
    """Who is nearest to the centroid of segment 2, in the published run."""
    ((average,),) = rows(
        connection,
        "select average::real[] from segmentation_runs r join segmentations g on g.published_run_id = r.run_id",
    )
    found = rows(
        connection,
        "select segment_id, centroid::real[] from run_segments s join segmentations g on g.published_run_id = s.run_id",
    )
    centroids = {segment: np.array(centroid) for segment, centroid in found}
    seen = {user: vector - np.array(average) for user, vector in tables.vectors.items()}
    return {
        user
        for user, vector in seen.items()
        if min(centroids, key=lambda s: np.linalg.norm(centroids[s] - vector / np.linalg.norm(vector))) == 2
    }


def all_is_right(connection: psycopg.Connection) -> Tables:
    """Check activity, vectors and the members of all three audiences against the tables."""
    tables = Tables.read(connection)
    activity = rows(
        connection,
        "select user_id, entry, frequency from activity join users using (user_key) join entries using (entry_key)",
    )
    assert {(user, entry): frequency for user, entry, frequency in activity} == pytest.approx(tables.frequencies)
    found = dict(rows(connection, "select user_id, embedding::real[] from user_vectors"))
    assert found.keys() == tables.vectors.keys()
    assert min(tables.vectors[user] @ np.array(vector) for user, vector in found.items()) > 1 - 1e-5
    are = members(connection)
    for audience, (query, size) in SEARCHES.items():
        ids, scores = expected_scores(connection, "hybrid", 0.75, 2, query)
        may = {
            user: score
            for user, score in zip(ids, scores, strict=True)
            if audience == CHRISTMAS or tables.countries[user] == "Germany"
        }
        border = sorted(may.values(), reverse=True)[size - 1]
        assert len(are[audience]) == size
        assert {user for user, score in may.items() if score > border + ROUNDING} <= are[audience]
        assert are[audience] <= {user for user, score in may.items() if score > border - ROUNDING}
    assert are[SEGMENT] == nearest_segment(connection, tables)
    assert rows(connection, "select from audiences where fault is not null") == []
    assert rows(connection, "select stale from status") == [(False,)]
    return tables


def replayed(connection: psycopg.Connection) -> dict[str, Members]:
    """The members that who came and who left add up to; nobody enters or leaves twice in a row."""
    are: dict[str, Members] = defaultdict(set)
    for audience, user, change in rows(
        connection, "select audience, user_id, change from audience_changes order by change_id"
    ):
        assert (user in are[audience]) == (change == "left"), (audience, user, change)
        are[audience] ^= {user}
    return are


def a_day(connection: psycopg.Connection, chance: random.Random) -> None:
    """Orders of known and of new products, corrections, cancellations, a new customer, one who moves."""
    customers = [customer for (customer,) in rows(connection, "select id from public.customers order by id")]
    new = str(chance.randrange(90000, 99999))
    connection.execute("insert into public.customers values (%s, 'Germany') on conflict do nothing", [new])
    for customer in (new, *chance.sample(customers, 20)):
        product = f"CHRISTMAS STAR NO {chance.randrange(10**6)}"
        connection.execute(
            "insert into public.orders (customer, product, quantity)"
            " select %s, %s, 5 union all (select %s, product, 2 from public.orders where id %% 900 = %s limit 3)",
            [customer, product if chance.random() < 0.2 else "PARTY BUNTING", customer, chance.randrange(900)],
        )
    lines = chance.sample(range(1, 30000), 60)
    connection.execute("update public.orders set quantity = quantity + 3 where id = any (%s)", [lines[30:]])
    connection.execute("delete from public.orders where id = any (%s)", [lines[:30]])
    connection.execute(
        "update public.customers set country = case country when 'Germany' then 'France' else 'Germany' end"
        " where id = any (%s)",
        [chance.sample(customers, 3)],
    )


def test_the_day_of_the_readme(url: str, connection: psycopg.Connection) -> None:
    before = all_is_right(connection)
    were = members(connection)
    assert FORGOTTEN in were[CHRISTMAS]
    ((last,),) = rows(connection, "select max(change_id) from audience_changes")
    steps = dict(rows(connection, "select step, counts from runs"))
    assert steps["embed"] == {"embedded": 155, "waiting": 0, "failed": 0}

    follow(url, DAY)

    after = all_is_right(connection)
    gone = before.frequencies.keys() - after.frequencies.keys()
    assert {customer for customer, _ in gone} == {"16549", FORGOTTEN}
    assert all("CHRISTMAS" in product for customer, product in gone if customer != FORGOTTEN)
    assert (before.countries["12377"], after.countries["12377"]) == ("Switzerland", "Germany")
    done = rows(connection, "select step, counts, fault from runs where run_id = 2 order by started_at")
    assert [step for step, _, _ in done] == ["sync", "embed", "refresh", "segmentation interests", "audiences"]
    assert all(fault is None for _, _, fault in done)
    assert done[1][1] == {"embedded": 1, "waiting": 0, "failed": 0}
    moved: dict[tuple[str, str], Members] = defaultdict(set)
    for audience, user, change in rows(
        connection, f"select audience, user_id, change from audience_changes where change_id > {last}"
    ):
        moved[audience, change].add(user)
    are = members(connection)
    for audience in were:
        assert moved[audience, "entered"] == are[audience] - were[audience]
        assert moved[audience, "left"] | {FORGOTTEN} == (were[audience] - are[audience]) | {FORGOTTEN}
    assert moved[CHRISTMAS, "entered"], dict(moved)
    assert rows(connection, f"select * from user_traces('{FORGOTTEN}', -1)") == []
    rejects = {(source, reason) for source, reason in rows(connection, "select source, reason from source_rejects")}
    assert {reason for _, reason in rejects} == {"a user who was forgotten"} and len(rejects) == 2


def test_what_the_run_embeds_is_what_the_model_says(connection: psycopg.Connection) -> None:
    provider = SentenceTransformersProvider("all-MiniLM-L6-v2")
    connection.execute(
        "insert into public.orders (customer, product, quantity)"
        " select '12346', p, 1 from unnest(array['Felt reindeer, red', 'Crème brûlée set', 'Laterne 🎄 aus Holz']) p"
    )
    connection.execute("call run()")
    found = rows(
        connection, "select entry, embedding::real[] from entries join entry_vectors using (entry_key)"
        " order by entry_key desc limit 3",
    )  # fmt: skip
    expected = provider.embed([entry for entry, _ in found])
    assert {entry for entry, _ in found} == {"Felt reindeer, red", "Crème brûlée set", "Laterne 🎄 aus Holz"}
    assert min((expected * np.array([vector for _, vector in found])).sum(axis=1)) > LEAST_COSINE
    all_is_right(connection)


def test_killed_at_ten_random_moments_it_goes_on(url: str, connection: psycopg.Connection) -> None:
    chance = random.Random(7)
    a_day(connection, chance)
    started = time.monotonic()
    connection.execute("call run()")
    usual = time.monotonic() - started
    unfinished: list[str] = []
    for _ in range(10):
        a_day(connection, chance)
        with connect(url, SPACE, autocommit=True) as victim:

            def work(victim: psycopg.Connection = victim) -> None:
                with contextlib.suppress(psycopg.Error):
                    victim.execute("call run()")

            thread = threading.Thread(target=work)
            thread.start()
            time.sleep(chance.uniform(0, usual))
            connection.execute("select pg_terminate_backend(%s)", [victim.info.backend_pid])
            thread.join()
        unfinished += [step for (step,) in rows(connection, "select step from runs where finished_at is null")]
        connection.execute("delete from runs where finished_at is null")
    assert len(unfinished) > 4 and len(set(unfinished)) > 1, unfinished
    connection.execute("call run()")
    all_is_right(connection)
    assert replayed(connection) == members(connection)


def test_two_at_once_do_no_harm(url: str, connection: psycopg.Connection) -> None:
    faults: list[BaseException] = []

    def working() -> None:
        try:
            with connect(url, SPACE, autocommit=True) as each:
                for _ in range(2):
                    each.execute("call run()")
        except BaseException as error:
            faults.append(error)

    threads = [threading.Thread(target=working) for _ in range(2)]
    a_day(connection, chance := random.Random(8))
    for thread in threads:
        thread.start()
    a_day(connection, chance)
    for thread in threads:
        thread.join()
    assert not faults
    connection.execute("call run()")
    all_is_right(connection)
    assert replayed(connection) == members(connection)
