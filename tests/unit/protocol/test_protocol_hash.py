"""The hash of a study: the same for the same meaning however it is written, another for any change of meaning."""

import io
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from equipoise.errors import InputError
from equipoise.protocol import current_hash, load_study
from equipoise.protocol.canonical import canonical_bytes, plain

EXAMPLES = Path(__file__).parents[3] / "examples"
FOLDERS = sorted(path.parent for path in EXAMPLES.glob("*/protocol.yaml")) + sorted(
    path.parent for path in EXAMPLES.glob("*/*/protocol.yaml")
)


def written(data: Any) -> str:
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.dump(data, text)
    return text.getvalue()


def copied(folder: Path, to: Path) -> Path:
    target = to / folder.name
    shutil.copytree(folder, target, ignore=shutil.ignore_patterns("data", "rosters"))
    return target


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_written_spelled_out_and_loaded_again_it_has_the_same_hash(folder: Path, tmp_path: Path) -> None:
    study = load_study(folder)
    again = copied(folder, tmp_path)
    (again / "protocol.yaml").write_text(written(plain(study.protocol)), "utf-8")
    assert current_hash(load_study(again)) == current_hash(study)


def test_comments_white_space_line_ends_and_the_order_of_keys_change_nothing(small: Path) -> None:
    before = current_hash(load_study(small))
    protocol = small / "protocol.yaml"
    lines = protocol.read_text("utf-8").split("\n")
    at = lines.index("  title: A small trial")
    lines[at], lines[at + 1] = lines[at + 1], lines[at] + "      # a comment"
    protocol.write_bytes("\r\n".join(lines).replace("kind: trial", 'kind:   "trial"').encode())
    message = small / "messages" / "week.md"
    message.write_bytes(message.read_bytes().replace(b"\n", b"  \r\n"))
    assert current_hash(load_study(small)) == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("protocol.yaml", "margin: 0.78", "margin: 0.79"),
        ("protocol.yaml", "closes: launch + 12 weeks", "closes: launch + 11 weeks"),
        ("protocol.yaml", "{control: 1, texts: 1}", "{control: 1, texts: 2}"),
        ("protocol.yaml", "mean: 1, sd: 2", "mean: 1, sd: 2.5"),
        ("surveys/feeling.yaml", "How many days?", "How many days in all?"),
        ("messages/week.md", "This is week", "It is week"),
        ("interviews/guide.md", "What was it like?", "How was it?"),
        ("logic-model.yaml", "Wellbeing rises", "Wellbeing goes up"),
        ("narrative/background.md", "cheap", "costly"),
        ("media/film.vtt", "WEBVTT", "WEBVTT "),
    ],
)
def test_any_change_of_meaning_gives_another_hash(small: Path, file: str, old: str, new: str) -> None:
    before = current_hash(load_study(small))
    path = small / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")
    assert current_hash(load_study(small)) != before


def test_what_is_written_after_the_results_is_not_covered(small: Path) -> None:
    before = current_hash(load_study(small))
    (small / "narrative" / "what-we-found.md").write_text("Something else.\n")
    (small / "explore.yaml").write_text("look: {contrast: texts - control, at: after, by: team}\n")
    assert current_hash(load_study(small)) == before


def every_leaf(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in every_leaf(value, (*path, key))]
    if isinstance(data, list):
        return [leaf for at, value in enumerate(data) for leaf in every_leaf(value, (*path, at))]
    return [path]


def changed(data: Any, path: tuple[Any, ...]) -> Any:
    data = json.loads(json.dumps(data))
    at = data
    for key in path[:-1]:
        at = at[key]
    value = at[path[-1]]
    if isinstance(value, bool):
        at[path[-1]] = not value
    elif isinstance(value, (int, float)):
        at[path[-1]] = value + 1
    else:
        at[path[-1]] = f"{value}x"
    return data


def test_no_leaf_of_the_spelled_out_protocol_is_left_out_of_the_hash(small: Path) -> None:
    data = plain(load_study(small).protocol)
    before = canonical_bytes(data)
    leaves = every_leaf(data)
    assert len(leaves) > 150
    assert all(canonical_bytes(changed(data, leaf)) != before for leaf in leaves)


def test_a_folder_without_a_protocol_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no protocol\.yaml here.*equipoise new"):
        load_study(tmp_path)


def test_a_time_of_deletion_counts_and_where_there_is_none_the_hash_is_that_of_before_there_could_be(
    small: Path,
) -> None:
    before = load_study(small)
    assert "delete" not in plain(before.protocol)["privacy"]
    path = small / "protocol.yaml"
    path.write_text(path.read_text("utf-8") + "privacy: {delete: {contacts: 12 weeks}}\n", "utf-8")
    after = load_study(small)
    assert plain(after.protocol)["privacy"]["delete"] == {"contacts": "12 weeks", "answers": None}
    assert current_hash(after) != current_hash(before)
