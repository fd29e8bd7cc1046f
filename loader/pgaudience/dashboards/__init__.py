"""Dashboards to import into BI tools."""

from pgaudience.dashboards.write import Made, make_dashboard

__all__ = ["Made", "make_dashboard"]
