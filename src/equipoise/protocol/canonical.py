"""The canonical form of a study, and the hashes that the lock records.

Each part (the spelled-out protocol, a survey, a message, a section of the narrative, a media file) has a
SHA-256 of its canonical JSON (RFC 8785) with text in Unicode's NFC, LF line ends and no trailing spaces; the
study's hash is that of the canonical JSON of `{part: hash}`. So anybody can repeat it with a JSON library and
SHA-256.
"""

import hashlib
import unicodedata
from collections.abc import Mapping
from typing import Any

import rfc8785

from equipoise.protocol.study import Study
from equipoise.record import Record

__all__ = ["canonical_bytes", "canonical_text", "plain", "protocol_hash", "spelled_out_hash", "study_parts"]

# What the lock covers of the narrative: what has to be settled before the study begins.
LOCKED_NARRATIVE = ("background", "intervention", "methods", "ethics")


def plain(record: Record) -> dict[str, Any]:
    """A record as plain data, keys as YAML writes them, nothing left out."""
    return record.model_dump(mode="json", by_alias=True)


def canonical_text(text: str) -> str:
    """NFC, LF line ends, no trailing spaces, no empty lines at the end."""
    lines = unicodedata.normalize("NFC", text).replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).rstrip("\n")


def canonical_bytes(data: Any) -> bytes:
    """The canonical JSON of plain data, in UTF-8."""
    return rfc8785.dumps(_normalised(data))


def study_parts(study: Study) -> dict[str, str]:
    """The hash of every part that the lock covers, by the part's path in the folder."""
    records: dict[str, Record] = {f"surveys/{name}.yaml": survey for name, survey in study.surveys.items()}
    records |= {**study.translations, **study.wording, **study.messages, **study.vignettes, **study.guides}
    if study.logic_model is not None:
        records["logic-model.yaml"] = study.logic_model
    parts = {path: _sha256(plain(record)) for path, record in records.items()}
    parts["protocol.yaml"] = spelled_out_hash(plain(study.protocol))
    for section in LOCKED_NARRATIVE:
        if section in study.narrative:
            parts[f"narrative/{section}.md"] = _sha256(study.narrative[section])
    return dict(sorted((parts | dict(study.media)).items()))


def spelled_out_hash(protocol: Mapping[str, Any]) -> str:
    """The hash of a spelled-out protocol; lists that are sets are taken in sorted order.

    So the order in which outcomes and arms are declared, from which `all` and `each` are spelled out, does
    not count.
    """
    unordered = dict(protocol)
    unordered["analyses"] = {name: _sorted(analysis) for name, analysis in protocol["analyses"].items()}
    if protocol["testing"] is not None:
        unordered["testing"] = [_sorted(step) for step in protocol["testing"]]
    return _sha256(unordered)


def protocol_hash(parts: Mapping[str, str]) -> str:
    """The hash of a study from the hashes of its parts: 64 hexadecimal digits."""
    return hashlib.sha256(canonical_bytes(dict(parts))).hexdigest()


def _sorted(record: Mapping[str, Any]) -> dict[str, Any]:
    return {key: sorted(value) if isinstance(value, list) else value for key, value in record.items()}


def _sha256(data: Any) -> str:
    return hashlib.sha256(canonical_bytes(data)).hexdigest()


def _normalised(data: Any) -> Any:
    """RFC 8785 writes numbers as JavaScript does: 1 and 1.0 are one number; text is normalised here."""
    if isinstance(data, str):
        return canonical_text(data)
    if isinstance(data, Mapping):
        return {canonical_text(str(key)): _normalised(value) for key, value in data.items()}
    if isinstance(data, (list, tuple)):
        return [_normalised(value) for value in data]
    return data
