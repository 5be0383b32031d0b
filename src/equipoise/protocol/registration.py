"""The lock: what was registered, when, and whether the folder still says it."""

import json
from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, Literal

from equipoise.errors import Problem, ProtocolError
from equipoise.instruments import Instrument, check_pack, load
from equipoise.protocol.canonical import plain, protocol_hash, spelled_out_hash, study_parts
from equipoise.protocol.differences import differences
from equipoise.protocol.models.registration import Registration
from equipoise.protocol.study import Study

__all__ = [
    "changed_files",
    "changes_since_lock",
    "current_hash",
    "lock",
    "lock_text",
    "read_registration",
    "refuse_changed",
    "refuse_demonstration_wording",
]


def lock(
    study: Study,
    *,
    time: str,
    seed_commitment: str | None,
    version: str,
    clock: Literal["real", "rehearsal"] = "real",
) -> Registration:
    """Register a study as it stands.

    Args:
        study: a loaded, checked study.
        time: the moment of the lock, ISO 8601 in UTC; the caller reads the clock.
        seed_commitment: SHA-256 of the team's secret, hexadecimal; None where nothing is allocated.
        version: the version of the software.
        clock: whether the time is real or a rehearsal's.
    Raises:
        ProtocolError: the study is locked already, or lacks what a lock requires.
    """
    if study.registration is not None:
        raise ProtocolError(
            Problem(
                f"{study.folder.name}/lock.json",
                "",
                f"this study was locked on {study.registration.time}; later changes are amendments "
                "(`equipoise amend`)",
            )
        )
    if study.protocol.study.launch is None and study.protocol.study.kind != "interviews":
        document = study.documents["protocol.yaml"]
        raise ProtocolError(
            document.problem(
                ("study", "launch"), "a lock needs the date of the launch, such as 2027-03-01 09:00"
            )
        )
    parts = study_parts(study)
    return Registration(
        equipoise=1,
        study=study.protocol.study.id,
        time=time,
        clock=clock,
        protocol_hash=protocol_hash(parts),
        parts=parts,
        seed_commitment=seed_commitment,
        version=version,
        spelled_out=plain(study.protocol),
    )


def lock_text(registration: Registration) -> str:
    """The registration as `lock.json` holds it."""
    return json.dumps(plain(registration), indent=1, ensure_ascii=False) + "\n"


def read_registration(text: str, name: str) -> Registration:
    """The registration in `lock.json`.

    Raises:
        ProtocolError: the file is not a registration; it is never written by hand.
    """
    try:
        found = Registration.model_validate(json.loads(text))
    except (ValueError, RecursionError):  # a ValidationError is a ValueError
        raise ProtocolError(
            Problem(name, "", "this is not a lock that Equipoise wrote; restore the file, do not edit it")
        ) from None
    if protocol_hash(found.parts) != found.protocol_hash:
        raise ProtocolError(
            Problem(
                name,
                "protocol-hash",
                "the hashes of the parts do not give the study's hash; restore the file",
            )
        )
    if _hash_of(found.spelled_out) != found.parts.get("protocol.yaml"):
        raise ProtocolError(
            Problem(
                name,
                "spelled-out",
                "the spelled-out protocol is not the one that was locked; restore the file",
            )
        )
    return found


def _hash_of(spelled_out: Mapping[str, Any]) -> str | None:
    try:
        return spelled_out_hash(spelled_out)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None  # not a protocol at all


def current_hash(study: Study) -> str:
    """The hash of the study as its folder stands."""
    return protocol_hash(study_parts(study))


def changes_since_lock(study: Study) -> list[str]:
    """In words, what differs from the lock or, where amendments record new hashes, from the last of them.

    Returns:
        One sentence a difference; empty when nothing changed or the study is not locked.
    """
    if study.registration is None:
        return []
    registered = _registered_parts(study.registration, study)
    found = study_parts(study)
    if registered == found:
        return []
    told: list[str] = []
    if registered.get("protocol.yaml") != found["protocol.yaml"]:
        told += differences(study.registration.spelled_out, plain(study.protocol)) or [
            "protocol.yaml changed"
        ]
    told += changed_files(registered, found)
    return told


def refuse_changed(study: Study) -> None:
    """Stop where a locked study no longer says what was locked.

    Raises:
        ProtocolError: names every change and how to go on.
    """
    changes = changes_since_lock(study)
    if changes:
        raise ProtocolError(
            [
                Problem(f"{study.folder.name}/lock.json", "", f"changed since the lock: {change}")
                for change in changes
            ]
            + [
                Problem(
                    f"{study.folder.name}/lock.json",
                    "",
                    "undo the change, or record it with `equipoise amend` (dated, with its reason)",
                )
            ]
        )


def refuse_demonstration_wording(study: Study) -> None:
    """Demonstration wording is for invented participants only: asked at the lock, and before going live.

    Raises:
        ProtocolError: a study with real participants has wording that was made up for demonstrations.
    """
    if study.protocol.study.synthetic:
        return
    problems: list[Problem] = []
    for path, pack in study.wording.items():
        definition = load(pack.instrument)
        if isinstance(definition, Instrument):
            document = study.documents[path]
            problems += [
                document.problem(tuple(found.where.split(".")), found.message)
                for found in check_pack(pack, definition, live=True)
            ]
    if problems:
        place = study.documents["protocol.yaml"].place(("study",))
        remedy = (
            "a study with real participants needs the published wording; one without says `synthetic: true`"
        )
        raise ProtocolError([*problems, Problem(place, "study.synthetic", remedy)])


def _registered_parts(registration: Registration, study: Study) -> Mapping[str, str]:
    parts = registration.parts
    files = sorted(path for path in study.documents if path.startswith("amendments/"))
    for path, amendment in zip_longest(files, study.amendments):
        if amendment.hashes:
            if amendment.protocol_hash != protocol_hash(amendment.hashes):
                message = "the hashes of the parts do not give the protocol-hash; restore the file"
                place = f"{study.folder.name}/{path or 'amendments'}"
                raise ProtocolError(Problem(place, "protocol-hash", message))
            parts = amendment.hashes
    return parts


def changed_files(registered: Mapping[str, str], found: Mapping[str, str]) -> Sequence[str]:
    """In words, which parts besides the protocol are new, gone or different, from the hashes of both."""
    files = sorted({*registered, *found} - {"protocol.yaml"})
    words = []
    for path in files:
        if path not in found:
            words.append(f"{path} is gone")
        elif path not in registered:
            words.append(f"{path} is new")
        elif registered[path] != found[path]:
            words.append(f"{path} has another text")
    return words
