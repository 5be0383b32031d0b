"""The examples that the reference shows are read by the code that reads real studies."""

from pathlib import Path

import pytest

from equipoise.instruments.definition import Instrument
from equipoise.instruments.library import read
from equipoise.protocol.folder import load_study
from equipoise.protocol.models.files import Programme
from equipoise.protocol.reading import read_yaml

EXAMPLES = Path(__file__).parents[2] / "docs" / "reference-examples"
FILES = sorted(path.relative_to(EXAMPLES).as_posix() for path in EXAMPLES.rglob("*.*") if path.is_file())


@pytest.fixture(scope="module")
def study():
    return load_study(EXAMPLES / "study")


def test_the_example_study_loads_as_a_whole(study):
    assert study.protocol.study.id == "breaks"
    assert set(study.surveys) == {"wellbeing"}
    assert set(study.translations) == {"surveys/wellbeing.cy.yaml"}
    assert set(study.explore) == {"by-team"}
    assert study.codebook is not None
    assert study.logic_model is not None


@pytest.mark.parametrize(
    "part", ["wording/swemwbs.yaml", "messages/week-1.md", "vignettes/cv.yaml", "interviews/guide.md"]
)
def test_every_file_of_the_example_study_is_read(study, part):
    read_files = {**study.wording, **study.messages, **study.vignettes, **study.guides}
    assert part in read_files


def test_the_example_guide_has_its_topics_and_probes(study):
    guide = study.guides["interviews/guide.md"]
    assert [topic.title for topic in guide.topics] == ["A usual day", "The reminders"]
    assert len(guide.topics[0].probes) == 2


def test_the_example_amendment_is_dated_and_reasoned(study):
    (amendment,) = study.amendments
    assert amendment.date == "2027-04-12"
    assert amendment.reason.startswith("Two teams merged")


def test_the_example_programme_names_the_example_study():
    text = (EXAMPLES / "programme.yaml").read_text("utf-8")
    programme = read_yaml(text, "programme.yaml").parse(Programme)
    assert all((EXAMPLES / study / "protocol.yaml").is_file() for study in programme.studies)


def test_the_example_instrument_is_a_definition():
    definition = read((EXAMPLES / "instrument.yaml").read_text("utf-8"), "instrument.yaml")
    assert isinstance(definition, Instrument)
    assert definition.sole_score() == "total"


@pytest.mark.parametrize("example", FILES)
def test_an_example_is_short_enough_to_be_read(example):
    lines = (EXAMPLES / example).read_text("utf-8").splitlines()
    assert len(lines) <= 32
    assert max(map(len, lines)) <= 92
