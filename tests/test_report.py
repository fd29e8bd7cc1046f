"""Reports: what they say is what the views say, they ask nobody for anything, and they can be read at every width."""

from __future__ import annotations

import re
from base64 import b64decode
from html import unescape
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from browser import browsing, faults_of
from conftest import connect
from pgaudience.cli import cli
from pgaudience.database import open_space
from pgaudience.errors import PgaudienceError
from pgaudience.mapping import make_map
from pgaudience.reporting import write_report, write_space_report
from pgaudience.reporting.marks import COLOURS, mark_of
from pgaudience.reporting.raster import Layer, draw_points
from pgaudience.reporting.segmentation import read_figures
from pgaudience.reporting.space import read_space
from pgaudience.reporting.words import quieter

pytestmark = pytest.mark.slow

HOSTILE = "<script>alert('x')</script>\"><img src=http://example.com onerror=alert(1)>&amp; {{ 7 * 7 }}"

REBUILD = (
    "update users set attributes = attributes || jsonb_build_object('latitude', 40 + user_key, 'longitude', user_key)",
    "call build_segmentation('interests', k => 4)",
)


def execute(url: str, *statements: str, values: list[object] | None = None) -> None:
    with connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode(), values)


def rows(url: str, query: str) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        return connection.execute(query.encode()).fetchall()


def draw_map(url: str) -> None:
    with connect(url) as connection:
        make_map(connection, open_space(connection, "audience"), "users", "centres", "interests", 2)


def draw_map_of_all(url: str) -> None:
    with connect(url) as connection:
        make_map(connection, open_space(connection, "audience"), "users", "pca", None, 2)


def figures(url: str, name: str | None = None):
    with connect(url) as connection:
        return read_figures(connection, name)


def page(url: str, to: Path, name: str | None = None, **options: bool) -> str:
    with connect(url) as connection:
        write_report(connection, name, to, **options)
    return to.read_text(encoding="utf-8")


def texts(html: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]*>", " ", re.sub(r"(?s)<style>.*?</style>", "", html))))


@pytest.fixture
def full(segmented: str) -> str:
    """A space with everything a report can show."""
    execute(segmented, *REBUILD)
    draw_map(segmented)
    return segmented


def test_a_segment_is_described_in_the_words_of_a_chat_model(full: str, tmp_path: Path) -> None:
    described, *others = [each.segment_id for each in figures(full).segments]
    execute(
        full,
        "insert into segment_descriptions (segmentation, segment_id, run_id, model, seed, prompt_hash, name, sentence,"
        " keywords, prompt_tokens, completion_tokens, rank)"
        " select 'interests', %s, published_run_id, 'chat', 1, gen_random_uuid(), 'Skiers', 'They <ski>.',"
        " array['snow', 'lifts', 'huts'], 9, 9, 1"
        " from segmentations",
        values=[described],
    )
    assert [(each.segment_id, each.description) for each in figures(full).segments] == [
        (described, "They <ski>."),
        *((other, None) for other in others),
    ]
    assert "They &lt;ski&gt;." in page(full, tmp_path / "report.html")
    assert "snow · lifts · huts" in texts(page(full, tmp_path / "report.html"))


def test_its_figures_are_those_of_the_views(full: str) -> None:
    found = figures(full)
    assert {(each.segment_id, each.name, each.users) for each in found.segments} == set(
        rows(full, "select segment_id, name, users from segments where segmentation = 'interests'")
    )
    by_segment = {(each.segment_id, each.entry): each for each in found.grid}
    common = rows(full, "select segment_id, entry, users, lift from segment_entries where segmentation = 'interests'")
    compared = [each for each in common if each[:2] in by_segment]
    assert len(compared) > 5
    for segment_id, entry, users, lift in compared:
        cell = by_segment[segment_id, entry]
        assert cell.users == users
        assert cell.lift == pytest.approx(lift)
    entries = {each.entry for each in found.grid}
    assert len(found.grid) == len(entries) * len(found.segments)
    assert sum(flow.users for flow in found.flows) == 10
    assert sum(flow.users for flow in found.flows if flow.before != flow.after) == found.run.users_moved
    assert found.map is not None and len(found.map.places) == 10
    assert sum(map(len, found.silhouettes.values())) == 10
    assert [each.k for each in found.candidates] == list(range(2, 9))


def test_a_page_asks_nobody_and_runs_nothing(full: str, tmp_path: Path) -> None:
    html = page(full, tmp_path / "report.html")
    assert "default-src 'none'" in html
    assert "<script" not in html
    assert set(re.findall(r'(?:src|href)="([^"#]{0,5})', html)) <= {"data:", ""}
    assert not re.search(r"url\(|@import|https?:", html)


