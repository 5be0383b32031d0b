"""Small studies written as folders, for the tests of simulation."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from equipoise import findings
from equipoise.findings.results import Findings
from equipoise.protocol.folder import load_study
from equipoise.protocol.study import Study

PROTOCOL: dict[str, Any] = {
    "equipoise": 1,
    "study": {
        "id": "small",
        "kind": "trial",
        "title": "A small trial",
        "question": "Does it help?",
        "launch": "2021-03-01 09:00",
        "synthetic": True,
    },
    "participants": {
        "expected": 200,
        "roster": {
            "ref": {"type": "text", "role": "identifier"},
            "email": {"type": "email", "role": "contact"},
            "site": {"type": "category", "levels": ["east", "west"]},
            "team": {"type": "category", "levels": [f"t{number:02d}" for number in range(24)]},
            "age": {"type": "integer", "low": 18, "high": 66},
            "started_on": {"type": "date", "format": "%d/%m/%Y"},
        },
    },
    "arms": {"control": {}, "offer": {}},
    "allocation": {"strata": ["site"], "ratio": {"control": 1, "offer": 1}, "method": "blocked"},
    "waves": {
        "before": {"survey": "work", "opens": "launch - 3 weeks", "closes": "launch"},
        "after": {"survey": "work", "opens": "launch + 1 day", "closes": "launch + 6 weeks"},
    },
    "outcomes": {
        "motivation": {"instrument": "prosocial-motivation", "waves": ["after"], "role": "primary"},
        "days": {
            "question": "work.days",
            "waves": ["after"],
            "scale": "count",
            "good": "low",
            "range": [0, 20],
        },
        "heard": {"question": "work.heard", "waves": ["after"], "scale": "yes-no", "good": "high"},
    },
    "harms": ["complaint"],
    "analyses": {
        "effect": {
            "outcomes": "all",
            "at": "after",
            "contrast": "offer - control",
            "adjust": ["before", "strata"],
            "model": "linear",
            "variance": "HC2",
        }
    },
    "diagnosis": {
        "assume": {
            "motivation": {"mean": 4.6, "sd": 1.1, "before-after correlation": 0.6, "effect": 0.4},
            "days": {"mean": 1.4, "sd": 2.6, "before-after correlation": 0.3, "effect": -0.5},
            "heard": {"mean": 0.3, "effect": 0.3},
            "response": {"before": 0.7, "after": 0.6},
            "uptake": 0.8,
        }
    },
}

SURVEY: dict[str, Any] = {
    "title": "Work",
    "pages": [
        {
            "id": "motives",
            "questions": [
                {"instrument": "prosocial-motivation", "wording": "wording/prosocial-motivation.yaml"}
            ],
        },
        {
            "id": "own",
            "questions": [
                {"id": "days", "ask": "How many days?", "type": "number", "low": 0, "high": 20},
                {"id": "heard", "ask": "Have you heard of it?", "type": "yes-no"},
            ],
        },
    ],
}

WORDING = "instrument: {name}\nlanguage: en-GB\ndemonstration: true\n"

Build = Callable[..., Study]
Change = Callable[[dict[str, Any], dict[str, Any]], None]


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Build:
    """Writes a folder and loads it; `change` may alter protocol and survey in place first."""

    def made(change: Change | None = None, files: dict[str, str] | None = None) -> Study:
        protocol, survey = deepcopy(PROTOCOL), deepcopy(SURVEY)
        if change is not None:
            change(protocol, survey)
        folder: Path = tmp_path_factory.mktemp("study")
        for place in ("surveys", "wording"):
            (folder / place).mkdir()
        for name in {
            q["instrument"] for page in survey["pages"] for q in page["questions"] if "instrument" in q
        }:
            (folder / "wording" / f"{name}.yaml").write_text(WORDING.format(name=name), "utf-8")
        (folder / "protocol.yaml").write_text(yaml.safe_dump(protocol, sort_keys=False), "utf-8")
        (folder / "surveys" / "work.yaml").write_text(yaml.safe_dump(survey, sort_keys=False), "utf-8")
        for name, text in (files or {}).items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")
        return load_study(folder)

    return made


@pytest.fixture(scope="session")
def analyse() -> Callable[..., Findings]:
    """The whole analysis, as `equipoise analyse` runs it."""
    return findings.analyse


@pytest.fixture(scope="session")
def examples() -> Path:
    """The six studies of the programme."""
    return Path(__file__).parents[3] / "examples" / "hhp2"
