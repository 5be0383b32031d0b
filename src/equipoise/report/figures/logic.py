"""The logic model as a figure: what goes in, what is done, what comes of it, and what is assumed."""

from equipoise.errors import InputError
from equipoise.protocol.models.files import LogicModel
from equipoise.report import words
from equipoise.report.figures.drawing import BAND, LINE, PALETTE, Drawing, wrap
from equipoise.report.figures.figure import Figure
from equipoise.report.references import References
from equipoise.report.tables import Cell, Column, Table

__all__ = ["logic"]

_HEADINGS = ("Inputs", "Activities", "Outputs", "Outcomes")


def logic(model: LogicModel, references: References) -> Figure:
    """Four columns with arrows between linked boxes; the table says how each link stands."""
    columns = (model.inputs, model.activities, model.outputs, model.outcomes)
    told = " ".join(
        f"{heading}: {'; '.join(column.values())}."
        for heading, column in zip(_HEADINGS, columns, strict=True)
        if column
    )
    return Figure(
        id="logic-model",
        title="How the intervention is meant to work",
        subtitle="Logic model: inputs, activities, outputs and outcomes, with the links between them",
        description=told,
        wide=_wide(model),
        narrow=_narrow(model),
        table=_table(model, references),
        source="Assumptions: " + "; ".join(model.assumptions.values()) + "." if model.assumptions else "",
    )


def _wide(model: LogicModel) -> Drawing:
    columns = (model.inputs, model.activities, model.outputs, model.outcomes)
    width, gap = 150.0, 40.0
    heights = [sum(_height(text, width) + 16 for text in column.values()) for column in columns]
    drawing = Drawing(720, 40 + max([*heights, 40.0]))
    places: dict[str, tuple[float, float, float]] = {}
    for at, (heading, column) in enumerate(zip(_HEADINGS, columns, strict=True)):
        x, y = at * (width + gap), 40.0
        drawing.text(x + width / 2, 20, heading, size=15, anchor="middle", bold=True, colour=PALETTE[0])
        for key, text in column.items():
            places[key] = (x, y, _height(text, width))
            y += _height(text, width) + 16
    for link in model.links:
        if link.from_ in places and link.to in places:
            (x1, y1, h1), (x2, y2, h2) = places[link.from_], places[link.to]
            if x2 > x1:
                drawing.arrow(x1 + width, y1 + h1 / 2, x2, y2 + h2 / 2)
    for column in columns:
        for key, text in column.items():
            x, y, height = places[key]
            _box(drawing, x, y, width, height, text)
    return drawing


def _narrow(model: LogicModel) -> Drawing:
    columns = (model.inputs, model.activities, model.outputs, model.outcomes)
    used = [(heading, column) for heading, column in zip(_HEADINGS, columns, strict=True) if column]
    total = sum(58 + sum(_height(text, 320) + 8 for text in column.values()) for _, column in used)
    drawing = Drawing(320, max(40.0, total))
    y = 0.0
    for at, (heading, column) in enumerate(used):
        drawing.text(160, y + 20, heading, size=15, anchor="middle", bold=True, colour=PALETTE[0])
        y += 30
        for text in column.values():
            _box(drawing, 0, y, 320, _height(text, 320), text)
            y += _height(text, 320) + 8
        if at + 1 < len(used):
            drawing.arrow(160, y - 4, 160, y + 20)
        y += 28
    return drawing


# A glyph is wider than its mean often enough that a full line needs room to spare.
_MARGINS = 34


def _height(text: str, width: float) -> float:
    return 20 + 18.0 * len(wrap(text, width - _MARGINS, 14))


def _box(drawing: Drawing, x: float, y: float, width: float, height: float, text: str) -> None:
    drawing.box(x, y, width, height, BAND, border=LINE, round_=4)
    drawing.block(x + 8, y + 23, text, width - _MARGINS, size=14)


def _table(model: LogicModel, references: References) -> Table:
    texts = model.inputs | model.activities | model.outputs | model.outcomes | model.assumptions
    rows = tuple(
        (
            Cell(texts.get(link.from_, link.from_)),
            Cell(texts.get(link.to, link.to)),
            *_standing(link.evidence, references),
        )
        for link in model.links
    )
    columns = (Column("From"), Column("To"), Column("Standing"), Column("What bears on it"))
    return Table("logic-model-table", "Links of the logic model", columns, rows)


def _standing(evidence: tuple[str, ...], references: References) -> tuple[Cell, Cell]:
    told, better, worse = [], False, False
    for reference in evidence:
        if reference.startswith("theme."):
            told.append(f"Theme: {reference.removeprefix('theme.').replace('-', ' ')}")
            continue
        try:
            finding = references.find(reference)
        except InputError:
            continue
        told.append(words.sentence(finding, references.names))
        if finding.kind == "effect" and words.is_clear(finding) and finding.good in ("high", "low"):
            good = ((finding.estimate or 0) > 0) == (finding.good == "high")
            better, worse = better or good, worse or not good
    if not told:
        return Cell("Untested"), Cell("Nothing yet")
    standing = "Challenged" if worse else "Supported" if better else "Looked at; not settled"
    return Cell(standing), Cell(" ".join(told))