def test_what_is_hostile_is_text(full: str, tmp_path: Path) -> None:
    execute(full, "update entries set entry = %s || entry_key", values=[HOSTILE])
    execute(full, "update users set user_id = %s || user_key", values=[HOSTILE])
    execute(full, "call rename_segment('interests', 1, %s)", values=[HOSTILE])
    execute(full, "update users set attributes = jsonb_build_object(%s::text, %s::text)", values=[HOSTILE, HOSTILE])
    execute(full, "update segmentations set segmentation = %s", values=[HOSTILE])
    execute(full, "call build_segmentation(%s)", values=[HOSTILE])
    html = page(full, tmp_path / "report.html", with_ids=True)
    assert "<script" not in html and "<img src=http" not in html
    assert HOSTILE in texts(html)
    assert html.count("{{ 7 * 7 }}") > 10


def test_ids_are_left_out_unless_asked_for(full: str, tmp_path: Path) -> None:
    assert "user_ski_only" not in page(full, tmp_path / "report.html")
    with_ids = page(full, tmp_path / "report.html", with_ids=True)
    assert any(user in with_ids for (user,) in rows(full, "select user_id from users"))


def test_small_segments_appear_nowhere(full: str, tmp_path: Path) -> None:
    sizes = rows(full, "select segment_id, users, name from segments where segmentation = 'interests' order by users")
    execute(full, f"update segmentations set suppress_below = {sizes[0][1] + 1}")
    hidden = {segment_id for segment_id, users, _ in sizes if users <= sizes[0][1]}
    found = figures(full)
    assert found.run.hidden == len(hidden)
    parts = (found.segments, found.grid, found.top_entries, found.typical, found.attributes, found.history)
    for part in parts:
        assert part and not hidden & {each.segment_id for each in part}
    assert not hidden & {*found.silhouettes, *found.map.segment_ids, *found.places.segment_ids}
    assert not hidden & {each for flow in found.flows for each in (flow.before, flow.after)}
    assert all(flow.users > sizes[0][1] for flow in found.flows)
    said = texts(page(full, tmp_path / "report.html"))
    assert "are not shown" in said
    assert not any(name in said for segment_id, _, name in sizes if segment_id in hidden)
    execute(full, "update segmentations set suppress_below = 11")
    with pytest.raises(PgaudienceError, match="hidden"):
        figures(full)


def test_what_is_not_there_is_said_with_the_command_that_makes_it(places: str, tmp_path: Path) -> None:
    with pytest.raises(PgaudienceError, match="no segmentation"):
        figures(places)
    execute(places, "call build_segmentation('interests')")
    said = texts(page(places, tmp_path / "report.html"))
    for command in (
        "pgaudience map --method centres --segmentation interests",
        "pgaudience load FILE --users ATTRIBUTES",
        "pgaudience segment interests",
    ):
        assert command in said
    execute(places, "call build_segmentation('others', k => 1)")
    with pytest.raises(PgaudienceError, match="which"):
        figures(places)
    assert "A single segment" in texts(page(places, tmp_path / "one.html", "others"))


def test_the_report_of_a_space(full: str, tmp_path: Path) -> None:
    execute(
        full,
        "insert into users (user_id, attributes) select 'n' || n, '{\"tier\": \"gold\"}' from generate_series(1, 10) n",
    )
    execute(full, "update users set attributes = attributes || jsonb_build_object('mail', user_id || '@example.com')")
    execute(full, "update entries set entry = %s || entry_key where entry_key = 1", values=[HOSTILE])
    to = tmp_path / "space.html"
    with connect(full) as connection:
        write_space_report(connection, to)
    html = to.read_text()
    said = texts(html)
    assert "20 users, 38 distinct entries" in said
    assert "gold" in said and "@example.com" not in said
    assert "pgaudience map" in said
    draw_map_of_all(full)
    execute(full, 'update users set attributes = attributes || \'{"rare": "one of a kind"}\' where user_key = 1')
    with connect(full) as connection:
        found = read_space(connection)
        write_space_report(connection, to)
    html = to.read_text()
    assert found.map is not None and len(found.map.places) == 10
    assert html.count("data:image/png") == 1 + len(found.places) > 1
    assert "one of a kind" not in texts(html)
    assert "<script" not in html and "default-src 'none'" in html
    with browsing() as browser:
        for width in (375, 1440):
            assert faults_of(browser, to, width) == []


