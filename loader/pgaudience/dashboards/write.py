"""Make the dashboard of a space, of the charts that have something to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import LiteralString, cast

from psycopg import sql
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from pgaudience.dashboards.catalog import View, read_views
from pgaudience.dashboards.charts import TABS, Chart, Tab
from pgaudience.dashboards.superset import Bundle
from pgaudience.database import Space, SpaceConnection
from pgaudience.errors import PgaudienceError

# What Superset's own export has in place of a password, and asks for when it is imported.
_MASK = "XXXXXXXXXX"


@dataclass(frozen=True, slots=True)
class Made:
    """A dashboard, and the charts it could not have for want of data."""

    bundle: Bundle
    empty: list[Chart]


def make_dashboard(
    connection: SpaceConnection, space: Space, segmentation: str | None, superset_connection: str | None
) -> Made:
    """Make a dashboard that opens with this segmentation, the first by name if None.

    `superset_connection` is where Superset finds the database; as this connection does if None.

    Raises PgaudienceError when there is no such segmentation, or nothing to show at all.
    """
    schema = f"{space.schema}_bi"
    views = read_views(connection, schema)
    chosen = _segmentation(connection, schema, segmentation)
    charts = [chart for tab in TABS for row in tab.rows for chart in row.charts]
    rows = {
        chart.name: _count_rows(connection, schema, chart, views[chart.view], chosen) if chart.view in views else 0
        for chart in charts
    }
    tabs = _keep(TABS, rows)
    if not tabs:
        raise PgaudienceError("there is nothing to show yet", f"Make segments or an audience: {charts[0].filler};")
    url = _url(connection) if superset_connection is None else _given_url(superset_connection)
    empty = [chart for chart in charts if not rows[chart.name]]
    return Made(Bundle(space.schema, schema, url, chosen, views, tabs), empty)


def _segmentation(connection: SpaceConnection, schema: str, wanted: str | None) -> str | None:
    query = sql.SQL("select distinct segmentation from {} order by segmentation").format(
        sql.Identifier(schema, "segments")
    )
    names = [row[0] for row in connection.execute(query)]
    if wanted is not None and wanted not in names:
        raise PgaudienceError(
            f"there is no segmentation {wanted!r}", f"There are: {', '.join(names)}." if names else None
        )
    return wanted or next(iter(names), None)


def _count_rows(connection: SpaceConnection, schema: str, chart: Chart, view: View, segmentation: str | None) -> int:
    """Count what a chart draws; where it draws all there is, one row is enough to know."""
    conditions: list[sql.Composable] = [sql.SQL(cast(LiteralString, chart.where or "true"))]
    if "segmentation" in [column.name for column in view.columns]:
        conditions.append(sql.SQL("segmentation = {}").format(segmentation))
    query = sql.SQL("select count(*) from (select from {} where {} limit {}) x").format(
        sql.Identifier(schema, chart.view), sql.SQL(" and ").join(conditions), None if chart.sample_size else 1
    )
    return int(connection.execute(query).fetchone()[0])  # type: ignore[index]


def _keep(tabs: tuple[Tab, ...], rows: Mapping[str, int]) -> list[Tab]:
    kept = [
        replace(
            tab,
            rows=tuple(
                replace(row, charts=charts)
                for row in tab.rows
                if (charts := tuple(_thinned(chart, rows[chart.name]) for chart in row.charts if rows[chart.name]))
            ),
        )
        for tab in tabs
    ]
    return [tab for tab in kept if tab.rows]


def _thinned(chart: Chart, rows: int) -> Chart:
    if chart.sample_size is None or rows <= chart.sample_size:
        return chart
    below = 4096 * chart.sample_size // rows
    return replace(chart, where=f"left(md5(user_id), 3) < '{below:03x}'")


def _url(connection: SpaceConnection) -> str:
    info = connection.info
    options = {name: str(value) for name, value in conninfo_to_dict(info.dsn).items() if name == "sslmode"}
    host = None if info.host.startswith("/") else info.host
    if host is None:
        options["host"] = info.host
    url = URL.create("postgresql", info.user, _MASK, host, info.port, info.dbname, options)
    return url.render_as_string(hide_password=False)


def _given_url(text: str) -> str:
    try:
        url = make_url(text)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() != "postgresql" or not (url.username and url.database):
        raise PgaudienceError(
            "the connection of Superset is not a URL of PostgreSQL with a role and a database",
            "Give one such as postgresql://dashboards@db.example.com:5432/shop; Superset asks for the password.",
        )
    return url.set(password=_MASK).render_as_string(hide_password=False)
