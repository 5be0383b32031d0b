"""Letters: a page of A4 with the address in the window of a DL envelope, as HTML to be printed.

What a mail would link to is written out beside its words, because paper cannot be followed.
"""

import re
from collections.abc import Mapping, Sequence
from html import escape

from equipoise.messages.compiled import Compiled

__all__ = ["letter_html"]

_LINK = re.compile(r'<a href="(?:mailto:|tel:)?([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_PAGE = """\
<!doctype html>
<html lang="{language}" dir="{direction}">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
@page {{ size: A4; margin: 25mm 22mm; @bottom-right {{ content: counter(page) " / " counter(pages); \
font: 9pt Arial, Helvetica, sans-serif; }} }}
body {{ font: 11.5pt/1.45 Arial, Helvetica, sans-serif; color: #1a1a1a; }}
/* A window of a DL envelope shows 55 to 79 mm from the top and 20 to 100 mm from the left, however the page \
lies in it: room for five lines. */
address {{ font: 11pt/1.2 Arial, Helvetica, sans-serif; min-height: 30mm; margin-top: 29.5mm; width: 76mm; }}
.head {{ display: flex; justify-content: space-between; margin: 0 0 8mm 0; font-size: 10pt; }}
.head span + span {{ white-space: nowrap; margin-left: 8mm; }}
h1 {{ font-size: 14pt; margin: 0 0 5mm 0; }}
a {{ color: inherit; text-decoration: none; overflow-wrap: anywhere; }}
</style>
</head>
<body>
<address>{address}</address>
<div class="head"><span>{sender}</span><span>{date}</span></div>
{heading}{body}
</body>
</html>
"""


def letter_html(
    compiled: Compiled,
    fields: Mapping[str, str],
    address_lines: Sequence[str],
    *,
    sender: str = "",
    date: str = "",
) -> str:
    """A letter as HTML that WeasyPrint makes a PDF of.

    Args:
        compiled: the message.
        fields: by name, as text.
        address_lines: of whoever gets it, their name first.
        sender: who writes, in a line over the letter.
        date: as it is to be printed.
    Raises:
        InputError: a field has no value.
    """
    title = escape(compiled.subject_line(fields))
    return _PAGE.format(
        language=compiled.language,
        direction=compiled.direction,
        title=title,
        address="<br>".join(escape(line) for line in address_lines if line.strip()),
        sender=escape(sender),
        date=escape(date),
        heading=f"<h1>{title}</h1>\n" if title else "",
        body=_LINK.sub(_written_out, compiled.rich.fill(fields)),
    )


def _written_out(found: re.Match[str]) -> str:
    address, words = found[1], found[2]
    link = f'<a href="{address}">{address}</a>'
    return link if words == address else f"{words}: {link}"
