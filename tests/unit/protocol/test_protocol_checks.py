"""What is wrong with a folder is told all at once: file, line, what was found, what is allowed, the nearest name."""

from pathlib import Path

import pytest

from equipoise.errors import InputError, ProtocolError
from equipoise.protocol import load_study

WRONG = [
    ("protocol.yaml", "  title: A small trial", "  titel: A small trial", 'study.titel: "titel" is not known here', 'Did you mean "title"?'),
    ("protocol.yaml", "kind: trial", "kind: trail", '"trail" is not allowed here', 'Did you mean "trial"?'),
    ("protocol.yaml", "Europe/London", "Europe/Lundon", "is not a time zone", "Europe/London"),
    ("protocol.yaml", "role: identifier", "role: attribute", "exactly one column has `role: identifier`", "found none"),
    ("protocol.yaml", "started_on <= launch", "start_on <= launch", "start_on", 'Did you mean "started_on"?'),
    ("protocol.yaml", "started_on <= launch", "team == 'three'", "three", "one, two"),
    ("protocol.yaml", "started_on <= launch", "age <= launch", "age", ""),
    ("protocol.yaml", "strata: [team]", "strata: [teem]", '"teem" is not a roster or derived column', 'Did you mean "team"?'),
    ("protocol.yaml", "strata: [team]", "strata: [mobile]", "it cannot be a stratum", ""),
    ("protocol.yaml", "ratio: {control: 1, texts: 1}", "ratio: {control: 1}", 'the arm "texts" has no share', "every arm needs people"),
    ("protocol.yaml", "ratio: {control: 1, texts: 1}", "ratio: {control: 1, texts: 0}", "a share is a whole number from 1 upwards", ""),
    ("protocol.yaml", "  texts: {label: A weekly text}\n", "", "needs two arms or more; found control", ""),
    ("protocol.yaml", "survey: feeling, opens: launch + 8", "survey: feelings, opens: launch + 8", '"feelings" is not a survey', 'Did you mean "feeling"?'),
    ("protocol.yaml", "closes: launch + 12 weeks", "closes: launch + 1 week", "closes (launch + 1 week) before it opens", ""),
    ("protocol.yaml", "opens: launch + 8 weeks", "opens: lunch + 8 weeks", "lunch", 'Did you mean "launch"?'),
    ("protocol.yaml", "to: {arm: texts}", "to: {arm: text}", '"text" is not an arm of this study', 'Did you mean "texts"?'),
    ("protocol.yaml", "template: messages/week.md", "template: messages/weak.md", 'there is no file "messages/weak.md"', 'Did you mean "messages/week.md"?'),
    ("protocol.yaml", "    every: 1 week\n", "", "`every:` does not say how often", ""),
    ("protocol.yaml", "waves: [after], role", "waves: [affter], role", '"affter" is not a wave of this study', 'Waves: before, after. Did you mean "after"?'),
    ("protocol.yaml", "instrument: swemwbs, waves", "instrument: swemwb, waves", '"swemwb" is not an instrument', 'Did you mean "swemwbs"?'),
    ("protocol.yaml", "instrument: swemwbs, waves", "instrument: sus, waves", "nobody measures this outcome", 'does not ask "sus"'),
    ("protocol.yaml", "instrument: swemwbs, waves", "instrument: cbi, waves", "`score:` says which", "personal"),
    ("protocol.yaml", "question: feeling.days_off", "question: feeling.days_of", '"days_of" is not a question', 'Did you mean "days_off"?'),
    ("protocol.yaml", "contrast: texts - control\n    at: after\n  raw", "contrast: text - control\n    at: after\n  raw", "analyses.effect.contrast", 'Did you mean "texts"?'),
    ("protocol.yaml", "adjust: [strata]", "adjust: [after]", "was measured after allocation", "cannot be adjusted"),
    ("protocol.yaml", "adjust: [strata]", "adjust: [wellbeing]", "is an outcome", "the name of a wave before the allocation"),
    ("protocol.yaml", "sensitivity-of: effect", "sensitivity-of: efect", '"efect" is not an analysis', 'Did you mean "effect"?'),
    ("protocol.yaml", "claims: [wellbeing]", "claims: [welbeing]", '"welbeing"', 'Did you mean "wellbeing"?'),
    ("protocol.yaml", "response: {before: 0.4, after: 0.3}", "response: {before: 0.4, later: 0.3}", '"later" is not a wave', ""),
    ("protocol.yaml", 'green: ">= 0.5"', 'green: "half"', '"half" is not a threshold', '">= 0.5"'),
    ("protocol.yaml", "guide: interviews/guide.md", "guide: interviews/guid.md", 'there is no file "interviews/guid.md"', ""),
    ("protocol.yaml", "days: {outcome: days, analysis", "days: {outcome: day, analysis", '"day" is not an outcome', 'Did you mean "days"?'),
    ("protocol.yaml", "partners: [north]", "partners: [nort]", '"nort" is not a partner', 'Did you mean "north"?'),
    ("surveys/feeling.yaml", "instrument: swemwbs,", "instrument: swemwps,", '"swemwps" is not an instrument', 'Did you mean "swemwbs"?'),
    ("surveys/feeling.yaml", "wording/swemwbs.yaml", "wording/swemwb.yaml", 'there is no file "wording/swemwb.yaml"', ""),
    ("surveys/feeling.yaml", 'show-if: "off"', 'show-if: "of"', "of", 'Did you mean "off"?'),
    ("surveys/feeling.yaml", "id: days_off", "id: off", 'the question "off" stands twice', ""),
    ("messages/week.md", "{stop_link}", "{stop_lnk}", "stop_lnk", 'Did you mean "stop_link"?'),
    ("logic-model.yaml", "to: wellbeing", "to: welbeing", '"welbeing" is not a part', 'Did you mean "wellbeing"?'),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "found", "remedy"), WRONG, ids=lambda value: None)
