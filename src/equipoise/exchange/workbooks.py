"""A table as a spreadsheet's own file (XLSX), written as it is read: no table has to fit into memory.

Every cell is text and is marked so. Nothing in it can run as a formula, and a telephone number keeps its
plus, which a CSV file for spreadsheets cannot do without a mark in front. ECMA-376, part 1, 18.3.
"""

import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from html import escape

__all__ = ["LARGEST_SHEET", "workbook"]

LARGEST_SHEET = 1_048_576  # rows, the header among them
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_AROUND = {
    "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPES}.worksheet+xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}">'
    '<sheets><sheet name="Sheet1" sheetId="1" r:id="r1"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
    f'<Relationship Id="r1" Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0, 2.2
_AT_ONCE = 500


def workbook(rows: Iterable[Sequence[str]]) -> Iterator[bytes]:
    """Rows as the only sheet of an XLSX file, in parts.

    Args:
        rows: the header first; at most `LARGEST_SHEET`.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _AROUND.items():
            archive.writestr(_entry(name), _HEAD + text)
        with archive.open(_entry("xl/worksheets/sheet1.xml"), "w") as sheet:
            sheet.write(f'{_HEAD}<worksheet xmlns="{_MAIN}"><sheetData>'.encode())
            for number, row in enumerate(rows, start=1):
                sheet.write(_row(row))
                if number % _AT_ONCE == 0 and (part := sink.taken()):
                    yield part
            sheet.write(b"</sheetData></worksheet>")
    yield sink.taken()


class _Sink:
    """Takes what the archive writes until it is fetched; there is no way back in it."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What was written can still be fetched."""

    def taken(self) -> bytes:
        """What was written since the last time."""
        part, self._parts = b"".join(self._parts), []
        return part


def _entry(name: str) -> zipfile.ZipInfo:
    """Of a fixed date, so that the same rows are the same bytes."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _row(cells: Sequence[str]) -> bytes:
    written = (
        f'<c t="inlineStr"><is><t xml:space="preserve">{escape(_NO_XML.sub("", cell))}</t></is></c>'
        for cell in cells
    )
    return f"<row>{''.join(written)}</row>".encode()
