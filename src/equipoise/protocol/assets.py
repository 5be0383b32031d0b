"""What a contact shows beside its words: a film, a recording or a paper in `media/`, and what belongs to it.

Files with the same stem belong together: `thanks.mp4` is shown with its captions `thanks.vtt`, the words said
in it `thanks.txt` (or `.md`), and the picture before it starts `thanks.jpg` (or `.png`). A name may have
columns of the roster in braces: `media/{authority}.mp4`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import PurePosixPath
from typing import Literal

from equipoise.errors import Problem
from equipoise.protocol.models.fieldwork import Contact
from equipoise.protocol.study import Study

__all__ = ["Asset", "asset_name", "asset_of", "asset_problems", "missing_assets"]

_FIELD = re.compile(r"\{\s*([^{}]*?)\s*\}")
_VIDEO = (".mp4", ".m4v", ".webm", ".ogv", ".mov")
_AUDIO = (".mp3", ".m4a", ".ogg", ".oga", ".opus", ".wav")
_TRANSCRIPT = (".txt", ".md")
_POSTER = (".jpg", ".jpeg", ".png", ".webp")


@dataclass(frozen=True)
class Asset:
    """A file that a message shows, with those that belong to it; each a path in the study folder, or None."""

    file: str
    kind: Literal["video", "audio", "file"]
    captions: str | None
    transcript: str | None
    poster: str | None

    @property
    def files(self) -> tuple[str, ...]:
        """All of them that are there."""
        found = (self.file, self.captions, self.transcript, self.poster)
        return tuple(name for name in found if name is not None)


def asset_name(contact: Contact, facts: Mapping[str, object]) -> str | None:
    """The file that one participant is shown; None without an asset, or where a fact in its name is missing.

    Args:
        contact: of a protocol.
        facts: what the roster says of the participant.
    """
    text = contact.asset
    if text is None or any(facts.get(name) in (None, "") for name in _FIELD.findall(text)):
        return None
    return _FIELD.sub(lambda found: str(facts[found[1]]), text)


def asset_of(study: Study, name: str) -> Asset:
    """A file of `media/` and what belongs to it.

    Args:
        study: as loaded.
        name: of the file, as `asset_name` gives it.
    """
    ending = PurePosixPath(name).suffix.lower()
    kind: Literal["video", "audio", "file"]
    kind = "video" if ending in _VIDEO else "audio" if ending in _AUDIO else "file"
    shown = kind != "file"
    return Asset(
        file=name,
        kind=kind,
        captions=_beside(study, name, (".vtt",)) if shown else None,
        transcript=_beside(study, name, _TRANSCRIPT) if shown else None,
        poster=_beside(study, name, _POSTER) if kind == "video" else None,
    )


def asset_problems(study: Study) -> Iterator[Problem]:
    """Films and recordings that cannot be published as they are: not everybody could follow them."""
    for path, name in _names(study):
        asset = asset_of(study, name)
        if name not in study.media or asset.kind == "file":
            continue
        stem = name.rpartition(".")[0]
        if asset.kind == "video" and asset.captions is None:
            yield _problem(
                study, path, f"{name} has no captions, so whoever cannot hear it is left out", f"{stem}.vtt"
            )
        if asset.transcript is None:
            yield _problem(
                study, path, f"{name} has no transcript, so whoever cannot play it is left out", f"{stem}.txt"
            )


def missing_assets(study: Study) -> Iterator[Problem]:
    """Files that participants are to be shown and that are not there; a draft may be written before its
    films."""
    for path, name in _names(study):
        if name not in study.media:
            yield _problem(study, path, f"{name} is to be shown to participants and is not there", name)


def _names(study: Study) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every file that some participant can be shown, with the place that names it; contacts share files."""
    met: set[str] = set()
    participants = study.protocol.participants
    roster = participants.roster if participants else {}
    for name, contact in study.protocol.contacts.items():
        if contact.asset is None:
            continue
        fields = list(dict.fromkeys(_FIELD.findall(contact.asset)))
        if any(field not in roster or not roster[field].levels for field in fields):
            continue  # told by the check of contacts
        for levels in product(*(roster[field].levels or () for field in fields)):
            file = asset_name(contact, dict(zip(fields, levels, strict=True)))
            if file is not None and file not in met:
                met.add(file)
                yield ("contacts", name, "asset"), file


def _problem(study: Study, path: tuple[str, ...], found: str, wanted: str) -> Problem:
    message = f"{found}. It is refused for publication: add {wanted}"
    return study.documents["protocol.yaml"].problem(path, message)


def _beside(study: Study, name: str, endings: tuple[str, ...]) -> str | None:
    stem = name.rpartition(".")[0]
    return next((f"{stem}{ending}" for ending in endings if f"{stem}{ending}" in study.media), None)
