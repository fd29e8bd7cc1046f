"""A dashboard for Superset, as its own export writes it: a zip of a database, data sets, charts and the dashboard.

The files are JSON, which is YAML too. They are the same whenever the views are, and so are the UUIDs of all things in
them, so that a further import writes over the one before.
"""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote
from uuid import NAMESPACE_URL, UUID, uuid5

from pgaudience.dashboards.catalog import View
from pgaudience.dashboards.charts import Chart, Row, Tab
from pgaudience.dashboards.kinds import Measure

# Without a type, it is taken as a dashboard, and as assets, too, whose import writes over data sets and charts.
_METADATA = {"version": "1.0.0"}
_EPOCH = (1980, 1, 1, 0, 0, 0)
_LEVEL = 9
_WIDTH = 12
_COUNT = {"metric_name": "count", "verbose_name": "Rows", "expression": "count(*)", "d3format": ",d"}

# What PyYAML refuses to read, or folds into a space.
_UNREADABLE = re.compile("[\x7f-\xa0\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a dashboard is made of: the schema of the views, and where Superset finds it.

    `connection` is the SQLAlchemy URL with a mask in place of the password, which makes Superset ask for it.
    `segmentation` is the one that the dashboard opens with; None if there is none.
    """

    space: str
    schema: str
    connection: str
    segmentation: str | None
    views: Mapping[str, View]
    tabs: Sequence[Tab]

    @property
    def charts(self) -> list[Chart]:
        """All charts, in the order they stand in."""
        return [chart for tab in self.tabs for row in tab.rows for chart in row.charts]

    def uuid(self, *names: str) -> str:
        """Return the UUID of a thing of this space in this database; whose role asks does not matter."""
        place = re.sub("//.*@", "//", self.connection)
        return str(uuid5(_namespace(place, self.space), "\n".join(names)))

    def zip(self) -> bytes:
        """Return the file."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as file:
            for name, content in self.files().items():
                file.writestr(zipfile.ZipInfo(f"pgaudience/{name}", _EPOCH), _yaml(content), zipfile.ZIP_DEFLATED)
        return buffer.getvalue()

    def files(self) -> dict[str, dict[str, Any]]:
        """Return the files of the bundle, by name."""
        return {
            "metadata.yaml": _METADATA,
            "databases/pgaudience.yaml": self._database(),
            **{f"datasets/{quote(view.name, safe='')}.yaml": self._dataset(view) for view in self.views.values()},
            **{f"charts/{chart.name.replace(' ', '_')}.yaml": self._chart(chart) for chart in self.charts},
            "dashboards/pgaudience.yaml": self._dashboard(),
        }

    def _database(self) -> dict[str, Any]:
        return {
            "database_name": f"pgaudience: {self.space}",
            "sqlalchemy_uri": self.connection,
            "expose_in_sqllab": True,
            "allow_run_async": False,
            "allow_ctas": False,
            "allow_cvas": False,
            "allow_dml": False,
            "allow_file_upload": False,
            "extra": {"metadata_params": {}, "engine_params": {}, "metadata_cache_timeout": {}},
            "uuid": self.uuid("database"),
            "version": "1.0.0",
        }

    def _dataset(self, view: View) -> dict[str, Any]:
        return {
            "table_name": view.name,
            "main_dttm_col": view.time,
            "description": view.description,
            "schema": self.schema,
            "sql": None,
            "filter_select_enabled": True,
            "columns": [
                {
                    "column_name": column.name,
                    "verbose_name": column.name.replace("_", " ").capitalize(),
                    "description": column.description,
                    "type": column.type,
                    "is_dttm": column.is_time,
                    "is_active": True,
                    "groupby": True,
                    "filterable": True,
                }
                for column in view.columns
            ],
            "metrics": [_COUNT, *(_metric(measure) for measure in self._measures(view.name))],
            "uuid": self.uuid("dataset", view.name),
            "database_uuid": self.uuid("database"),
            "version": "1.0.0",
        }

    def _measures(self, view: str) -> list[Measure]:
        of_view = {each.name: each for chart in self.charts if chart.view == view for each in chart.drawing.measures}
        return list(of_view.values())

    def _chart(self, chart: Chart) -> dict[str, Any]:
        drawing = chart.drawing
        where = [{"clause": "WHERE", "expressionType": "SQL", "sqlExpression": chart.where}] if chart.where else []
        params = {
            "viz_type": drawing.kind,
            "adhoc_filters": where,
            "row_limit": drawing.limit,
            "color_scheme": "supersetColors",
            **drawing.options,
        }
        query = {
            "columns": list(drawing.by),
            "metrics": [measure.name for measure in drawing.measures] or None,
            "extras": {"where": f"({chart.where})" if chart.where else ""},
            "row_limit": drawing.limit,
        }
        context = {
            "datasource": {"id": 0, "type": "table"},
            "force": False,
            "queries": [query],
            "form_data": params,
            "result_format": "json",
            "result_type": "full",
        }
        return {
            "slice_name": chart.title,
            "description": chart.about,
            "viz_type": drawing.kind,
            "params": params,
            "query_context": json.dumps(context),
            "uuid": self.uuid("chart", chart.name),
            "dataset_uuid": self.uuid("dataset", chart.view),
            "version": "1.0.0",
        }

    def _dashboard(self) -> dict[str, Any]:
        return {
            "dashboard_title": f"Audiences: {self.space}",
            "description": "Segments and audiences of pgaudience.",
            "published": True,
            "uuid": self.uuid("dashboard"),
            "position": self._position(),
            "metadata": {
                "color_scheme": "supersetColors",
                "cross_filters_enabled": True,
                "native_filter_configuration": [] if self.segmentation is None else [self._filter(self.segmentation)],
            },
            "version": "1.0.0",
        }

    def _filter(self, segmentation: str) -> dict[str, Any]:
        """Return the filter that has every chart of segments keep to one segmentation, which cannot be left empty."""
        others = [
            place for place, chart in enumerate(self.charts, 1)
            if "segmentation" not in [column.name for column in self.views[chart.view].columns]
        ]  # fmt: skip
        return {
            "id": "NATIVE_FILTER-segmentation",
            "type": "NATIVE_FILTER",
            "filterType": "filter_select",
            "name": "Segmentation",
            "description": "Each segmentation has everybody in it: look at one at a time.",
            "targets": [{"column": {"name": "segmentation"}, "datasetUuid": self.uuid("dataset", "segments")}],
            "scope": {"rootPath": ["ROOT_ID"], "excluded": others},
            "cascadeParentIds": [],
            "controlValues": {
                "enableEmptyFilter": True,
                "multiSelect": False,
                "defaultToFirstItem": False,
                "searchAllOptions": False,
                "inverseSelection": False,
            },
            "defaultDataMask": {
                "extraFormData": {"filters": [{"col": "segmentation", "op": "IN", "val": [segmentation]}]},
                "filterState": {"value": [segmentation], "label": segmentation},
                "ownState": {},
            },
        }

    def _position(self) -> dict[str, Any]:
        """Return the tree of what stands where."""
        tree: dict[str, Any] = {
            "DASHBOARD_VERSION_KEY": "v2",
            "HEADER_ID": {"id": "HEADER_ID", "type": "HEADER", "meta": {"text": f"Audiences: {self.space}"}},
        }
        numbers = {chart.name: place for place, chart in enumerate(self.charts, 1)}

        def add(name: str, kind: str, above: Sequence[str], children: Sequence[str], **meta: Any) -> str:
            tree[name] = {
                "id": name, "type": kind, "parents": list(above), "children": list(children), "meta": meta,
            }  # fmt: skip
            return name

        def chart_of(chart: Chart, row: Row, above: Sequence[str], width: int) -> str:
            return add(
                f"CHART-{numbers[chart.name]}", "CHART", above, (),
                uuid=self.uuid("chart", chart.name), chartId=numbers[chart.name], sliceName=chart.title,
                width=width, height=row.height,
            )  # fmt: skip

        def row_of(row: Row, above: Sequence[str]) -> str:
            name = f"ROW-{numbers[row.charts[0].name]}"
            share, rest = divmod(_WIDTH - sum(chart.width for chart in row.charts), len(row.charts))
            children = [
                chart_of(chart, row, (*above, name), chart.width + share + (place < rest))
                for place, chart in enumerate(row.charts)
            ]
            return add(name, "ROW", above, children, background="BACKGROUND_TRANSPARENT")

        def tab_of(tab: Tab) -> str:
            name = f"TAB-{tab.title}"
            above = ("ROOT_ID", "TABS-1", name)
            return add(name, "TAB", above[:2], [row_of(row, above) for row in tab.rows], text=tab.title)

        add("TABS-1", "TABS", ("ROOT_ID",), [tab_of(tab) for tab in self.tabs])
        add("GRID_ID", "GRID", ("ROOT_ID",), ())
        add("ROOT_ID", "ROOT", (), ("TABS-1",))
        return tree


def _namespace(*names: str) -> UUID:
    return uuid5(NAMESPACE_URL, "\n".join(("pgaudience", *names)))


def _metric(measure: Measure) -> dict[str, Any]:
    return {
        "metric_name": measure.name,
        "verbose_name": measure.title,
        "expression": measure.expression,
        "d3format": None if measure.format == "smart_date" else measure.format,
    }


def _yaml(content: Mapping[str, Any]) -> str:
    text = json.dumps(content, ensure_ascii=False, indent=2)
    return _UNREADABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
