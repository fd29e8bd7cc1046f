"""The dashboard for Superset: what it asks for is there, and a real Superset takes and draws it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner
from psycopg import sql
from sqlalchemy import make_url

from browser import browsing
from conftest import Cluster, connect, migrate_toy
from pgaudience.cli import cli
from pgaudience.dashboards import Made, make_dashboard
from pgaudience.dashboards.charts import TABS, Row, Tab
from pgaudience.database import open_space
from pgaudience.errors import PgaudienceError
from pgaudience.mapping import make_map
from superset_server import RefusedError, Superset
from test_maps import FILL

pytestmark = [pytest.mark.slow, pytest.mark.newest]

DIMENSIONS = 8
CUT = (
    "update users set attributes = jsonb_build_object('age', 20 + user_key % 40, 'home', 'h' || user_key % 3)",
    "call build_segmentation('interests', k => 3)",
    "call build_segmentation('interests', k => 3)",
    "call build_segmentation('quarters', k => 4)",
    "call save_audience('old', filter => '{\"home\": \"h1\"}')",
    "call save_audience('like two', like_users => array['user_1', 'user_2'], size => 60)",
    "call refresh()",
)
ALL = [chart for tab in TABS for row in tab.rows for chart in row.charts]
Files = dict[str, dict[str, Any]]


def rows(url: str, query: str | sql.Composable) -> list[tuple]:
    with connect(url, autocommit=True) as connection:
        cursor = connection.execute(query.encode() if isinstance(query, str) else query)
        return cursor.fetchall() if cursor.description else []


def _fill(url: str) -> None:
    migrate_toy(url, dimensions=DIMENSIONS)
    for statement in (FILL, *CUT):
        rows(url, statement)
    with connect(url) as connection:
        make_map(connection, open_space(connection, "audience"), "users", "centres", "interests", 2)
        make_map(connection, open_space(connection, "audience"), "users", "pca", None, 2)


@pytest.fixture
def full(cluster: Cluster) -> str:
    return cluster.clone("dashboards", _fill)


def made(url: str, segmentation: str | None = None, connection_of: str | None = None) -> Made:
    with connect(url) as connection:
        return make_dashboard(connection, open_space(connection, "audience"), segmentation, connection_of)


def files_of(content: bytes) -> Files:
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        assert file.testzip() is None
        return {name.partition("/")[2]: yaml.safe_load(file.read(name).decode()) for name in file.namelist()}


def of_kind(files: Files, kind: str) -> dict[str, dict[str, Any]]:
    return {content["uuid"]: content for name, content in files.items() if name.startswith(f"{kind}/")}


def test_it_is_yaml_that_says_what_was_meant(full: str) -> None:
    bundle = made(full).bundle
    assert files_of(bundle.zip()) == json.loads(json.dumps(bundle.files()))
    assert not made(full).empty and len(bundle.charts) == len(ALL)


def test_every_chart_finds_its_columns_and_rows_in_the_database(full: str) -> None:
    files = files_of(made(full).bundle.zip())
    datasets = of_kind(files, "datasets")
    (database,) = of_kind(files, "databases")
    assert {each["database_uuid"] for each in datasets.values()} == {database}
    for chart in of_kind(files, "charts").values():
        dataset = datasets[chart["dataset_uuid"]]
        metrics = {each["metric_name"]: each["expression"] for each in dataset["metrics"]}
        (query,) = json.loads(chart["query_context"])["queries"]
        columns = [
            sql.Identifier(each) if isinstance(each, str) else sql.SQL(each["sqlExpression"])
            for each in query["columns"]
        ]
        figures = [sql.SQL(metrics[name]) for name in query["metrics"] or []]
        statement = sql.SQL("select {} from {} where {} {}").format(
            sql.SQL(", ").join([*columns, *figures]),
            sql.Identifier(dataset["schema"], dataset["table_name"]),
            sql.SQL(query["extras"]["where"] or "true"),
            sql.SQL("group by {}").format(sql.SQL(", ").join(columns)) if columns and figures else sql.SQL(""),
        )
        assert rows(full, statement), chart["slice_name"]


def test_charts_name_metrics_and_columns_of_their_data_set(full: str) -> None:
    files = files_of(made(full).bundle.zip())
    datasets = of_kind(files, "datasets")
    for chart in of_kind(files, "charts").values():
        dataset, params = datasets[chart["dataset_uuid"]], chart["params"]
        columns = {each["column_name"] for each in dataset["columns"]}
        metrics = {each["metric_name"] for each in dataset["metrics"]}
        by_column = ("x_axis", "groupby", "entity", "series", "groupbyRows", "groupbyColumns", "all_columns")
        named = [params[key] for key in by_column if key in params]
        flat = [each for value in named for each in (value if isinstance(value, list) else [value])]
        assert {each for each in flat if isinstance(each, str)} <= columns, chart["slice_name"]
        one_by_one = [params[key] for key in ("metric", "size") if key in params] + params.get("metrics", [])
        assert set(one_by_one) <= metrics and params["viz_type"] == chart["viz_type"], chart["slice_name"]


def test_data_sets_are_the_views_with_their_comments(full: str) -> None:
    datasets = of_kind(files_of(made(full).bundle.zip()), "datasets")
    found = {
        (each["table_name"], column["column_name"], column["description"], column["type"].lower())
        for each in datasets.values()
        for column in each["columns"]
    }
    assert found == set(rows(full, """
        select c.relname, a.attname, col_description(c.oid, a.attnum), format_type(a.atttypid, a.atttypmod)
        from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0
        where c.relnamespace = 'audience_bi'::regnamespace"""))  # fmt: skip
    times = {each["table_name"]: each["main_dttm_col"] for each in datasets.values()}
    assert (times["segment_history"], times["audiences"], times["users"]) == ("published_at", "refreshed_at", None)
    assert all(each["description"] and "Example" not in each["description"] for each in datasets.values())


def test_the_tree_of_places_holds_every_chart_once(full: str) -> None:
    files = files_of(made(full).bundle.zip())
    (dashboard,) = of_kind(files, "dashboards").values()
    tree = {name: node for name, node in dashboard["position"].items() if isinstance(node, dict)}
    for name, node in tree.items():
        assert node["id"] == name
        for child in node.get("children", []):
            assert tree[child]["parents"] == [*node["parents"], name]
    placed = [node["meta"] for node in tree.values() if node["type"] == "CHART"]
    assert sorted(meta["uuid"] for meta in placed) == sorted(of_kind(files, "charts"))
    assert len({meta["chartId"] for meta in placed}) == len(placed)
    for node in tree.values():
        if node["type"] == "ROW":
            assert sum(tree[child]["meta"]["width"] for child in node["children"]) == 12


def test_no_chart_of_segments_is_without_the_filter(full: str) -> None:
    files = files_of(made(full, "quarters").bundle.zip())
    (dashboard,) = of_kind(files, "dashboards").values()
    (only,) = dashboard["metadata"]["native_filter_configuration"]
    assert only["controlValues"]["enableEmptyFilter"] and not only["controlValues"]["multiSelect"]
    assert only["defaultDataMask"]["filterState"]["value"] == ["quarters"]
    charts, datasets = of_kind(files, "charts"), of_kind(files, "datasets")
    for node in dashboard["position"].values():
        if isinstance(node, dict) and node["type"] == "CHART":
            columns = datasets[charts[node["meta"]["uuid"]]["dataset_uuid"]]["columns"]
            cut = "segmentation" in {column["column_name"] for column in columns}
            assert cut != (node["meta"]["chartId"] in only["scope"]["excluded"])
    (default,) = of_kind(files_of(made(full).bundle.zip()), "dashboards").values()
    assert (
        default["metadata"]["native_filter_configuration"][0]["defaultDataMask"]["filterState"]["label"] == "interests"
    )


def test_a_segmentation_of_any_name(full: str) -> None:
    name = "a 'b' \"c\" \\ 👋 ü\u0085\u2028 {{ x }} %s"
    rows(full, sql.SQL("update segmentations set segmentation = {} where segmentation = 'quarters'").format(name))
    (dashboard,) = of_kind(files_of(made(full, name).bundle.zip()), "dashboards").values()
    (only,) = dashboard["metadata"]["native_filter_configuration"]
    assert only["defaultDataMask"]["extraFormData"]["filters"][0]["val"] == [name]
    with pytest.raises(PgaudienceError, match="no segmentation 'other'"):
        made(full, "other")


def test_it_is_the_same_again_and_of_another_space_another(full: str) -> None:
    first, again = made(full).bundle, made(full).bundle
    assert first.zip() == again.zip()
    uuids = {content["uuid"] for content in first.files().values() if "uuid" in content}
    assert len(uuids) == len(first.charts) + len(first.views) + 2
    of_a_role, elsewhere = "postgresql://dashboards@db:5432/shop", "postgresql://dashboards@other:5432/shop"
    here = {made(full, None, url).bundle.uuid("dashboard") for url in (of_a_role, of_a_role.replace("dashboards", "x"))}
    assert len(here) == 1 and made(full, None, elsewhere).bundle.uuid("dashboard") not in here


def test_no_password_leaves(full: str) -> None:
    password = make_url(full).password
    assert password
    for given in (None, "postgresql+psycopg2://dashboards:very-secret@db.example.com:5432/shop?sslmode=require"):
        files = files_of(made(full, None, given).bundle.zip())
        assert password not in json.dumps(files) and "very-secret" not in json.dumps(files)
        assert make_url(files["databases/pgaudience.yaml"]["sqlalchemy_uri"]).password == "XXXXXXXXXX"
    assert files["databases/pgaudience.yaml"]["sqlalchemy_uri"].endswith("@db.example.com:5432/shop?sslmode=require")
    for nonsense in ("db.example.com", "mysql://a@b/c", "postgresql://db/shop", "postgresql://a@db"):
        with pytest.raises(PgaudienceError, match="not a URL of PostgreSQL"):
            made(full, None, nonsense)


def test_charts_without_data_are_left_out(full: str) -> None:
    rows(full, "delete from maps")
    rows(full, "call drop_audience('like two')")
    rows(full, "update segmentations set suppress_below = 1000 where segmentation = 'quarters'")
    found = made(full)
    assert {chart.name for chart in found.empty} == {"segment map", "audience overlap"}
    rows(full, "update segmentations set suppress_below = 1000")
    found = made(full)
    assert [tab.title for tab in found.bundle.tabs] == ["Audiences"] and found.bundle.segmentation is None
    rows(full, "call drop_audience('old')")
    with pytest.raises(PgaudienceError, match="nothing to show"):
        made(full)


def test_a_map_of_very_many_shows_some_drawn_by_lot(full: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (chart,) = [each for each in ALL if each.sample_size]
    assert [each.where for each in made(full).bundle.charts if each.name == chart.name] == [""]
    few = replace(chart, sample_size=30)
    monkeypatch.setattr("pgaudience.dashboards.write.TABS", (Tab("Map", (Row(80, (few,)),)),))
    (thinned,) = made(full).bundle.charts
    ((shown, total),) = rows(full, f"""select count(*) filter (where {thinned.where}), count(*)
        from audience_bi.segment_map where segmentation = 'interests'""")  # fmt: skip
    assert total > 100 and 15 <= shown <= 45


def test_the_command(full: str, tmp_path: Path) -> None:
    to = tmp_path / "dashboards.zip"
    done = CliRunner().invoke(cli, ["--database", full, "bi", "superset", "--to", str(to)], catch_exceptions=False)
    assert done.exit_code == 0 and "14 charts" in done.stderr and "asks for the password" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["dashboards.zip"]
    command = [sys.executable, "-m", "pgaudience", "--database", full, "bi", "superset"]
    piped = subprocess.run(command, capture_output=True, check=True, cwd=tmp_path)
    assert piped.stdout == to.read_bytes()


@pytest.mark.turns("dashboards_reader")
def test_a_reader_may_write_it(full: str) -> None:
    everybody = made(full).bundle.files()
    with connect(full, autocommit=True) as connection:
        connection.execute("create role dashboards_reader nologin")
        try:
            connection.execute("grant audience_reader to dashboards_reader")
            connection.execute("set role dashboards_reader")
            found = make_dashboard(connection, open_space(connection, "audience"), None, None).bundle.files()
        finally:
            connection.execute("reset role")
            connection.execute("drop role dashboards_reader")
    assert found == everybody


@pytest.fixture
def superset() -> Iterator[Superset]:
    server = Superset()
    former = {kind: {each["id"] for each in server.all_of(kind)} for kind in KINDS}
    yield server
    for kind in KINDS:
        for each in server.all_of(kind):
            if each["id"] not in former[kind]:
                server.ask("DELETE", f"/api/v1/{kind}/{each['id']}")


KINDS = ("dashboard", "chart", "dataset", "database")


def test_a_real_superset_takes_and_draws_it(full: str, superset: Superset) -> None:
    content = made(full).bundle.zip()
    passwords = {"overwrite": "true", "passwords": json.dumps({"databases/pgaudience.yaml": make_url(full).password})}
    with pytest.raises(RefusedError, match="Must provide a password for the database"):
        superset.upload("/api/v1/dashboard/import/", "formData", content, {"overwrite": "true"})
    before = {kind: len(superset.all_of(kind)) for kind in KINDS}
    superset.upload("/api/v1/dashboard/import/", "formData", content, passwords)
    superset.upload("/api/v1/assets/import/", "bundle", content, {})
    after = {kind: len(superset.all_of(kind)) - before[kind] for kind in KINDS}
    assert after == {"dashboard": 1, "chart": len(ALL), "dataset": len(made(full).bundle.views), "database": 1}

    (dashboard,) = [each for each in superset.all_of("dashboard") if each["dashboard_title"] == "Audiences: audience"]
    charts = superset.ask("GET", f"/api/v1/dashboard/{dashboard['id']}/charts")["result"]
    assert {each["slice_name"] for each in charts} == {chart.title for chart in ALL}
    for chart in charts:
        answer = superset.ask("GET", f"/api/v1/chart/{chart['id']}/data/")
        assert [result["error"] for result in answer["result"]] == [None], chart["slice_name"]
        assert answer["result"][0]["rowcount"] > 0, chart["slice_name"]
    assert faults_of_tabs(superset, dashboard["id"]) == {tab.title: [] for tab in TABS}


def faults_of_tabs(superset: Superset, dashboard: int) -> dict[str, list[str]]:
    """What is wrong with each tab: messages instead of charts, and charts that draw nothing."""
    found = {}
    with browsing() as browser:
        page = browser.new_page(viewport={"width": 1440, "height": 3000})
        page.goto(f"{superset.url}/login/")
        page.fill("#username", superset.user)
        page.fill("#password", superset.password)
        page.keyboard.press("Enter")
        page.wait_for_url(lambda url: "/login" not in url)
        page.goto(f"{superset.url}/superset/dashboard/{dashboard}/")
        page.wait_for_selector(".dashboard-component-tabs [role=tab]", timeout=120_000)
        for tab in page.locator(".dashboard-component-tabs [role=tab]").all():
            tab.click()
            tiles = page.locator(".dashboard-component-chart-holder:visible")
            page.wait_for_function(DRAWN, timeout=120_000)
            assert tiles.count() > 0
            found[tab.inner_text().strip()] = page.evaluate(WRONG)
        page.close()
    return found


DRAWN = """() => {
  const tiles = [...document.querySelectorAll('.dashboard-component-chart-holder')].filter(x => x.offsetParent);
  return tiles.length && tiles.every(x => x.querySelector('canvas, svg.marks, table, .header-line, [role=alert]'));
}"""
WRONG = """() => [...document.querySelectorAll('.dashboard-component-chart-holder')]
  .filter(x => x.offsetParent && /No results|No data|error|unexpected/i.test(x.innerText))
  .map(x => x.innerText.slice(0, 200))"""
