"""The example folders are whole: they load, have the people that they say, and their texts hold together."""

import importlib.util
import re
from itertools import pairwise
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from equipoise.protocol.folder import load_study
from equipoise.protocol.study import Study
from equipoise.roster.importing import RosterFile, RosterImport, read_rosters
from equipoise.roster.matching import mapping_path, read_mapping

EXAMPLES = Path(__file__).parents[3] / "examples"
PROGRAMME = EXAMPLES / "hhp2"
PEOPLE = {
    "symbolic-awards": 1969,
    "swing": 1148,
    "mod-ing": 276,
    "diversity-in-hiring": 303,
    "dictation": 52,
    "flexitime": 11,
}
SECTIONS = {"background", "intervention", "methods", "ethics", "what-we-found", "recommendations"}
REFERENCE = re.compile(r"\{\{.*?\}\}")
CAPTION = re.compile(r"^(\d\d):(\d\d):(\d\d\.\d{3}) --> (\d\d):(\d\d):(\d\d\.\d{3})$")


@pytest.fixture(scope="module", params=PEOPLE)
def study(request: pytest.FixtureRequest) -> Study:
    return load_study(PROGRAMME / request.param)


@pytest.fixture(scope="module")
def roster(study: Study) -> RosterImport:
    columns = study.protocol.participants.roster
    files = []
    for path in sorted((study.folder / "rosters").glob("*.csv")):
        stored = mapping_path(study.folder, path)
        files.append(RosterFile(path, read_mapping(stored, columns) if stored.is_file() else None))
    return read_rosters(files, columns)


def test_every_study_says_that_it_is_synthetic_and_tells_the_whole_story(study: Study) -> None:
    assert study.protocol.study.synthetic
    assert set(study.narrative) == SECTIONS
    assert "synthetic" in study.narrative["background"]


def test_rosters_yield_the_people_that_the_protocol_expects(study: Study, roster: RosterImport) -> None:
    assert roster.participants.height == study.protocol.participants.expected == PEOPLE[study.folder.name]
    assert roster.report.duplicates == ()


def test_partners_and_roster_agree_on_how_many_people_there_are(study: Study) -> None:
    partners = study.protocol.partners.values()
    assert not partners or sum(partner.people for partner in partners) == PEOPLE[study.folder.name]


def test_nobody_on_a_roster_could_be_real(roster: RosterImport) -> None:
    frame = roster.participants
    if "email" in frame.columns:
        assert frame["email"].str.ends_with(".example.org").all()
    if "mobile" in frame.columns:
        assert frame["mobile"].drop_nulls().str.starts_with("+447700900").all()


def test_results_in_a_narrative_are_references_never_typed_in(study: Study) -> None:
    for section in ("what-we-found", "recommendations"):
        assert not re.search(r"\d", REFERENCE.sub("", study.narrative[section])), section


def test_a_reference_stands_on_one_line(study: Study) -> None:
    for text in study.narrative.values():
        assert all(line.count("{{") == line.count("}}") for line in text.splitlines())


def test_every_recommendation_names_planned_analyses_or_themes_that_exist(study: Study) -> None:
    advice = re.split(r"^## ", study.narrative["recommendations"], flags=re.MULTILINE)[1:]
    for one in advice:
        supports = one.strip().splitlines()[-1]
        assert supports.startswith("Supported by: ")
        for reference in supports.removeprefix("Supported by: ").split(", "):
            assert _exists(reference, study), reference


def test_what_a_logic_model_rests_on_exists(study: Study) -> None:
    for link in study.logic_model.links:
        assert all(_exists(reference, study) for reference in link.evidence), link


def test_every_authority_has_captions_and_the_same_words_as_a_transcript() -> None:
    authorities = load_study(PROGRAMME / "symbolic-awards").protocol.partners
    for authority in authorities:
        media = PROGRAMME / "symbolic-awards" / "media"
        lines = (media / f"{authority}.vtt").read_text("utf-8").splitlines()
        times = [[float(part) for part in found.groups()] for line in lines if (found := CAPTION.match(line))]
        seconds = [(at[1] * 60 + at[2], at[4] * 60 + at[5]) for at in times]
        assert lines[0] == "WEBVTT"
        assert all(start < end for start, end in seconds)
        assert all(one[1] <= other[0] for one, other in pairwise(seconds))
        spoken = [lines[at + 1] for at, line in enumerate(lines) if CAPTION.match(line)]
        transcript = (media / f"{authority}.txt").read_text("utf-8").splitlines()
        assert transcript[2:] == spoken


def test_weekly_texts_fit_into_one_message_without_their_link() -> None:
    texts = [load_study(PROGRAMME / "swing").messages[f"messages/week-{n}.md"] for n in range(1, 9)]
    assert all(len(text.body.replace("{stop_link}", "")) <= 160 for text in texts)
    assert all(text.author and text.theme for text in texts)


def test_rosters_are_made_again_byte_for_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    maker = _module(EXAMPLES / "make_rosters.py")
    monkeypatch.setattr(maker, "HERE", tmp_path)
    maker.main()
    made = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    assert len(made) > len(PEOPLE)
    for path in made:
        assert path.read_bytes() == (PROGRAMME / path.relative_to(tmp_path)).read_bytes(), path.name


def test_the_pilot_totals_are_those_of_its_daily_log() -> None:
    data = PROGRAMME / "dictation" / "data"
    days = pd.read_csv(data / "usage.csv", parse_dates=["date"])
    totals = pd.read_csv(data / "licences.csv").set_index("licence")
    used = days[days.sessions > 0].assign(
        week=lambda log: (log.date - pd.Timestamp("2021-06-07")).dt.days // 7
    )
    weeks = used.groupby("licence").week.nunique().reindex(totals.index, fill_value=0)
    assert (weeks == totals.active_weeks).all()
    assert (days.groupby("licence").minutes.sum() == totals.minutes).all()
    assert 0 < (totals.active_weeks >= 3).mean() < 0.25 < (totals.active_weeks == 0).mean()


def test_the_hiv_data_step_keeps_everybody_who_has_an_arm() -> None:
    load_study(EXAMPLES / "thornton-hiv")
    frame = _module(EXAMPLES / "thornton-hiv" / "prepare.py").prepared()
    assert len(frame) == 2901
    assert frame.identifier.is_unique
    shares = frame.groupby("arm").got.mean()
    # The means of `got` by `any` in the file as published.
    assert shares["control"] == pytest.approx(0.339, abs=5e-4)
    assert shares["any_incentive"] == pytest.approx(0.789, abs=5e-4)


def _exists(reference: str, study: Study) -> bool:
    analysis, _, rest = reference.partition(".")
    if analysis == "theme":
        return rest in study.codebook.codes
    if analysis == "progression":
        return rest in study.protocol.progression
    return rest in study.protocol.analyses[analysis].outcomes


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
