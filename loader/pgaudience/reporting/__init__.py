"""Reports: what is known of a segmentation, or of a space, as one page of HTML."""

from pgaudience.reporting.report import write_report, write_space_report

__all__ = ["write_report", "write_space_report"]
