"""Every check of surveys and translations: its message word for word, its place, its line."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from equipoise.errors import ProtocolError
from equipoise.protocol import Study

CASES: dict[str, Any] = YAML(typ="safe").load(Path(__file__).with_name("kinds-messages.yaml"))


@pytest.mark.parametrize("title", CASES)
def test_the_message_says_where_what_was_found_and_what_is_allowed(
    title: str, kinds_changed: Callable[..., Study]
) -> None:
    with pytest.raises(ProtocolError) as refused:
        kinds_changed(*(tuple(patch) for patch in CASES[title]["patches"]))
    assert [str(problem) for problem in refused.value.problems] == CASES[title]["problems"]