def test_a_fault_is_told_with_its_file_what_was_found_and_what_is_meant(
    small: Path, file: str, old: str, new: str, found: str, remedy: str
) -> None:
    path = small / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(InputError) as refused:
        load_study(small)
    told = str(refused.value)
    assert any(f"small/{file}" in line and found in line and remedy in line for line in told.splitlines()), (
        told
    )


def test_a_fault_has_the_line_on_which_it_stands(small: Path) -> None:
    path = small / "protocol.yaml"
    lines = path.read_text("utf-8").split("\n")
    at = next(number for number, line in enumerate(lines) if "days: {question" in line)
    lines[at] = lines[at].replace("waves: [after]", "waves: [affter]")
    path.write_text("\n".join(lines), "utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_study(small)
    assert {problem.place for problem in refused.value.problems} >= {f"small/protocol.yaml:{at + 1}"}


def test_all_faults_of_a_folder_are_told_at_once(small: Path) -> None:
    for file, old, new in (
        ("protocol.yaml", "margin: 0.78", "margin: much"),
        ("surveys/feeling.yaml", "type: number", "type: numbers"),
        ("messages/week.md", "author", "autor"),
        ("logic-model.yaml", "activities", "activity"),
    ):
        path = small / file
        path.write_text(path.read_text("utf-8").replace(old, new, 1), "utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_study(small)
    files = {problem.place.rpartition(":")[0] for problem in refused.value.problems}
    assert files == {
        "small/protocol.yaml",
        "small/surveys/feeling.yaml",
        "small/messages/week.md",
        "small/logic-model.yaml",
    }


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: &x [1]\n", "anchors and aliases"),
        ("a: 1\na: 2\n", 'the key "a" stands twice, first on line 1'),
        ("a: !!python/object:os.system x\n", "the tag"),
        ("a: .inf\n", "is not a number that can be computed with"),
        ("a: [1,\n", "this is not YAML"),
        ("a: {" * 60 + "}" * 60, "nested deeper"),
        ("- one\n", "expected `key: value` lines"),
        ("", "expected `key: value` lines"),
    ],
)
def test_yaml_that_hides_or_repeats_is_refused(small: Path, text: str, found: str) -> None:
    (small / "protocol.yaml").write_text(text, "utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_study(small)
    assert found in str(refused.value)


def test_a_bomb_of_anchors_is_refused_before_it_grows(small: Path) -> None:
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 60))]
    (small / "protocol.yaml").write_text("\n".join(lines), "utf-8")
    with pytest.raises(ProtocolError, match="anchors and aliases"):
        load_study(small)


def test_a_file_that_is_not_utf_8_is_refused_with_its_line(small: Path) -> None:
    (small / "narrative" / "background.md").write_bytes("Good\nCaf\xe9\n".encode("latin-1"))
    with pytest.raises(ProtocolError, match=r"background\.md:2: this is not UTF-8 text"):
        load_study(small)
