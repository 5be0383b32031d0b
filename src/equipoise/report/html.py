"""The HTML format: one self-contained document, without scripts and without anything fetched from outside."""

from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from equipoise.report.content import Document
from equipoise.report.references import anchor_of
from equipoise.report.tables import Table

__all__ = ["render_html", "render_provenance"]


def render_html(document: Document) -> str:
    """The document as HTML; the same document always gives the same bytes."""
    return _environment().get_template("document.html.j2").render(document=document, style=_style()) + "\n"


def render_provenance(document: Document, table: Table) -> str:
    """The page that lists every finding of a report, and to which its numbers lead."""
    template = _environment().get_template("provenance.html.j2")
    return template.render(document=document, findings=table, style=_style()) + "\n"


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("equipoise.report"),
        autoescape=select_autoescape(["html", "j2"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["anchor"] = anchor_of
    return environment


def _style() -> Markup:
    # The style sheet is ours and holds no `<`, so it can stand inside the document as it is.
    return Markup(files("equipoise.report").joinpath("templates/style.css").read_text(encoding="utf-8"))  # noqa: S704
