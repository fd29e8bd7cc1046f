"""The command line as a user meets it: a process, its output, its exit status."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from conftest import connect
from pgaudience.printing import print_table


def command(url: str, *args: str, cwd: Path | None = None, text: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pgaudience", *args],
        env={**os.environ, "PGAUDIENCE_DATABASE_URL": url},
        cwd=cwd, input=text, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def test_help_loads_nothing_heavy() -> None:
    script = (
        "import sys, pgaudience.cli\n"
        "heavy = {'torch', 'sentence_transformers', 'openai', 'sqlalchemy', 'alembic', 'psycopg', 'numpy', 'pyarrow'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", script], text=True) == "[]\n"


def test_a_load_says_what_became_of_every_row(space: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("customer,item,count\nann,Ski,2\n,Ski,1\nbob,Ski,-1\nbob,Bar\n")
    done = command(space, "load", "rows.csv", "--no-embed", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "rows.csv: user = customer, entry = item, frequency = count" in done.stderr
    assert "rows.csv: 4 rows read, 1 accepted, 3 rejected" in done.stderr
    assert "line 3: blank user" in done.stderr
    assert len((tmp_path / "pgaudience.rejects.csv").read_text().splitlines()) == 4
    assert done.stdout == ""


@pytest.mark.slow
def test_entries_get_attributes_and_a_template(space: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("user,item\nann,Ski\nann,Bar\n")
    (tmp_path / "items.csv").write_text("item,kind\nSki,sport\nSki,snow\nTea,drink\n")
    done = command(space, "load", "rows.csv", "--entries", "items.csv", "--no-embed", "--no-refresh", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "items.csv: 3 rows read, 3 accepted, 0 rejected" in done.stderr
    assert "\n1 entries have new attributes\n  1 entries have several values of kind, kept as a list\n" in done.stderr
    assert "  1 texts are of no entry in the space, and were left out" in done.stderr
    with connect(space, autocommit=True) as connection:
        connection.execute("insert into entry_vectors select entry_key, '[1,0,0]' from entries")
    done = command(space, "migrate", "--entry-template", "{entry} ({kind}, {colour})")
    assert "is now '{entry} ({kind}, {colour})'; 1 entries have another text by it" in done.stderr
    assert "No entry has an attribute colour yet" in done.stderr
    again = command(space, "migrate", "--entry-template", "{entry} ({kind}, {colour})")
    assert again.stderr.splitlines() == [
        "Space audience: up to date (tests:handmade, 3 dimensions)",
        "tests:handmade does not run inside PostgreSQL: 'tests:handmade' names no embedding model",
    ]
    with connect(space) as connection:
        texts = connection.execute("select text from entry_texts order by text").fetchall()
    assert texts == [("Bar",), ("Ski (sport, snow)",)]


def test_rows_as_texts(space: str, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("customer,age,job\nc1,58,cook\nc2,,\n")
    done = command(space, "load", "people.csv", "--row-template", "Age {age}, {job}", "--no-embed", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "people.csv: user = customer, attributes = age, job" in done.stderr
    assert "1  no value for the template" in done.stderr
    with connect(space) as connection:
        assert connection.execute("select entry from entries").fetchall() == [("Age 58, cook",)]


def test_standard_input(space: str, tmp_path: Path) -> None:
    done = command(space, "load", "-", "--format", "jsonl", "--no-embed", "--no-refresh",
                   text='{"user": "ann", "entry": "Ski"}\n', cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
    with connect(space) as connection:
        assert connection.execute("select frequency from activity").fetchall() == [(1,)]


def test_strict_stops_with_one_line_and_a_hint(space: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("user,item\nann,Ski\nann,\n")
    done = command(space, "load", "rows.csv", "--strict", cwd=tmp_path)
    assert done.returncode == 1
    assert "Error: " in done.stderr and "line 3" in done.stderr and "Hint: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--schema", "nowhere", "status"], "there is no space 'nowhere'"),
        (["--schema", "no where", "status"], "pgaudience --schema 'no where' migrate"),
        (["load", "missing.csv"], "missing.csv"),
        (["load"], "Give a FILE"),
        (["load", "--query", "select 1"], "go together"),
        (["load", "--entries", "missing.csv"], "missing.csv"),
        (["load", "rows.csv", "--row-template", "Age {age"], "Write {entry}, or {name}"),
        (["load", "rows.csv", "--row-template", "{age}", "--entry", "age"], "the row itself is the entry"),
        (["migrate", "--entry-template", "a product"], "names no value"),
        (["search", "  "], "blank"),
        (["search", "ski", "--filter", "{bad"], "is no JSON"),
        (["search", "ski", "--breadth", "2"], "0.5<=x<=1"),
        (["similar", "nobody", "--filter", "{bad"], "is no JSON"),
        (["lookalikes"], "Missing argument"),
        (["lookalikes", "nobody"], "no user has a vector yet"),
        (["segment", "interests"], "no user has a vector yet"),
        (["segment", "interests", "--filter", "{bad"], "is no JSON"),
        (["segment", "interests", "--filter", "[]"], "filter is a JSON object"),
        (["segment", " "], "needs a name"),
        (["--schema", "x" * 49, "migrate"], "cannot be named"),
        (["--schema", "$user", "migrate"], "cannot be named"),
        (["--schema", "audience_bi", "migrate"], "already has relations"),
        (["migrate", "--model", "magic"], "names no embedding model"),
        (["migrate", "--dimensions", "128"], "goes with --model"),
        (["migrate", "--model", "sentence-transformers:all-MiniLM-L6-v2"], "is made for tests:handmade"),
    ],
)
def test_what_goes_wrong_is_said_without_a_traceback(space: str, args: list[str], message: str, tmp_path: Path) -> None:
    done = command(space, *args, cwd=tmp_path)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unreachable_database(tmp_path: Path) -> None:
    done = command(f"postgresql://nobody@/nothing?host={tmp_path}", "status")
    assert done.returncode == 1
    assert "cannot connect" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.slow
def test_search_embeds_a_new_text_in_sql(places: str) -> None:
    done = command(places, "search", "winter sports", "-k", "2")
    assert done.returncode == 0, done.stderr
    assert "user_ski_only" in done.stdout.splitlines()[3]
    assert not [line for line in done.stdout.splitlines() if line.endswith(" ")]
    with connect(places) as connection:
        assert connection.execute("select query_source('winter sports')").fetchone() == ("encoder",)


@pytest.mark.slow
@pytest.mark.parametrize(
    "args, query",
    [
        (
            ["search", "horror fans", "-k", "4", "--mode", "evidence", "--breadth", "0.5", "--min-entries", "3",
             "--not-padded"],
            "select * from search_users('horror fans', k => 4, mode => 'evidence', breadth => 0.5, min_entries => 3,"
            " padded => false)",
        ),
        (
            ["search", "horror fans", "--filter", '{"home": "city"}', "--evidence-weight", "0"],
            "select * from search_users('horror fans', filter => '{\"home\": \"city\"}', evidence_weight => 0)",
        ),
        (
            ["explain", "user_ski_tennis_horror", "horror fans", "--evidence-weight", "1", "--breadth", "1"],
            "select * from explain_match('user_ski_tennis_horror', 'horror fans', evidence_weight => 1, breadth => 1)",
        ),
        (
            ["similar", "user_ski_only", "-k", "3", "--by", "both", "--not-centered", "--min-entries", "4"],
            "select * from similar_users('user_ski_only', k => 3, by => 'both', centered => false, min_entries => 4)",
        ),
        (
            ["lookalikes", "user_ski_only", "user_ski_tennis_horror", "--fraction", "0.5", "--unlike", "user_luxury"],
            "select * from lookalikes('{user_ski_only,user_ski_tennis_horror}', fraction => 0.5,"
            " unlike => '{user_luxury}')",
        ),
        (["lookalikes", "user_ski_only", "-k", "2"], "select * from lookalikes('{user_ski_only}', k => 2)"),
    ],
)  # fmt: skip
def test_questions_are_those_of_sql(
    places: str, args: list[str], query: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with connect(places) as connection:
        connection.execute("update users set attributes = jsonb_build_object('home', 'city') where user_key < 8")
        connection.commit()
        print_table(connection.execute(query.encode()))
    expected = capsys.readouterr().out
    done = command(places, *args)
    assert done.returncode == 0, done.stderr
    assert done.stdout == expected and len(expected.splitlines()) > 3


@pytest.mark.slow
def test_status_and_check(places: str) -> None:
    status = command(places, "status")
    assert ["entries", "38"] in [line.split() for line in status.stdout.splitlines()]
    assert command(places, "check").returncode == 0
    with connect(places, autocommit=True) as connection:
        connection.execute("update space set weighting = 'sqrt'")
    failed = command(places, "check")
    assert failed.returncode == 1 and "pgaudience refresh" in failed.stdout
    assert command(places, "refresh").returncode == 0
    assert command(places, "check").returncode == 0


def test_psql_and_url(places: str) -> None:
    assert command(places, "url").stdout.strip() == places
    done = command(places, "psql", "--no-align", "--tuples-only", "-c", "select users from status")
    assert done.stdout == "10\n", done.stderr


@pytest.mark.slow
def test_the_demo_twice_and_beside_other_data(places: str, tmp_path: Path) -> None:
    for _ in range(2):
        again = command(places, "demo", cwd=tmp_path)
        assert again.returncode == 0, again.stderr
        assert "user_ski_with_daily_life" in again.stdout and "Go on in SQL" in again.stdout
        assert "pgaudience-demo.html" in again.stdout and (tmp_path / "pgaudience-demo.html").exists()
    with connect(places) as connection:
        assert connection.execute("select count(*) from segmentation_runs").fetchone() == (1,)
    (tmp_path / "own.csv").write_text("user,item\nann,Ski\n")
    assert command(places, "load", "own.csv", "--no-embed", cwd=tmp_path).returncode == 0
    refused = command(places, "demo", cwd=tmp_path)
    assert refused.returncode == 1 and "already holds other data" in refused.stderr


@pytest.mark.slow
def test_index_and_searches_of_every_size(space: str) -> None:
    """Five thousand users around a circle: an index scan gives too few rows for a large k or a narrow filter."""
    with connect(space, autocommit=True) as connection:
        connection.execute("insert into entries (entry) select 'e' || n from generate_series(1, 5000) n")
        connection.execute(
            "insert into entry_vectors (entry_key, embedding)"
            " select entry_key, array[cos(entry_key), sin(entry_key), entry_key % 7]::vector from entries"
        )
        connection.execute(
            "insert into users (user_id, attributes) select 'u' || n, jsonb_build_object('rare', n %% 1000 = 0)"
            " from generate_series(1, 5000) n", []
        )  # fmt: skip
        connection.execute(
            "insert into activity (user_key, entry_key, frequency) select n, n, 1 from generate_series(1, 5000) n"
        )
        connection.execute("call refresh()")
        assert command(space, "index").returncode == 0
        assert command(space, "index").returncode == 0
        connection.execute("analyze")
        for k in (20, 300, 1000, 4999, 9999):
            ((found, best),) = connection.execute(
                "select count(*), max(score) from search_users('[1,0,0]'::vector, k => %s, mode => 'mean')", [k]
            ).fetchall()
            assert found == min(k, 5000) and best > 0.99
            (entries,) = connection.execute(
                "select count(*) from search_entries('[1,0,0]'::vector, k => %s)", [k]
            ).fetchall()
            assert entries == (min(k, 5000),)
            (similar,) = connection.execute("select count(*) from similar_users('u7', k => %s)", [k]).fetchall()
            assert similar == (min(k, 4999),)
        rare = "select count(*) from search_users('[1,0,0]'::vector, filter => '{\"rare\": true}', mode => 'mean')"
        assert connection.execute(rare).fetchone() == (5,)
        exact = connection.execute(
            "select array_agg(user_id) from search_users('[1,0,0]'::vector, k => 20, mode => 'mean')"
        ).fetchone()
        plan = connection.execute(
            "explain select user_id from user_vectors order by embedding <=> '[1,0,0]'::vector limit 5"
        ).fetchall()
        assert "user_vectors_embedding" in str(plan)
        connection.execute("update space set weighting = 'sqrt'")
        connection.execute("call refresh()")
        indexes = connection.execute("select count(*) from pg_indexes where indexname like '%%_vectors_embedding'", [])
        assert indexes.fetchone() == (3,)
        assert command(space, "index", "--drop").returncode == 0
        without = connection.execute(
            "select array_agg(user_id) from search_users('[1,0,0]'::vector, k => 20, mode => 'mean')"
        ).fetchone()
        assert len(set(exact[0]) & set(without[0])) >= 18  # type: ignore[index]


def test_segment_prints_what_the_segments_are(toy: str) -> None:
    done = command(toy, "segment", "interests", "--k", "2")
    assert done.returncode == 0, done.stderr
    said = done.stderr.splitlines()
    assert said[0] == "Segmenting interests: fitting 2 segments to a sample"
    assert re.fullmatch(r"Segmenting interests: \d+\.\d s", said[-1])
    header, _, run = done.stdout.splitlines()[1:4]
    assert header.split()[:3] == ["run_id", "k", "users"] and header.split()[-1] == "published"
    assert run.split()[:3] == ["1", "2", "5"] and run.split()[-1] == "yes"
    assert "Coffee Bar, Supermarket" in done.stdout


@pytest.mark.slow
def test_segment_says_why_it_does_not_publish(toy: str) -> None:
    assert command(toy, "segment", "interests", "--k", "2").returncode == 0
    done = command(toy, "segment", "interests", "--k", "4", "--from-scratch", "--max-churn", "0.1")
    assert done.returncode == 0, done.stderr
    assert "run 2 of 'interests' is stored but not published" in done.stderr
    assert "call publish_run(2);" in done.stderr
    assert done.stdout.splitlines()[3].split()[-1] == "no"
    with connect(toy) as connection:
        assert connection.execute("select count(*) from segments").fetchone() == (2,)
    assert command(toy, "psql", "-c", "call publish_run(2)").returncode == 0
    with connect(toy) as connection:
        assert connection.execute("select count(*) from segments").fetchone() == (4,)


def test_segment_on_a_terminal(toy: str) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "pgaudience", "segment", "interests", "-k", "2"],
        env={**os.environ, "PGAUDIENCE_DATABASE_URL": toy, "TERM": "xterm", "COLUMNS": "120"},
        stdout=subprocess.PIPE, stderr=theirs, text=True, timeout=60,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "⠋" in shown and "Segmenting interests: placing all users" in shown
    assert "⠋" not in done.stdout and "published" in done.stdout


def test_a_bar_on_a_terminal(space: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("user,item\nann,Ski\n")
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "pgaudience", "load", "rows.csv", "--no-embed", "--no-refresh"],
        env={**os.environ, "PGAUDIENCE_DATABASE_URL": space, "TERM": "xterm", "COLUMNS": "120"},
        cwd=tmp_path, stderr=theirs, timeout=60,
    )  # fmt: skip
    os.close(theirs)
    shown = os.read(ours, 100_000).decode()
    os.close(ours)
    assert done.returncode == 0
    assert "bytes/s" in shown and "━" in shown


@pytest.mark.slow
def test_an_interrupt_loads_nothing_and_says_so(space: str, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "pgaudience", "load", "-", "--format", "csv", "--no-embed"],
        env={**os.environ, "PGAUDIENCE_DATABASE_URL": space},
        cwd=tmp_path, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a test run in the background ignores it
    )  # fmt: skip
    assert process.stdin is not None
    process.stdin.write("user,item\nann,Ski\n")
    process.stdin.flush()
    with connect(space, autocommit=True) as connection:
        at_work = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
        for _ in range(600):
            if connection.execute(at_work).fetchone() != (0,):
                break
            time.sleep(0.1)
        time.sleep(1)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 130 and "Interrupted" in errors
        assert connection.execute("select count(*) from users").fetchone() == (0,)


EVENTS = """user,entry,occurred_at
ann,Ski,2026-01-31
ann,Ski,2026-02-01T00:00:00Z
ann,Bar,2026-02-28T23:59:59Z
bob,Bar,2026-03-01
bob,Bar,
"""


@pytest.mark.slow
def test_a_period_of_events(space: str, tmp_path: Path) -> None:
    """From one time on and before another; the same file in another period is another source."""
    (tmp_path / "events.csv").write_text(EVENTS)
    february = ("load", "events.csv", "--no-embed", "--mode", "add", "--since", "2026-02-01", "--until", "2026-03-01")
    done = command(space, *february, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "3 accepted rows are out of the period" in done.stderr
    with connect(space) as connection:
        query = (
            "select user_id, entry, frequency from activity join users using (user_key) join entries using (entry_key)"
        )
        assert sorted(connection.execute(query).fetchall()) == [("ann", "Bar", 1), ("ann", "Ski", 1)]
    assert "--force" in command(space, *february, cwd=tmp_path).stderr
    assert command(space, *february[:-2], "--until", "2026-04-01", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--since", "soon"], "'soon' is not a time"),
        (["--since", "2026-02-01", "--until", "2026-02-01"], "is not before"),
    ],
)
def test_periods_that_make_no_sense(space: str, tmp_path: Path, arguments: list[str], said: str) -> None:
    (tmp_path / "events.csv").write_text(EVENTS)
    done = command(space, "load", "events.csv", *arguments, cwd=tmp_path)
    assert done.returncode == 1
    assert said in done.stderr


def test_a_period_without_times(space: str, tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("user,entry\nann,Ski\n")
    done = command(space, "load", "rows.csv", "--since", "2026-02-01", cwd=tmp_path)
    assert done.returncode == 1
    assert "no column says when" in done.stderr
    with connect(space) as connection:
        assert connection.execute("select count(*) from activity").fetchone() == (0,)
