"""Graphs as activity: who is linked with whom, each with oneself, so that a neighbourhood is a basket."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np
import pytest

from conftest import connect, shared
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, open_source
from test_behaviour import derive, rows, trained

pytestmark = [pytest.mark.slow, pytest.mark.newest]

Edges = list[tuple[str, str]]


def load_graph(url: str, folder: Path, edges: Edges) -> dict[str, np.ndarray]:
    """Load the edges both ways and every node with itself, and return what is learned of the nodes."""
    with (folder / "edges.csv").open("w") as file:
        lines = {line for a, b in edges for line in ((a, b), (b, a), (a, a), (b, b))}
        csv.writer(file).writerows([("who", "whom"), *sorted(lines)])
    with connect(url) as connection:
        columns = Columns(user="who", entry="whom")
        load(connection, [open_source(folder / "edges.csv", format=None, columns=columns, rejects=Rejects())])
    derive(url, dimensions=8)
    trained(url)
    query = "select e.entry, v.embedding::real[] from entry_vectors v join entries e using (entry_key)"
    return {node: np.array(vector) for node, vector in rows(url, query)}


def separation(vectors: dict[str, np.ndarray], linked: Edges, others: Edges) -> float:
    """The area under the curve: how often the cosine of a pair that is linked is above that of one that is not."""
    one, other = ([vectors[a] @ vectors[b] for a, b in pairs] for pairs in (linked, others))
    return float(np.mean(np.array(one)[:, None] > np.array(other)))


def test_friends_of_friends(space: str, tmp_path: Path) -> None:
    """Of four circles of friends, a fifth of the friendships hidden: they are told from strangers."""
    random = np.random.default_rng(0)
    people = [f"person {n}" for n in range(60)]
    pairs = [(n, m) for n in range(60) for m in range(n)]
    are_friends = [random.random() < (0.45 if n % 4 == m % 4 else 0.03) for n, m in pairs]
    named = [(people[n], people[m]) for n, m in pairs]
    friends = [pair for pair, told in zip(named, are_friends, strict=True) if told]
    strangers = [pair for pair, told in zip(named, are_friends, strict=True) if not told]
    random.shuffle(friends)
    hidden, seen = friends[: len(friends) // 5], friends[len(friends) // 5 :]
    vectors = load_graph(space, tmp_path, seen)
    assert separation(vectors, hidden, strangers) > 0.7
    near = rows(space, "select user_id from similar_users('person 0', k => 10)")
    assert sum(int(user.split()[1]) % 4 == 0 for (user,) in near) >= 7
    assert rows(space, "select entry from search_entries('person 0', k => 1)") == [("person 0",)]


def test_people_and_what_they_search_for(space: str, tmp_path: Path) -> None:
    """A bipartite graph: people and places have vectors in one space."""
    with gzip.open(shared("livnlearn/events_bipartite.csv.gz"), "rt") as file:
        _, *lines = csv.reader(file)
    edges = [(person, place) for person, place, _ in lines]
    vectors = load_graph(space, tmp_path, edges)
    others = [(a, b) for a in {a for a, _ in edges} for b in {b for _, b in edges} if (a, b) not in set(edges)]
    assert separation(vectors, edges, others) > 0.75
    assert set(vectors) == {node for edge in edges for node in edge}
