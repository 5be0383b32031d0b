"""Tables as files: every table of the office can be taken along."""

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any

from django.http import StreamingHttpResponse

from equipoise.exchange.spreadsheets import neutralised

__all__ = ["attachment", "csv_file", "wants_csv"]


def wants_csv(request: Any) -> bool:
    """Whether the address asks for the file and not for the page."""
    return request.GET.get("format") == "csv"


def csv_file(name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """A table as CSV that is safe to open in a spreadsheet: UTF-8 with its mark, formulas as text.

    Args:
        name: of the file, without its ending.
        header: units included.
        rows: read as they are sent, so that no table has to fit into memory.
    """
    response = StreamingHttpResponse(_written(header, rows), content_type="text/csv; charset=utf-8")
    return attachment(response, f"{name}.csv")


def attachment(response: Any, name: str) -> Any:
    """Give a response the name under which it is saved."""
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _written(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    writer = csv.writer(_Line())
    yield b"\xef\xbb\xbf" + writer.writerow([neutralised(cell) for cell in header])
    for row in rows:
        yield writer.writerow([_cell(value) for value in row])


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    return value if isinstance(value, int | float) else neutralised(str(value))


class _Line:
    """Gives a written line back."""

    def write(self, text: str) -> bytes:
        return text.encode()
