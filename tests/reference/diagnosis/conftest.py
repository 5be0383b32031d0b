"""A small study with one outcome that is a plain number, written as a folder."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from equipoise.protocol.folder import load_study
from equipoise.protocol.study import Study

PROTOCOL: dict[str, Any] = {
    "equipoise": 1,
    "study": {
        "id": "plain",
        "kind": "trial",
        "title": "A plain trial",
        "question": "Does it help?",
        "launch": "2021-03-01 09:00",
        "synthetic": True,
    },
    "participants": {
        "expected": 100,
        "roster": {
            "ref": {"type": "text", "role": "identifier"},
            "email": {"type": "email", "role": "contact"},
            "team": {"type": "text"},
        },
    },
    "arms": {"control": {}, "offer": {}},
    "allocation": {"ratio": {"control": 1, "offer": 1}, "method": "complete"},
    "waves": {
        "before": {"survey": "work", "opens": "launch - 3 weeks", "closes": "launch"},
        "after": {"survey": "work", "opens": "launch + 1 day", "closes": "launch + 6 weeks"},
    },
    "outcomes": {"hours": {"question": "work.hours", "waves": ["after"], "role": "primary", "good": "high"}},
    "analyses": {
        "effect": {
            "at": "after",
            "contrast": "offer - control",
            "adjust": "none",
            "model": "linear",
            "variance": "HC2",
        }
    },
    "testing": [{"claims": ["hours"]}],
    "diagnosis": {"assume": {"hours": {"mean": 500, "sd": 10, "effect": 4}}},
}

QUESTIONS = [
    {"id": "hours", "ask": "How many hours?", "type": "number", "low": 0, "high": 1000},
    {"id": "heard", "ask": "Have you heard of it?", "type": "yes-no"},
]


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Study]:
    """Writes a folder and loads it; `change` may alter the protocol in place first."""

    def made(change: Callable[[dict[str, Any]], None] | None = None) -> Study:
        protocol = deepcopy(PROTOCOL)
        if change is not None:
            change(protocol)
        folder: Path = tmp_path_factory.mktemp("study")
        (folder / "surveys").mkdir()
        survey = {"title": "Work", "pages": [{"id": "own", "questions": QUESTIONS}]}
        (folder / "protocol.yaml").write_text(yaml.safe_dump(protocol, sort_keys=False), "utf-8")
        (folder / "surveys" / "work.yaml").write_text(yaml.safe_dump(survey, sort_keys=False), "utf-8")
        return load_study(folder)

    return made
