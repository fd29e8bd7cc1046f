"""The kinds of charts, as Superset names them and what decides how they look."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure made of a column of a view."""

    title: str
    aggregate: str
    column: str
    format: str = ",d"

    @property
    def name(self) -> str:
        """What charts call it."""
        return f"{self.aggregate}_{self.column}"

    @property
    def expression(self) -> str:
        """What it is in SQL."""
        return f'{self.aggregate}("{self.column}")'


# A column, or one under another name.
Dimension = str | Mapping[str, str]


def renamed(column: str, name: str) -> Dimension:
    """Give a column another name in a chart."""
    return {"expressionType": "SQL", "sqlExpression": f'"{column}"', "label": name}


@dataclass(frozen=True, slots=True)
class Drawing:
    """What a chart draws: figures for each group of rows, or rows as they are where there are no figures."""

    kind: str
    by: tuple[Dimension, ...]
    measures: tuple[Measure, ...]
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    limit: int = 1000


def number(measure: Measure) -> Drawing:
    """Draw one figure, large."""
    options = {
        "metric": measure.name, "y_axis_format": measure.format, "time_format": "%d %b %Y", "header_font_size": 0.3,
    }  # fmt: skip
    return Drawing("big_number_total", (), (measure,), options)


def bars(by: str, measure: Measure) -> Drawing:
    """Draw a bar across for each value, the longest on top."""
    options = {
        "x_axis": by,
        "groupby": [],
        "metrics": [measure.name],
        "orientation": "horizontal",
        "x_axis_sort": measure.name,
        "x_axis_sort_asc": True,
        "show_value": True,
        "show_legend": False,
        "y_axis_format": measure.format,
    }
    return Drawing("echarts_timeseries_bar", (by,), (measure,), options)


def lines(time: str, by: str, measure: Measure) -> Drawing:
    """Draw a line over the days for each value, with its points, of which there may be one alone."""
    options = {
        "x_axis": time,
        "time_grain_sqla": "P1D",
        "groupby": [by],
        "metrics": [measure.name],
        "markerEnabled": True,
        "markerSize": 6,
        "show_legend": True,
        "legendType": "scroll",
        "rich_tooltip": True,
        "x_axis_time_format": "smart_date",
        "y_axis_format": measure.format,
    }
    return Drawing("echarts_timeseries_line", (time, by), (measure,), options, limit=10_000)


def heat(across: str, down: str, measure: Measure, *, colours: str = "schemeYlOrBr") -> Drawing:
    """Draw a table whose cells are the darker the larger their figure is."""
    options = {
        "x_axis": across,
        "groupby": down,
        "metric": measure.name,
        "sort_x_axis": "alpha_asc",
        "sort_y_axis": "alpha_asc",
        "normalize_across": "heatmap",
        "linear_color_scheme": colours,
        "value_bounds": [None, None],
        "show_values": True,
        "show_percentage": False,
        "show_legend": False,
        "left_margin": 25,
        "bottom_margin": 25,
        "x_axis_label_rotation": 45,
        "xscale_interval": 1,
        "yscale_interval": 1,
        "y_axis_format": measure.format,
    }
    return Drawing("heatmap_v2", (across, down), (measure,), options, limit=10_000)


def points(each: str, by: str, x: Measure, y: Measure, size: Measure) -> Drawing:
    """Draw a point for each row, in the colours of `by`."""
    options = {
        "entity": each,
        "series": by,
        "x": x.name,
        "y": y.name,
        "size": size.name,
        "max_bubble_size": "5",
        "opacity": 0.6,
        "show_legend": True,
        "legendType": "scroll",
        "xAxisFormat": x.format,
        "y_axis_format": y.format,
    }
    return Drawing("bubble_v2", (each, by), (x, y, size), options, limit=10_000)


def crosstab(down: Sequence[Dimension], across: str, measure: Measure) -> Drawing:
    """Draw a table of figures, tinted by how large they are."""
    options = {
        "groupbyRows": list(down),
        "groupbyColumns": [across],
        "metrics": [measure.name],
        "metricsLayout": "COLUMNS",
        "aggregateFunction": "Maximum",
        "valueFormat": measure.format,
        "conditional_formatting": [{"operator": "None", "colorScheme": "#FCC700", "column": measure.name}],
        "rowOrder": "key_a_to_z",
        "colOrder": "key_a_to_z",
    }
    return Drawing("pivot_table_v2", (*down, across), (measure,), options, limit=10_000)


def table(columns: Sequence[str], order: str) -> Drawing:
    """Draw rows as they are, those of the largest `order` first."""
    options = {
        "query_mode": "raw",
        "all_columns": list(columns),
        "order_by_cols": [f'["{order}", false]'],
        "show_cell_bars": True,
        "table_timestamp_format": "%d %b %Y, %H:%M",
    }
    return Drawing("table", tuple(columns), (), options)
