"""Power over what a design assumes: one line a claim with its Monte-Carlo band, and the power wanted."""

from collections.abc import Callable, Mapping, Sequence

from equipoise.diagnosis.planning.curves import Curve, Point
from equipoise.report.figures.drawing import GREY, INK, LINE, PALETTE, Drawing, ticks
from equipoise.report.figures.figure import Figure
from equipoise.report.numbers import number, percentage
from equipoise.report.tables import Cell, Column, Table

__all__ = ["power"]

Height = Callable[[float], float]
_MOST = 4  # lines of one figure
_Z = 1.96
_UNITS = {
    "effect": "effect, in the outcome's own unit",
    "people": "people who take part",
    "response": "share that answers the last wave",
}


def power(curves: Sequence[Curve], labels: Mapping[str, str]) -> Figure:
    """The curves of one thing assumed, of at most four claims.

    Effects in different units share an axis as multiples of what is assumed.

    Args:
        curves: over the same thing; the first four are drawn, all stand in the table.
        labels: what each claim is called, by its id.
    """
    over, target = curves[0].over, curves[0].target
    drawn = curves[:_MOST]
    scaled = over == "effect" and len(drawn) > 1
    units = "size of the effect, in times of the one assumed" if scaled else _UNITS[over]
    title = {
        "effect": "Power by the size of the effect",
        "people": "Power by the number of people",
        "response": "Power by the share that answers",
    }[over]
    return Figure(
        id=f"power-over-{over}",
        title=title,
        subtitle=(
            f"Share of simulated trials that find the effect, by {units}; bands are the 95% Monte-Carlo "
            f"error; the dashed line is the power wanted, {target:.0%}"
        ),
        description=f"{title}. " + " ".join(_described(curve, labels) for curve in drawn),
        wide=_draw(drawn, labels, units, Drawing(720, 400), (70.0, 690.0, 20.0, 320.0)),
        narrow=_draw(drawn, labels, units, Drawing(320, 360), (44.0, 306.0, 16.0, 270.0)),
        table=_table(curves, labels),
        source="Simulated from the assumptions of the protocol, through its own analyses.",
    )


def _described(curve: Curve, labels: Mapping[str, str]) -> str:
    points = ", ".join(
        f"{percentage(point.power.value)} at {_at(curve, point)}"
        for point in curve.points
        if point.power.value is not None
    )
    return f"{labels[curve.claim.id]}: {points}."


def _draw(
    curves: Sequence[Curve],
    labels: Mapping[str, str],
    units: str,
    drawing: Drawing,
    frame: tuple[float, float, float, float],
) -> Drawing:
    left, right, top, bottom = frame
    scaled = curves[0].over == "effect" and len(curves) > 1
    ends = [_x(point, scaled=scaled) for curve in curves for point in curve.points]
    marks = ticks(min(ends), max(ends), 6 if right > 400 else 4)

    def height(share: float) -> float:
        return bottom - (bottom - top) * min(1.0, max(0.0, share))

    def place(at: float) -> float:
        return left + (right - left) * (at - marks[0]) / ((marks[-1] - marks[0]) or 1.0)

    for share in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0):
        drawing.line(left, height(share), right, height(share), "#DDE3EA")
        drawing.text(left - 8, height(share) + 5, f"{share:.0%}", size=14, anchor="end", colour=GREY)
    drawing.line(left, height(curves[0].target), right, height(curves[0].target), INK, 1.5, "6 4")
    drawing.line(left, bottom, right, bottom, LINE)
    places = max(len(f"{mark:g}".partition(".")[2]) for mark in marks)
    for mark in marks:
        printed = percentage(mark) if curves[0].over == "response" else number(mark, places)
        drawing.text(place(mark), bottom + 22, printed, size=14, anchor="middle", colour=GREY)
    for series, curve in enumerate(curves):
        _line(drawing, curve, series, lambda point: place(_x(point, scaled=scaled)), height)
    after = drawing.block(left, bottom + 44, _capital(units), right - left, size=14, colour=GREY)
    for series, curve in enumerate(curves if len(curves) > 1 else ()):
        drawing.marker(left + 6, after + 6, series)
        after = drawing.block(left + 20, after + 11, labels[curve.claim.id], right - left - 20, size=14)
    return drawing.end(after + 6)


def _line(
    drawing: Drawing, curve: Curve, series: int, place: Callable[[Point], float], height: Height
) -> None:
    known = [
        (place(point), point.power.value, (point.power.mc_error or 0.0) * _Z)
        for point in curve.points
        if point.power.value is not None
    ]
    edge = [(x, height(share + error)) for x, share, error in known]
    edge += [(x, height(share - error)) for x, share, error in reversed(known)]
    colour = PALETTE[series % 4]
    drawing.area(edge, colour)
    drawing.path([(x, height(share)) for x, share, _ in known], colour)
    for x, share, _ in known:
        drawing.marker(x, height(share), series)


def _table(curves: Sequence[Curve], labels: Mapping[str, str]) -> Table:
    rows = tuple(
        (
            Cell(labels[curve.claim.id]),
            Cell(_at(curve, point), point.at),
            Cell(percentage(point.power.value, 1), point.power.value),
            Cell(percentage(point.power.mc_error, 1), point.power.mc_error),
            Cell(number(point.mean_analysed.value, 0), point.mean_analysed.value),
            Cell(number(point.mean_width.value, 2), point.mean_width.value),
        )
        for curve in curves
        for point in curve.points
    )
    columns = (
        Column("Effect"),
        Column(_capital(_UNITS[curves[0].over]), numeric=True),
        Column("Power", numeric=True),
        Column("Monte-Carlo error", numeric=True),
        Column("Analysed, on average", numeric=True),
        Column("Width of the interval, on average", numeric=True),
    )
    return Table(f"power-over-{curves[0].over}-table", f"Power by {_UNITS[curves[0].over]}", columns, rows)


def _x(point: Point, *, scaled: bool) -> float:
    return point.multiple if scaled else point.at


def _at(curve: Curve, point: Point) -> str:
    if curve.over == "response":
        return percentage(point.at)
    return number(point.at, 0) if curve.over == "people" else number(point.at, 2)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
