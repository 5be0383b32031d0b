"""Markdown with fields as plain text that reads well, and as HTML for a mail or a letter.

HTML that an author writes is shown as text, pictures are left out, and an address that is not of the web,
of mail or of the telephone stays text. A field for an address of ours (`{link}`) that stands by itself
becomes a link.
"""

import re
from collections.abc import Iterator, Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.tree import SyntaxTreeNode

from equipoise.messages.fields import MARK, OUR_LINK, part_of_address

__all__ = ["parse", "to_html", "to_text"]

_FOLLOWED = re.compile(r"(https?|mailto|tel):", re.IGNORECASE)
_STYLES = {
    "p": "margin:0 0 16px 0",
    "h1": "margin:0 0 16px 0;font-size:24px;line-height:1.3",
    "h2": "margin:24px 0 12px 0;font-size:20px;line-height:1.3",
    "h3": "margin:20px 0 8px 0;font-size:16px;line-height:1.3",
    "ul": "margin:0 0 16px 0;padding:0 0 0 24px",
    "ol": "margin:0 0 16px 0;padding:0 0 0 24px",
    "li": "margin:0 0 4px 0",
    "blockquote": "margin:0 0 16px 0;padding:0 0 0 12px;border-left:4px solid #767676",
    "hr": "margin:24px 0;border:0;border-top:1px solid #767676",
    "pre": "margin:0 0 16px 0;white-space:pre-wrap",
    "a": "color:#1d4f91;text-decoration:underline;overflow-wrap:anywhere",
}


def parse(body: str) -> list[Token]:
    """A body, its fields marked, as tokens."""
    tokens = _markdown().parse(body)
    for token in tokens:
        if token.children is not None:
            token.children = list(_linked(token.children))
    return tokens


def to_html(tokens: Sequence[Token]) -> str:
    """Tokens as HTML with marks, each element with its own style."""
    for token in tokens:
        for one in (token, *(token.children or ())):
            if one.nesting >= 0 and one.tag in _STYLES:
                one.attrSet("style", _STYLES[one.tag])
    markdown = _markdown()
    return str(markdown.renderer.render(tokens, markdown.options, {})).strip()


def to_text(tokens: Sequence[Token]) -> str:
    """Tokens as plain text with marks: paragraphs apart, lists with signs, addresses after their words."""
    return _blocks(SyntaxTreeNode(tokens).children)


@cache
def _markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False, "typographer": False}).disable("image")
    markdown.validateLink = _may_be_followed  # type: ignore[method-assign, assignment]
    own = markdown.normalizeLink
    # It would write marks in percent signs; an address with fields is taken as it is written.
    markdown.normalizeLink = lambda url: _with_fields(url) if MARK.search(url) else own(url)  # type: ignore[method-assign]
    return markdown


def _may_be_followed(address: str) -> bool:
    return (_FOLLOWED.match(address) or OUR_LINK.match(address)) is not None


def _with_fields(url: str) -> str:
    """An address with marks: one of ours stands whole at its beginning, all else is a part."""
    whole = 1 if OUR_LINK.match(url) else 0
    return url[:whole] + part_of_address(url[whole:])


def _linked(tokens: Sequence[Token]) -> Iterator[Token]:
    """Inline tokens in which our links that stand in the text are links."""
    inside = 0
    for token in tokens:
        inside += token.nesting if token.type in ("link_open", "link_close") else 0
        if token.type != "text" or inside:
            yield token
            continue
        last = 0
        for found in OUR_LINK.finditer(token.content):
            yield Token("text", "", 0, content=token.content[last : found.start()])
            yield Token("link_open", "a", 1, attrs={"href": found[0]})
            yield Token("text", "", 0, content=found[0])
            yield Token("link_close", "a", -1)
            last = found.end()
        yield Token("text", "", 0, content=token.content[last:])


def _blocks(nodes: Sequence[SyntaxTreeNode], between: str = "\n\n") -> str:
    return between.join(filter(None, (_block(node) for node in nodes)))


def _block(node: SyntaxTreeNode) -> str:
    if node.type in ("bullet_list", "ordered_list"):
        return _list(node)
    if node.type == "blockquote":
        return _indented(_blocks(node.children), "> ", "> ")
    if node.type == "hr":
        return "----"
    if node.type in ("fence", "code_block"):
        return _indented(node.content.rstrip("\n"), "    ", "    ")
    return "".join(_inline(child) for child in node.children)  # a paragraph or a heading


def _list(node: SyntaxTreeNode) -> str:
    """Tight lists line by line, others with their items apart, as they are written."""
    first = int(node.attrs.get("start", 1))
    tight = all(part.hidden for item in node.children for part in item.children if part.type == "paragraph")
    between = "\n" if tight else "\n\n"
    items = []
    for number, item in enumerate(node.children, first):
        sign = "- " if node.type == "bullet_list" else f"{number}. "
        items.append(_indented(_blocks(item.children, between), sign, " " * len(sign)))
    return between.join(items)


def _indented(text: str, first: str, rest: str) -> str:
    lines = text.split("\n")
    indented = [(rest if place else first) + line for place, line in enumerate(lines)]
    return "\n".join(line.rstrip() for line in indented)


def _inline(node: SyntaxTreeNode) -> str:
    if node.type == "softbreak":
        return " "
    if node.type == "hardbreak":
        return "\n"
    if node.type == "link":
        return _link(node)
    if node.children:
        return "".join(_inline(child) for child in node.children)
    return node.content


def _link(node: SyntaxTreeNode) -> str:
    words = "".join(_inline(child) for child in node.children)
    address = str(node.attrs["href"])
    for scheme in ("mailto:", "tel:"):
        address = address.removeprefix(scheme)
    if words in (address, str(node.attrs["href"])):
        return address
    last = node.next_sibling is None or not _inline(node.next_sibling)
    return f"{words}: {address}" if last else f"{words} ({address})"