@pytest.mark.turns("report")
def test_a_reader_may_make_one_and_nothing_is_written(full: str) -> None:
    with connect(full) as connection:
        connection.execute("set role audience_reader")
        connection.commit()
        assert read_figures(connection, "interests").run.users == 10
        connection.execute("reset role")
        before = connection.execute("select pg_current_xact_id_if_assigned()").fetchone()
    assert before == (None,)


def test_the_command(full: str, tmp_path: Path) -> None:
    to = tmp_path / "report.html"
    done = CliRunner().invoke(cli, ["--database", full, "report", "interests", "--to", str(to)])
    assert done.exit_code == 0, done.output
    assert "interests" in texts(to.read_text())
    lost = CliRunner().invoke(cli, ["--database", full, "report", "--to", str(tmp_path / "no" / "where.html")])
    assert isinstance(lost.exception, PgaudienceError) and "cannot be written" in lost.exception.message


def test_it_can_be_read_at_every_width(full: str, tmp_path: Path) -> None:
    to = tmp_path / "report.html"
    page(full, to, with_ids=True)
    with browsing() as browser:
        for width in (375, 768, 1440):
            assert faults_of(browser, to, width) == []
        assert faults_of(browser, to, 375, dark=True) == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_it_is_accessible(full: str, tmp_path: Path, dark: bool) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="needs axe-playwright-python").Axe()
    to = tmp_path / "report.html"
    page(full, to)
    with browsing() as browser:
        view = browser.new_page(color_scheme="dark" if dark else "light")
        view.goto(to.as_uri())
        found = axe.run(view).response["violations"]
    assert [(each["id"], each["nodes"][0]["html"][:200]) for each in found] == []


def test_colours_do_not_mix_where_users_lie_on_each_other() -> None:
    """As many dots of each as it has users, whoever is drawn first."""
    places = np.random.default_rng(0).normal(0.5, 0.03, (6000, 2))
    layers = [Layer(mark_of(0), places[:4000]), Layer(mark_of(1), places[4000:])]
    shares = []
    for order in (layers, layers[::-1]):
        image = Image.open(BytesIO(b64decode(draw_points(order, 1.0).partition(",")[2]))).convert("RGBA")
        pixels = np.asarray(image).reshape(-1, 4)
        dense = pixels[pixels[:, 3] > 200, :3].astype(int)
        wanted = np.array([[int(text[at : at + 2], 16) for at in (1, 3, 5)] for text in COLOURS[:2]])
        gaps = np.abs(dense[:, None] - wanted[None]).max(axis=2)
        assert (gaps.min(axis=1) < 24).mean() > 0.99
        shares.append((gaps.argmin(axis=1) == 0).mean())
    assert shares == pytest.approx([2 / 3, 2 / 3], abs=0.05)


def test_capitals_are_written_as_sentences_are_where_most_are(full: str, tmp_path: Path) -> None:
    """On the page alone: 'Ski whistler', cut before a bracket that does not close; a name among others stays."""
    quiet = quieter(["SFT DRNK (EX:4PK", "EGGS", "Ikea"])
    assert [quiet(text) for text in ("SFT DRNK (EX:4PK", "EGGS (LARGE)", "Ikea", "50'S", "(EX", "100%")] == [
        "Sft drnk…", "Eggs (large)", "Ikea", "50's", "(ex", "100%",
    ]  # fmt: skip
    assert quieter(["IKEA", "Ski", "Opera"])("IKEA") == "IKEA"
    execute(full, "update entries set entry = upper(entry)")
    said = texts(page(full, tmp_path / "report.html"))
    assert "SKI ASPEN" not in said and "Ski aspen" in said


def test_what_has_no_theme_says_so(full: str, tmp_path: Path) -> None:
    assert "No strong theme" not in texts(page(full, tmp_path / "report.html"))
    execute(full, "update run_segments set has_theme = false")
    assert texts(page(full, tmp_path / "report.html")).count("No strong theme") == len(figures(full).segments)


def test_the_last_row_of_cards_is_full(full: str, tmp_path: Path) -> None:
    page(full, tmp_path / "report.html")
    with browsing() as browser:
        for width in (375, 768, 1440):
            view = browser.new_page(viewport={"width": width, "height": 900})
            view.goto((tmp_path / "report.html").as_uri())
            edges = view.evaluate("""() => {
                const cards = [...document.querySelectorAll('.card')].map((card) => card.getBoundingClientRect());
                const whole = document.querySelector('.cards').getBoundingClientRect();
                return [cards.at(-1).right - whole.right, cards.length];
            }""")
            assert abs(edges[0]) < 1.5 and edges[1] == 4
            view.close()
