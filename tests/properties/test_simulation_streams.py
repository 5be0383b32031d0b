"""The same seed gives the same data anywhere, and what is added to a study never moves what was there."""

import os
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from polars.testing import assert_frame_equal

from equipoise.diagnosis import simulate_study, write_simulated
from equipoise.findings.reading.hashing import data_hash
from equipoise.findings.reading.scores import scored
from equipoise.protocol.folder import load_study
from equipoise.protocol.models.fieldwork import Wave
from equipoise.protocol.models.surveys import Survey

EXAMPLES = Path(__file__).parents[2] / "examples" / "hhp2"
PEOPLE = 120
SEEDS = st.integers(0, 2**70)
STUDY = load_study(EXAMPLES / "mod-ing")
WRITE = """
import sys
from pathlib import Path
from equipoise.diagnosis import simulate_study, write_simulated
from equipoise.findings.reading.scores import scored
from equipoise.protocol.folder import load_study
study = load_study(sys.argv[1])
write_simulated(study, simulate_study(study, 11, people=60), Path(sys.argv[2]))
"""


def written(folder):
    return {file.name: sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.mark.parametrize("name", ["symbolic-awards", "diversity-in-hiring"])
def test_files_have_the_same_bytes_whatever_the_order_of_hashes_locale_and_zone(name, tmp_path):
    study = load_study(EXAMPLES / name)
    write_simulated(study, simulate_study(study, 11, people=60), tmp_path / "here")
    for number, given_ in enumerate(
        ({"PYTHONHASHSEED": "1"}, {"PYTHONHASHSEED": "2", "TZ": "Asia/Tokyo", "LC_ALL": "C"})
    ):
        folder = tmp_path / str(number)
        command = [sys.executable, "-c", WRITE, str(EXAMPLES / name), str(folder)]
        subprocess.run(command, check=True, env=os.environ | given_)
        assert written(folder) == written(tmp_path / "here")


@given(SEEDS, SEEDS)
@settings(max_examples=15, deadline=None)
def test_a_seed_gives_one_data_set_and_another_seed_another(seed, other):
    first = data_hash(simulate_study(STUDY, seed, people=PEOPLE).data)
    assert first == data_hash(simulate_study(STUDY, seed, people=PEOPLE).data)
    assert (first == data_hash(simulate_study(STUDY, other, people=PEOPLE).data)) == (seed == other)


def changed(study=STUDY, *, surveys=None, assume=None, **protocol):
    """The study with parts of its protocol, surveys or assumptions replaced."""
    diagnosis = study.protocol.diagnosis
    diagnosis = diagnosis.model_copy(update={"assume": diagnosis.assume.model_copy(update=assume or {})})
    copy = study.protocol.model_copy(update={"diagnosis": diagnosis, **protocol})
    return replace(study, protocol=copy, surveys=surveys or study.surveys)


@given(SEEDS, st.sampled_from(["support", "connection", "commitment", "sickness", "heard_messages"]))
@settings(max_examples=15, deadline=None)
def test_an_outcome_more_moves_no_answer_of_the_others(seed, name):
    outcomes = {key: spec for key, spec in STUDY.protocol.outcomes.items() if key != name}
    page = {"sickness": "absence", "heard_messages": "messages"}.get(name, name)
    surveys = {
        key: survey.model_copy(update={"pages": tuple(each for each in survey.pages if each.id != page)})
        for key, survey in STUDY.surveys.items()
    }
    without = simulate_study(changed(outcomes=outcomes, surveys=surveys), seed, people=PEOPLE)
    whole = simulate_study(STUDY, seed, people=PEOPLE)
    assert_frame_equal(without.data.participants, whole.data.participants)
    for wave, table in without.data.answers.items():
        assert_frame_equal(table, whole.data.answers[wave].select(table.columns))


@given(SEEDS)
@settings(max_examples=10, deadline=None)
def test_a_wave_more_moves_no_answer_at_the_others(seed):
    spec = {"survey": "pulse", "opens": "launch + 1 week", "closes": "launch + 2 weeks"}
    waves = {"before": STUDY.protocol.waves["before"], "pulse": Wave.model_validate(spec)}
    waves["after"] = STUDY.protocol.waves["after"]
    pulse = Survey.model_validate(
        {
            "title": "How are you?",
            "pages": [{"id": "one", "questions": [{"id": "fine", "ask": "Are you well?", "type": "yes-no"}]}],
        }
    )
    response = STUDY.protocol.diagnosis.assume.response.model_copy(update={"leans_on_before": 0.0})
    apart = {"assume": {"response": response}}  # nothing hangs on having answered the wave before
    whole = simulate_study(
        changed(waves=waves, surveys={**STUDY.surveys, "pulse": pulse}, **apart), seed, people=PEOPLE
    )
    plain = simulate_study(changed(**apart), seed, people=PEOPLE)
    assert "pulse" in whole.data.answers
    for wave, table in plain.data.answers.items():
        assert_frame_equal(table, whole.data.answers[wave])


@given(SEEDS, st.floats(-1, 1))
@settings(max_examples=10, deadline=None)
def test_another_effect_moves_nobody_who_was_not_offered_it(seed, size):
    assumed = STUDY.protocol.diagnosis.assume.outcomes["wellbeing"]
    effects = (assumed.effects[0].model_copy(update={"constant": size}),)
    outcomes = {
        **STUDY.protocol.diagnosis.assume.outcomes,
        "wellbeing": assumed.model_copy(update={"effects": effects}),
    }
    response = STUDY.protocol.diagnosis.assume.response.model_copy(update={"missing_item": 0.0})
    other, plain = (
        simulate_study(changed(assume={"response": response, **given_}), seed, people=PEOPLE).data
        for given_ in ({"outcomes": outcomes}, {})
    )
    assert_frame_equal(other.participants, plain.participants)
    assert_frame_equal(other.answers["before"], plain.answers["before"])
    items = [name for name in plain.answers["after"].columns if name.startswith("swemwbs")]
    assert_frame_equal(other.answers["after"].drop(items), plain.answers["after"].drop(items))
    control = (plain.participants["arm"] == "control").to_numpy()
    # The score: how it is spread over items depends on everybody's.
    left, right = (scored(STUDY, data).numbers("wellbeing")[control] for data in (other, plain))
    assert np.isfinite(left).sum() > 5
    assert_array_equal(left, right)
