"""Timed events as texts, one a session: how they are told, and how well they tell people apart."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner
from sklearn.metrics import silhouette_score

from conftest import connect, shared
from pgaudience.cli import cli
from pgaudience.errors import PgaudienceError
from pgaudience.loading.load import load
from pgaudience.reading import Columns, Rejects, SequenceTemplate, open_source
from pgaudience.reading.sequences import SECOND

pytestmark = pytest.mark.newest

VISITS = "{weekday} {time}, Visits: {entry} ({seconds}s) → …"
TEXT = """user,site,date,seconds
bob,mail,2024-01-09T08:00:00,5
ann,shop,2024-01-08T14:15:20,7
ann,news,2024-01-08T14:15:00,20
ann,news,2024-01-08T14:45:20,1
ann,mail,2024-01-08T15:15:21,1
"""


def told(folder: Path, text: str, template: str, gap: float | None = 30, **columns: str) -> list[tuple[str, str]]:
    (folder / "visits.csv").write_text(text)
    with open_source(
        folder / "visits.csv", format=None, columns=Columns(**columns), rejects=Rejects(),
        sequences=SequenceTemplate.of(template, gap),
    ) as source:  # fmt: skip
        return [pair for chunk in source.chunks() for pair in zip(chunk.users, chunk.entries, strict=True)]


def test_a_session_is_a_text(tmp_path: Path) -> None:
    assert sorted(told(tmp_path, TEXT, VISITS)) == [
        ("ann", "Monday 14:15, Visits: news (20s) → shop (1800s) → news (0s)"),
        ("ann", "Monday 15:15, Visits: mail (0s)"),
        ("bob", "Tuesday 08:00, Visits: mail (0s)"),
    ]


def test_a_column_says_what_a_session_is(tmp_path: Path) -> None:
    lines = TEXT.replace(",seconds\n", ",seconds,visit\n").splitlines()
    text = "\n".join([lines[0], *(f"{line},{'x' if at % 2 else 'y'}" for at, line in enumerate(lines[1:]))])
    found = told(tmp_path, text, "{entry}, …", None, session="visit")
    assert sorted(found) == [("ann", "news, mail"), ("ann", "shop, news"), ("bob", "mail")]
    found = told(tmp_path, text, "{entry}, …", 30, session="visit")
    assert sorted(found) == [("ann", "mail"), ("ann", "news"), ("ann", "shop, news"), ("bob", "mail")]


@pytest.mark.parametrize(
    ("template", "opening", "event", "separator"),
    [
        (VISITS, "{weekday} {time}, Visits: ", "{entry} ({seconds}s)", " → "),
        ("{entry} …", "", "{entry}", " "),
        ("{entry}…", "", "{entry}", " "),
        ("{entry}, ...", "", "{entry}", ", "),
        ("On {date}: {entry} x {frequency} times, then …", "On {date}: ", "{entry} x {frequency} times,", " then "),
    ],
)
def test_parts_of_a_template(template: str, opening: str, event: str, separator: str) -> None:
    assert SequenceTemplate.of(template, 1) == SequenceTemplate(opening, event, separator, 60 * SECOND)


@pytest.mark.parametrize(
    "template",
    ["{entry}", "Visits: …", "{entry} {weekday} …", "{seconds} {entry} …", "{user} {entry} …", "{entry.x} …"],
)
def test_what_is_no_template(template: str) -> None:
    with pytest.raises(PgaudienceError, match="template of a sequence") as caught:
        SequenceTemplate.of(template, None)
    assert "As in: '{weekday} {time}, Visits:" in (caught.value.hint or "")


def test_events_need_times(tmp_path: Path) -> None:
    with pytest.raises(PgaudienceError, match=r"no column of .* says when"):
        told(tmp_path, "user,site\nann,news\n", VISITS)
    with pytest.raises(PgaudienceError, match=r"some rows of .* say no time"):
        told(tmp_path, "user,site,date\nann,news,\n", VISITS)
    assert told(tmp_path, "user,site,date\n", VISITS) == []


def test_a_long_session_becomes_several_texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pgaudience.reading.sequences.MOST_EVENTS", 2)
    assert sorted(told(tmp_path, TEXT, "{entry} …", 600))[:3] == [
        ("ann", "news mail"), ("ann", "news shop"), ("bob", "mail"),
    ]  # fmt: skip


def test_texts_are_loaded_once(space: str, tmp_path: Path) -> None:
    (tmp_path / "visits.csv").write_text(TEXT + ",nobody,2024-01-01,1\n")

    def run(template: str, mode: str) -> None:
        rejects = Rejects()
        with connect(space) as connection:
            source = open_source(
                tmp_path / "visits.csv", format=None, columns=Columns(frequency="seconds"), rejects=rejects,
                sequences=SequenceTemplate.of(template, 30),
            )  # fmt: skip
            load(connection, [source], mode=mode)  # type: ignore[arg-type]

    query = """
    select u.user_id, e.entry, a.frequency, a.first_at::text from activity a join users u using (user_key)
    join entries e using (entry_key) order by 1, 2
    """
    run("{entry} ({frequency}) → …", "replace")
    with connect(space) as connection:
        found = connection.execute(query.encode()).fetchall()
        assert found[1] == ("ann", "news (20) → shop (7) → news (1)", 1, "2024-01-08 14:15:00+00")
        assert connection.execute("select rows_read, rows_rejected from loads").fetchall() == [(4, 1)]
    with pytest.raises(PgaudienceError, match="was loaded before"):
        run("{entry} ({frequency}) → …", "add")
    run("{entry} …", "add")
    with connect(space) as connection:
        assert connection.execute("select count(*) from activity").fetchone() == (6,)


@pytest.mark.slow
def test_sessions_of_households(database: str, tmp_path: Path) -> None:
    """Real baskets as texts, by the command: how well words and pairs of them tell households apart."""
    with gzip.open(shared("completejourney/events_timed.csv.gz"), "rt") as file:
        header, *lines = csv.reader(file)
    users = sorted({line[0] for line in lines})[:40]
    with (tmp_path / "baskets.csv").open("w") as file:
        csv.writer(file).writerows([header, *(line for line in lines if line[0] in users)])

    def command(*words: str) -> None:
        done = CliRunner().invoke(cli, ["--database", database, "--schema", "baskets", *words])
        assert done.exit_code == 0, done.output

    command("migrate", "--model", "tfidf", "--dimensions", "64")
    command(
        "load", str(tmp_path / "baskets.csv"), "--session-gap", "1440", "--sequence-template", "{weekday}: {entry}; …",
        "--rejects", str(tmp_path / "rejects.csv"),
    )  # fmt: skip
    with psycopg.connect(database, options="-c search_path=baskets,public") as connection:
        found = connection.execute("select value, entries, silhouette from entry_label_silhouette()").fetchall()
        rows = connection.execute("""
        select min(a.user_key), v.embedding::real[]
        from activity a join entry_vectors v using (entry_key) group by v.entry_key having count(*) = 1
        """).fetchall()
    people, vectors = zip(*rows, strict=True)
    assert found[0][:2] == (None, len(rows))
    assert found[0][2] == pytest.approx(silhouette_score(vectors, people, metric="cosine"), abs=1e-4)
    assert len(found) == 1 + len(set(people)) > 38
