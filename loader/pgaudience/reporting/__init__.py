"""Reports: what is known of a segmentation as one page of HTML."""

from pgaudience.reporting.report import write_report

__all__ = ["write_report"]
