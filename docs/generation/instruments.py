"""The library of instruments: what can be named in a survey and how each is scored."""

from collections.abc import Iterator

from equipoise.instruments.definition import Composite, Instrument, Score
from equipoise.instruments.library import instrument_ids, load
from generation.markdown import escaped, table

__all__ = ["pages"]

_LICENCES = {
    "O": "open: may be used with attribution",
    "P": "published: the team confirms that it may use it",
    "L": "licence or registration: a live study is refused until its reference is recorded",
}


def pages() -> Iterator[tuple[str, str]]:
    """The table of all, and a section for each."""
    definitions = [load(name) for name in instrument_ids()]
    rows = [
        (f"[`{each.id}`](#instrument-{each.id})", escaped(each.title), _size(each), each.licence.class_)
        for each in definitions
    ]
    text = (
        "# Instruments\n\nA survey names an instrument by its identifier. The library holds structure and "
        "scoring, never a published wording.\n\n"
        + table(("Identifier", "Instrument", "Items", "Licence"), rows)
        + "\nLicence classes: "
        + "; ".join(f"**{letter}** {meaning}" for letter, meaning in _LICENCES.items())
        + ".\n"
    )
    yield "instruments.md", text + "".join(_section(each) for each in definitions)


def _size(definition: Instrument | Composite) -> str:
    return str(len(definition.items)) if isinstance(definition, Instrument) else "composite"


def _section(definition: Instrument | Composite) -> str:
    text = (
        f"\n(instrument-{definition.id})=\n## {escaped(definition.title)}\n\n"
        f"`{definition.id}`, version {definition.version}. Measures {escaped(definition.measures)}\n\n"
    )
    if isinstance(definition, Instrument):
        text += table(
            ("Score", "Items", "Reversed", "Made by", "Range", "Better", "Answers needed"),
            [_score(name, score) for name, score in definition.scores.items()],
        )
    else:
        parts = (
            f"{'minus ' if part.sign < 0 else ''}`{part.instrument}` ({part.score})"
            for part in definition.parts.values()
        )
        text += f"A mean of standardised scores: {', '.join(parts)}.\n"
    return text + f"\nSource: {escaped(definition.citation)}\n"


def _score(name: str, score: Score) -> tuple[str, ...]:
    steps = [score.aggregate]
    if score.recode is not None:
        steps.insert(0, "recode")
    if score.table is not None:
        steps.append("conversion table")
    if score.linear is not None:
        steps.append(f"x {score.linear.multiply:g} + {score.linear.add:g}")
    needed = f"{score.missing.needs} of {len(score.items)}"
    if score.missing.fill != "none":
        needed += f", the rest by the {score.missing.fill}"
    low, high = score.range
    return (
        f"`{name}`",
        str(len(score.items)),
        ", ".join(score.reversed) or "none",
        ", then ".join(steps),
        f"{low:g} to {high:g}",
        score.good,
        needed,
    )
