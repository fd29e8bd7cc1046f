"""What `make bench-spaces` measures: halves of users, and the measures of spaces on people who go together."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from judging import known
from judging.filling import filled
from judging.halves import LATE, Cut, cut
from judging.tastes import BEHAVIOUR, BLEND, TEXT, judge
from targets import table

from pgaudience.embedding.registry import DEFAULT_MODEL, provider_for


def compressed(path: Path, lines: list[str]) -> Path:
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")
    return path


def test_users_are_cut_by_their_occasions(tmp_path: Path) -> None:
    lines = ["user_id,entry,occurred_at", "ann,tea,2026-01-01", "ann,rum,2026-01-01", "ann,tea,2026-01-02",
             "ann,gin,2026-01-03", " ,tea,2026-01-01", "bob,tea,2026-01-01"]  # fmt: skip
    halves = cut(compressed(tmp_path / "events_timed.csv.gz", lines))
    assert halves.halves["ann"] == ({"tea": 1, "rum": 1}, {"tea": 1, "gin": 1})
    assert halves.halves["bob"] == ({}, {"tea": 1})
    assert halves.queries(1, 5) == ["ann"]
    halves.write(tmp_path / "late.csv", early=False, late=True)
    assert (tmp_path / "late.csv").read_text().splitlines()[1:] == [
        f"{LATE}ann,tea,1", f"{LATE}ann,gin,1", f"{LATE}bob,tea,1",
    ]  # fmt: skip


def test_users_without_times_are_cut_by_chance(tmp_path: Path) -> None:
    lines = ["user_id,entry,frequency", *(f"ann,item {n},{n}" for n in range(1, 11))]
    halves = cut(compressed(tmp_path / "events.csv.gz", lines))
    early, late = halves.halves["ann"]
    assert len(early) == len(late) == 5
    assert not set(early) & set(late)
    assert early + late == {f"item {n}": n for n in range(1, 11)}
    assert halves == cut(tmp_path / "events.csv.gz")


def test_the_cost_is_that_of_kmodes() -> None:
    from kmodes.kprototypes import KPrototypes

    random = np.random.default_rng(0)
    people = [
        {"age": str(random.integers(18, 80)), "balance": str(random.integers(0, 5000))}
        | {name: str(random.integers(3)) for name in known.OF_THE_ARTICLE[2:]}
        for _ in range(60)
    ]
    numbers = [known._normal(people, name) for name in known.OF_THE_ARTICLE[:2]]
    rows = np.array([*numbers, *([one[name] for one in people] for name in known.OF_THE_ARTICLE[2:])], dtype=object).T
    fitted = KPrototypes(3, init="Cao", gamma=0.5, random_state=0).fit(rows, categorical=list(range(2, 8)))
    assert known.k_prototypes_cost(people, fitted.labels_) == pytest.approx(fitted.cost_)


@pytest.mark.slow
def test_what_goes_together_is_told_from_what_texts_say(tmp_path: Path) -> None:
    """Of two kinds of users, who have these or those of forty things, whatever they are called."""
    words = "tea rum ski car sun hat pen cup dog cat sea jam key map box net oak pie rug saw".split()  # noqa: SIM905
    kinds = [[f"{colour} {word}" for word in words[kind::2] for colour in ("red", "old")] for kind in (0, 1)]
    random = np.random.default_rng(1)
    lines = ["user_id,entry,frequency"]
    for user in range(240):
        lines += [f"u{user},{kinds[user % 2][n]},1" for n in random.permutation(20)[:12]]
    halves = cut(compressed(tmp_path / "events.csv.gz", lines))
    early, late = tmp_path / "early.csv", tmp_path / "late.csv"
    halves.write(early, early=True, late=False)
    halves.write(late, early=False, late=True)
    provider = provider_for(DEFAULT_MODEL)
    labels = {name: {str(kind)} for kind in (0, 1) for name in kinds[kind]}
    with filled(early, provider) as connection:
        found = judge(connection, Cut(halves.halves), late, provider, labels, {BLEND: {"new": 0.3}}, small=False)
    spaces = found["spaces"]
    for measure in ("new", "re-id", "bits", "p10"):
        low, high = spaces[BEHAVIOUR][measure]["interval"]
        assert low <= spaces[BEHAVIOUR][measure]["mean"] <= high
    assert spaces[BEHAVIOUR]["new"]["mean"] > 0.9
    assert spaces[BEHAVIOUR]["new"]["over_text"]["interval"][0] > 0
    assert spaces[BEHAVIOUR]["bits"]["mean"] > 0.5
    assert spaces[BEHAVIOUR]["p10"]["mean"] == 1
    assert spaces[BLEND]["new"]["over_text"]["gain"] == pytest.approx(
        spaces[BLEND]["new"]["mean"] - spaces[TEXT]["new"]["mean"], abs=1e-3
    )
    shown = table({"toys": found}, 60)
    assert "toys       spaces, blend, new" in shown
