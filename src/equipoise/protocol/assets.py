"""What a contact shows beside its words: a film, a recording or a paper in `media/`, and what belongs to it.

Files with the same stem belong together: `thanks.mp4` is shown with its captions `thanks.vtt`, the words said
in it `thanks.txt` (or `.md`), and the picture before it starts `thanks.jpg` (or `.png`). Captions and words
in another language have its tag before their ending: `thanks.cy.vtt`. A name may have columns of the roster
in braces: `media/{authority}.mp4`.
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
    """A file that a message shows, with those that belong to it; each a path in the study folder, or None.

    `captions_language` is the tag of their language; empty where it is the study's own.
    """

    file: str
    kind: Literal["video", "audio", "file"]
    captions: str | None
    transcript: str | None
    poster: str | None
    captions_language: str = ""

    def has(self, name: str) -> bool:
        """Whether a file is this one or belongs to it, in whatever language."""
        return name == self.file or name.startswith(f"{_stem(self.file)}.")


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


def asset_of(study: Study, name: str, language: str = "") -> Asset:
    """A file of `media/` and what belongs to it.

    Args:
        study: as loaded.
        name: of the file, as `asset_name` gives it.
        language: the tag of the language wanted for captions and words; those without a tag where there are
            none in it.
    """
    ending = PurePosixPath(name).suffix.lower()
    kind: Literal["video", "audio", "file"]
    kind = "video" if ending in _VIDEO else "audio" if ending in _AUDIO else "file"
    if kind == "file":
        return Asset(name, kind, None, None, None)
    tag = language.partition("-")[0].lower()
    spoken = _beside(study, name, (f".{tag}.vtt",)) if tag else None
    words = _beside(study, name, tuple(f".{tag}{each}" for each in _TRANSCRIPT)) if tag else None
    return Asset(
        file=name,
        kind=kind,
        captions=spoken or _beside(study, name, (".vtt",)),
        transcript=words or _beside(study, name, _TRANSCRIPT),
        poster=_beside(study, name, _POSTER) if kind == "video" else None,
        captions_language=tag if spoken else "",
    )


def asset_problems(study: Study) -> Iterator[Problem]:
    """Films and recordings that cannot be published as they are: not everybody could follow them."""
    for path, name in _names(study):
        asset = asset_of(study, name)
        if name not in study.media or asset.kind == "file":
            continue
        stem = _stem(name)
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
    stem = _stem(name)
    return next((f"{stem}{ending}" for ending in endings if f"{stem}{ending}" in study.media), None)


def _stem(name: str) -> str:
    return name.rpartition(".")[0]
