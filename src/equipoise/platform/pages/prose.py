"""Markdown as HTML that cannot hold anything but prose."""

from collections.abc import Sequence
from functools import cache, lru_cache
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

__all__ = ["prose"]

_SCHEMES = ("http", "https", "mailto", "tel")
_CLASSES = {
    "paragraph_open": "govuk-body",
    "bullet_list_open": "govuk-list govuk-list--bullet",
    "ordered_list_open": "govuk-list govuk-list--number",
    "link_open": "govuk-link",
    "table_open": "govuk-table",
    "thead_open": "govuk-table__head",
    "tbody_open": "govuk-table__body",
    "tr_open": "govuk-table__row",
    "th_open": "govuk-table__header",
    "td_open": "govuk-table__cell",
    "blockquote_open": "govuk-inset-text",
    "hr": "govuk-section-break govuk-section-break--m govuk-section-break--visible",
}
_HEADING_SIZES = ("m", "s", "s", "s", "s", "s")


@lru_cache(maxsize=1024)  # a page says the same to everybody
def prose(text: str, first_heading: int = 2) -> Markup:
    """A text in Markdown as HTML with the platform's classes.

    Args:
        text: Markdown; HTML in it is shown as text, pictures are left out, and a link whose scheme is not
            one of http, https, mailto and tel stays text.
        first_heading: the level of `#`, because a page has its own first heading.
    Returns:
        Markup that is safe to put into a page.
    """
    markdown = _markdown()
    tokens = markdown.parse(text)
    _dress(tokens, first_heading - 1)
    return Markup(markdown.renderer.render(tokens, markdown.options, {}))  # noqa: S704


@cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": False})
    markdown.enable("table").disable("image")
    # Its own check lets through every scheme but a few known to be bad.
    markdown.validateLink = _is_safe  # type: ignore[method-assign, assignment]
    return markdown


def _is_safe(address: str) -> bool:
    scheme = urlsplit(address.strip()).scheme.lower()
    here = address.startswith(("#", "/")) and not address.startswith("//")
    return scheme in _SCHEMES or (not scheme and here)


def _dress(tokens: Sequence[Token], deeper: int) -> None:
    """Give every element its class, and every heading a level under the page's own."""
    for token in tokens:
        if token.children:
            _dress(token.children, deeper)
        if token.type in ("heading_open", "heading_close"):
            level = min(6, int(token.tag[1]) + deeper)
            token.tag = f"h{level}"
            if token.type == "heading_open":
                token.attrSet("class", f"govuk-heading-{_HEADING_SIZES[level - deeper - 1]}")
        elif token.type in _CLASSES:
            token.attrSet("class", _CLASSES[token.type])
        if token.type == "link_open":
            token.attrSet("rel", "noreferrer noopener")
