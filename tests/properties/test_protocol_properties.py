"""Whatever a protocol says: written spelled out it is the same study, and only meaning moves its hash."""

import io
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from equipoise.errors import InputError
from equipoise.protocol import Study, current_hash, load_study
from equipoise.protocol.canonical import plain

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
ARMS = ("control", "letters", "texts", "calls")
POOL = ("age", "tenure", "grade")
SURVEY = "title: Said\npages:\n  - {id: a, questions: [{id: said, ask: What?, type: number}]}\n"


@st.composite
def protocols(draw: st.DrawFn) -> dict[str, Any]:
    """Trials of two to four arms in any order, with strata, ratios, waves and analyses that fit together."""
    arms = draw(st.permutations(ARMS[: draw(st.integers(2, 4))]))
    strata = draw(st.lists(st.sampled_from(["site", "cohort"]), unique=True))
    shares = {arm: draw(st.integers(1, 3)) for arm in arms}
    outcomes = {
        name: {
            "question": "said.said",
            "waves": ["after"],
            "role": "primary" if place == 0 else draw(st.sampled_from(["secondary", "exploratory"])),
            "good": draw(st.sampled_from(["high", "low", "neither"])),
            **draw(st.sampled_from([{}, {"margin": 2}, {"margin": "0.2 sd of 3.9"}, {"range": [0, 10]}])),
        }
        for place, name in enumerate(draw(st.permutations(POOL)))
    }
    effect = draw(
        st.fixed_dictionaries(
            {"contrast": st.sampled_from(["each - control", ["letters - control"]])},
            optional={
                "at": st.sampled_from(["after", "each"]),
                "adjust": st.sampled_from(["before", "none"]),
                "interval": st.sampled_from([0.9, 0.95]),
                "missing": st.sampled_from(["none", ["bounds"]]),
                "outcomes": st.just("all"),
            },
        )
    )
    protocol: dict[str, Any] = {
        "equipoise": 1,
        "study": {
            "id": "any",
            "title": draw(st.text(st.characters(categories=["L", "N", "P"]), min_size=1, max_size=30)),
            "kind": "trial",
            "question": "Does it work?",
            "launch": "2021-03-01 09:00",
        },
        "participants": {
            "roster": {
                "ref": {"type": "text", "role": "identifier"},
                "site": {"type": "category", "levels": ["north", "south"]},
                "cohort": {"type": "category", "levels": ["2020", "2021"]},
            }
        },
        "arms": {arm: {} for arm in arms},
        "allocation": {"strata": strata, "ratio": shares},
        "waves": {
            "before": {"survey": "said", "opens": "launch - 3 weeks", "closes": "launch"},
            "after": {"survey": "said", "opens": "launch + 8 weeks", "closes": "launch + 9 weeks"},
        },
        "outcomes": outcomes,
        "analyses": {"effect": effect},
    }
    model = draw(st.sampled_from([None, "linear", "lin-interacted"]))
    if model is not None:
        effect["model"] = model
    elif strata and len(set(shares.values())) > 1:
        effect.pop("adjust", None)  # a difference in means has no covariates
    return protocol


def loaded(text: str) -> Study:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "any"
        (folder / "surveys").mkdir(parents=True)
        (folder / "surveys" / "said.yaml").write_text(SURVEY, "utf-8")
        (folder / "protocol.yaml").write_bytes(text.encode())
        return load_study(folder)


def yaml(data: Any, *, flow: bool = False) -> str:
    writer = YAML(typ="safe")
    writer.default_flow_style = flow
    writer.width = 10_000
    written = io.StringIO()
    writer.dump(data, written)
    return written.getvalue()


def shuffled(data: Any, draw: st.DataObject) -> Any:
    if isinstance(data, dict):
        keys = draw.draw(st.permutations(list(data)))
        return {key: shuffled(data[key], draw) for key in keys}
    return [shuffled(entry, draw) for entry in data] if isinstance(data, list) else data


def leaves(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(data, dict):
        return [leaf for key, value in data.items() for leaf in leaves(value, (*path, key))]
    return [] if path[-1] == "unadjusted" else [path]  # filled in from the surveys, whatever is written


@quick
@given(protocols())
def test_spelled_out_it_is_the_same_study(written: dict[str, Any]) -> None:
    study = loaded(yaml(written))
    again = loaded(yaml(plain(study.protocol)))
    assert again.protocol == study.protocol
    assert current_hash(again) == current_hash(study)


@quick
@given(protocols(), st.data(), st.booleans(), st.booleans())
def test_how_it_is_written_never_moves_the_hash(
    written: dict[str, Any], data: st.DataObject, flow: bool, windows: bool
) -> None:
    text = "# A comment\n" + yaml(shuffled(written, data), flow=flow).replace("\n", "\n\n")
    other = loaded(text.replace("\n", "\r\n") if windows else text)
    assert current_hash(other) == current_hash(loaded(yaml(written)))


@quick
@given(protocols(), st.data())
def test_another_leaf_is_another_hash(written: dict[str, Any], data: st.DataObject) -> None:
    study = loaded(yaml(written))
    spelled = plain(study.protocol)
    path = data.draw(
        st.sampled_from(leaves({part: spelled[part] for part in ("study", "outcomes", "analyses")}))
    )
    at = spelled
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = _other(at[path[-1]])
    try:
        changed = loaded(yaml(spelled))
    except InputError:
        return  # such a protocol is refused, which cannot be overlooked either
    assert current_hash(changed) != current_hash(study)


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, float | int):
        return value / 2 + 0.125
    if isinstance(value, list):
        return value[:-1] if len(value) > 1 else [*value, "another"]  # an emptied list may mean its default
    return "another" if value is None else f"{value} too"


@pytest.mark.parametrize(
    "text", ["", "null", "[]", "a", "{", "a: b: c", "\x00", "%YAML 9.9\n---\na: 1", "? [a]\n: b"]
)
def test_what_is_no_protocol_is_refused_without_a_traceback(text: str) -> None:
    with pytest.raises(InputError):
        loaded(text)


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(list("ab:-[]{}&*!|>?'\"#%@, \n\t01.~e")), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    with pytest.raises(InputError):
        loaded(text)
