"""Wording packs: the sentences of an instrument in one language, by item key.

The package ships demonstration wording of its own only. A team adds the published wording as a pack in its
study folder, with the licence reference where the licence class asks for one.
"""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from equipoise.errors import Problem, ScoringError, nearest
from equipoise.instruments.definition import Instrument
from equipoise.record import Identifier, Name, Record

__all__ = ["WordingPack", "blank_pack", "check_pack", "completed", "demonstration_pack", "read_pack"]

# A blank pack is valid YAML with empty strings; `check_pack` names what is still to be filled.
Fillable = Annotated[str, StringConstraints(strip_whitespace=True)]
_LABELS = {
    "O": "open: use with attribution",
    "P": "published: confirm permission under `licence`",
    "L": "licence needed: give its reference under `licence`",
}


class WordingPack(Record):
    """The wording of one instrument in one language.

    `anchors` holds, for each answer format, the words of its labelled codes from the lowest to the highest.
    """

    instrument: Identifier
    language: Fillable = "en-GB"
    licence: Fillable | None = None
    demonstration: bool = False
    source: Fillable | None = None
    intro: Fillable | None = None
    anchors: Mapping[Name, tuple[Fillable, ...]] = Field(default_factory=dict)
    items: Mapping[Name, Fillable] = Field(default_factory=dict)


def demonstration_pack(instrument: Instrument) -> WordingPack:
    """The package's own wording of an instrument, marked as a demonstration; no live study may use it."""
    own = instrument.demonstration
    return WordingPack(
        instrument=instrument.id,
        language="en-GB",
        demonstration=True,
        source="Equipoise, demonstration wording of its own",
        intro=own.introduction,
        anchors={name: tuple(words[code] for code in sorted(words)) for name, words in own.answers.items()},
        items=own.items,
    )


def completed(pack: WordingPack, instrument: Instrument) -> WordingPack:
    """The pack as participants see it: what a demonstration pack leaves out is the package's own wording."""
    if not pack.demonstration:
        return pack
    own = demonstration_pack(instrument)
    return pack.model_copy(
        update={
            "intro": pack.intro or own.intro,
            "anchors": {**own.anchors, **pack.anchors},
            "items": {**own.items, **pack.items},
        }
    )


def blank_pack(instrument: Instrument, language: str = "en-GB") -> str:
    """YAML for a team to fill: every item and labelled answer, empty, and what the licence asks for."""
    head = [
        f"# Wording of {instrument.title}.",
        f"# Licence class {instrument.licence.class_}, {_LABELS[instrument.licence.class_]}.",
        f"# {instrument.licence.asks}",
        f"instrument: {instrument.id}",
        f"language: {language}",
        'licence: ""',
        'source: ""',
        'intro: ""',
        "items:",
    ]
    items = [f'  {item.key}: ""{_position(item.number)}' for item in instrument.items]
    return "\n".join([*head, *items, *_blank_anchors(instrument)]) + "\n"


def read_pack(text: str, place: str) -> WordingPack:
    """A pack from YAML.

    Raises:
        ScoringError: every fault at once, with its path inside the file.
    """
    try:
        raw = YAML(typ="safe").load(text)
    except MarkedYAMLError as fault:
        line = fault.problem_mark.line + 1 if fault.problem_mark else 1
        raise ScoringError(Problem(f"{place}:{line}", "", f"not YAML: {fault.problem}")) from fault
    try:
        return WordingPack.model_validate(raw)
    except ValidationError as fault:
        raise ScoringError(
            Problem(place, ".".join(str(part) for part in error["loc"]), error["msg"])
            for error in fault.errors()
        ) from fault


def check_pack(
    pack: WordingPack, instrument: Instrument, place: str = "", *, live: bool = False
) -> tuple[Problem, ...]:
    """What a pack lacks for its instrument; nothing when it may be used.

    Args:
        pack: the pack.
        instrument: its instrument.
        place: the pack's file, as the problems should name it.
        live: whether real participants will see it; then demonstration wording and a missing licence are
            refused.
    """
    pack = completed(pack, instrument)
    found = [*_identity(pack, instrument), *_item_faults(pack, instrument), *_anchor_faults(pack, instrument)]
    if live:
        found += _live_faults(pack, instrument)
    return tuple(Problem(place, where, message) for where, message in found)


def _position(number: int | None) -> str:
    return f"  # number {number} in the published order" if number is not None else ""


def _blank_anchors(instrument: Instrument) -> list[str]:
    formats = {name: form.labelled_codes for name, form in instrument.answers.items() if form.labelled_codes}
    lines = ["anchors:"] if formats else []
    for name, codes in formats.items():
        lines += [f"  {name}:", *(f'    - ""  # {code}' for code in codes)]
    return lines


def _identity(pack: WordingPack, instrument: Instrument) -> list[tuple[str, str]]:
    faults = []
    if pack.instrument != instrument.id:
        faults.append(("instrument", f'found "{pack.instrument}"; expected "{instrument.id}"'))
    if not pack.language:
        faults.append(("language", "is empty; give a language tag such as en-GB or cy"))
    return faults


def _item_faults(pack: WordingPack, instrument: Instrument) -> list[tuple[str, str]]:
    keys = instrument.keys
    unknown = [
        (f"items.{key}", f"no such item. Items: {nearest(key, keys)}")
        for key in pack.items
        if key not in keys
    ]
    blank = [(f"items.{key}", "has no wording yet") for key in keys if not pack.items.get(key)]
    return unknown + blank


def _anchor_faults(pack: WordingPack, instrument: Instrument) -> list[tuple[str, str]]:
    formats = {name: form.labelled_codes for name, form in instrument.answers.items() if form.labelled_codes}
    faults = [
        (f"anchors.{name}", f"no answer format that takes words. Formats: {nearest(name, tuple(formats))}")
        for name in pack.anchors
        if name not in formats
    ]
    for name, codes in formats.items():
        words = pack.anchors.get(name, ())
        if len(words) != len(codes):
            told = ", ".join(str(code) for code in codes)
            faults.append(
                (f"anchors.{name}", f"found {len(words)} labels; expected one each for the codes {told}")
            )
        faults += [
            (f"anchors.{name}", f"label {place} is empty") for place, word in enumerate(words, 1) if not word
        ]
    return faults


def _live_faults(pack: WordingPack, instrument: Instrument) -> list[tuple[str, str]]:
    if pack.demonstration:
        message = (
            "is for examples and rehearsals; make a pack with `equipoise instruments wording` and fill it"
        )
        return [("demonstration", message)]
    licence = instrument.licence
    if licence.class_ in ("P", "L") and not pack.licence:
        return [("licence", f"licence class {licence.class_}: {licence.asks}")]
    if licence.class_ == "O" and not pack.source:
        return [("source", f"licence class O: name where the wording is from. {licence.asks}")]
    return []
