"""The lock: what it records, what it refuses, and how a change after it is told."""

import json
from pathlib import Path

import pytest

from equipoise.errors import ProtocolError
from equipoise.protocol import Study, changes_since_lock, current_hash, load_study, lock
from equipoise.protocol.canonical import plain, protocol_hash, study_parts
from equipoise.protocol.differences import differences
from equipoise.protocol.registration import refuse_changed

TIME = "2021-01-04T09:00:00+00:00"


def locked(folder: Path) -> Study:
    registration = lock(load_study(folder), time=TIME, seed_commitment="ab" * 32, version="0.1.0")
    (folder / "lock.json").write_text(registration.model_dump_json(by_alias=True), "utf-8")
    return load_study(folder)


def change(folder: Path, file: str, old: str, new: str) -> None:
    path = folder / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def test_a_lock_records_the_hash_of_every_part(small: Path) -> None:
    study = locked(small)
    assert study.registration is not None
    assert study.registration.time == TIME
    assert study.registration.protocol_hash == current_hash(study) == protocol_hash(study_parts(study))
    assert {"protocol.yaml", "surveys/feeling.yaml", "messages/week.md", "media/film.vtt"} <= set(
        study.registration.parts
    )
    assert changes_since_lock(study) == []
    refuse_changed(study)


def test_a_study_is_locked_once(small: Path) -> None:
    with pytest.raises(ProtocolError, match=r"was locked on .* later changes are amendments"):
        lock(locked(small), time=TIME, seed_commitment=None, version="0.1.0")


def test_a_lock_needs_the_launch(small: Path) -> None:
    change(small, "protocol.yaml", "  launch: 2021-03-01 09:00\n", "")
    with pytest.raises(ProtocolError, match=r"study\.launch: a lock needs the date of the launch"):
        lock(load_study(small), time=TIME, seed_commitment=None, version="0.1.0")


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("protocol.yaml", "margin: 0.78", "margin: 1", "outcomes, wellbeing, margin: was 0.78, now 1"),
        (
            "protocol.yaml",
            "harms: [complaint]",
            "harms: [complaint, distress]",
            "harms: was complaint, now complaint, distress",
        ),
        ("messages/week.md", "This is", "It is", "messages/week.md has another text"),
        ("media/film.vtt", "WEBVTT", "WEBVTT\n", "media/film.vtt has another text"),
    ],
)
def test_a_change_after_the_lock_is_told_in_words_and_stops_the_study(
    small: Path, file: str, old: str, new: str, told: str
) -> None:
    locked(small)
    change(small, file, old, new)
    study = load_study(small)
    assert told in changes_since_lock(study)
    with pytest.raises(ProtocolError, match=r"(?s)changed since the lock.*equipoise amend"):
        refuse_changed(study)


def test_a_file_that_is_new_or_gone_is_named(small: Path) -> None:
    locked(small)
    (small / "media" / "film.vtt").unlink()
    (small / "media" / "second.vtt").write_text("WEBVTT\n")
    assert changes_since_lock(load_study(small)) == ["media/film.vtt is gone", "media/second.vtt is new"]


def test_an_amendment_that_records_the_new_hashes_is_the_protocol_from_then_on(small: Path) -> None:
    locked(small)
    change(small, "protocol.yaml", "margin: 0.78", "margin: 1")
    parts = study_parts(load_study(small))
    amendment = {"date": "2021-05-01", "by": "The team", "reason": "A better margin", "data-seen": "none"}
    (small / "amendments").mkdir()
    text = json.dumps({**amendment, "hashes": parts, "protocol-hash": protocol_hash(parts)})
    (small / "amendments" / "001.yaml").write_text(text, "utf-8")
    study = load_study(small)
    assert changes_since_lock(study) == []
    refuse_changed(study)


def test_a_lock_that_was_edited_is_refused(small: Path) -> None:
    locked(small)
    path = small / "lock.json"
    found = json.loads(path.read_text())
    found["parts"]["messages/week.md"] = "0" * 64
    path.write_text(json.dumps(found))
    with pytest.raises(ProtocolError, match="restore the file"):
        load_study(small)


def test_differences_are_told_in_the_order_of_the_protocol(small: Path) -> None:
    before = plain(load_study(small).protocol)
    change(small, "protocol.yaml", "title: A small trial", "title: A little trial")
    change(
        small,
        "protocol.yaml",
        "  raw:\n    contrast: texts - control\n    at: after\n    adjust: [strata]\n    sensitivity-of: effect\n",
        "",
    )
    told = differences(before, plain(load_study(small).protocol))
    assert told[0] == 'study, title: was "A small trial", now "A little trial"'
    assert any(line.startswith("analyses, raw: taken out") for line in told)
    assert differences(before, before) == []
