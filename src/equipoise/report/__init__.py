"""From findings to a document that everyone can read: sections, figures, tables; one module a format."""

from equipoise.report.checks import check_programme, check_study
from equipoise.report.writing import render_programme, render_study, write_programme_report, write_report

__all__ = [
    "check_programme",
    "check_study",
    "render_programme",
    "render_study",
    "write_programme_report",
    "write_report",
]
