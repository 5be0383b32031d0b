"""Every check of a whole study, with its message word for word, its place and its line (messages.yaml)."""

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from equipoise.errors import ProtocolError
from equipoise.protocol import load_study

CASES: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("messages.yaml"))


@pytest.mark.parametrize("title", CASES)
def test_the_message_says_where_what_was_found_and_what_is_allowed(title: str, small: Path) -> None:
    for name, old, new in CASES[title]["patches"]:
        path = small / name
        path.parent.mkdir(exist_ok=True)
        text = path.read_text("utf-8") if path.exists() else ""
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(ProtocolError) as refused:
        load_study(small)
    assert [str(problem) for problem in refused.value.problems] == CASES[title]["problems"]
