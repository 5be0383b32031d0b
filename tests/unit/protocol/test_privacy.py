"""The privacy notice and the consent page say what the protocol says, and blanks are found before a launch."""

from collections.abc import Callable
from pathlib import Path

import pytest

from equipoise.protocol import Study, load_study
from equipoise.protocol.privacy import consent_text, missing_privacy, notice_version, privacy_notice

EXAMPLES = Path(__file__).parents[3] / "examples" / "hhp2"
PRIVACY = """\
privacy:
  controller: The team of the tests
  purpose: To test the notice
  categories: Answers to a survey
  basis: Task in the public interest
  recipients: Nobody else
  retention: Answers are kept for a year.
  linkage: Nothing is joined.
  answers: linked-until
  linked-until: before.closes + 4 weeks
  officer: data-protection@example.org
  complaint: The supervisory authority
waves:
"""


@pytest.mark.parametrize("name", sorted(path.parent.name for path in EXAMPLES.glob("*/protocol.yaml")))
def test_no_example_leaves_a_blank(name: str) -> None:
    assert missing_privacy(load_study(EXAMPLES / name)) == ()


def test_every_blank_is_named_with_its_place(kinds: Study) -> None:
    found = [problem.where for problem in missing_privacy(kinds)]
    assert found[:3] == ["privacy.controller", "privacy.purpose", "privacy.categories"]
    assert "privacy.complaint" in found
    assert all(problem.place.startswith("kinds/protocol.yaml:") for problem in missing_privacy(kinds))


def test_the_notice_says_what_the_protocol_says(kinds_changed: Callable[..., Study]) -> None:
    study = kinds_changed(("protocol.yaml", "waves:\n", PRIVACY))
    said = {section.title: section.body for section in privacy_notice(study)}
    assert missing_privacy(study) == ()
    assert said["Who is responsible for your data"] == "The team of the tests"
    assert said["Where you can complain"] == "The supervisory authority"
    linked = said["Whether your answers can be tied to you"]
    assert "until 29 March 2026, and not after" in linked
    assert "Nothing is joined." in linked


def test_the_notice_says_that_watching_is_recorded_where_messages_lead_to_a_film() -> None:
    kept = "Which data we keep"
    said = {
        name: {section.title: section.body for section in privacy_notice(load_study(EXAMPLES / name))}
        for name in ("symbolic-awards", "swing")
    }
    assert "how much of it was played" in said["symbolic-awards"][kept]
    assert "how much of it was played" not in said["swing"][kept]
    welsh = privacy_notice(load_study(EXAMPLES / "symbolic-awards"), "cy")
    assert any("faint ohono a chwaraewyd" in section.body for section in welsh)


def test_the_notice_has_another_version_where_it_says_something_else(
    kinds: Study, kinds_changed: Callable[..., Study]
) -> None:
    study = kinds_changed(("protocol.yaml", "waves:\n", PRIVACY))
    assert len(notice_version(study)) == 64
    assert notice_version(study) != notice_version(kinds)


def test_each_activity_that_people_opt_in_to_is_asked_unless_the_survey_asks_itself(kinds: Study) -> None:
    text = consent_text(kinds, "work")
    assert text.asked == ("interview",)
    swing = load_study(EXAMPLES / "swing")
    assert consent_text(swing, "wellbeing").asked == ("survey", "interview", "recording", "quotation")


def test_the_consent_page_comes_in_the_language_of_the_survey(kinds_changed: Callable[..., Study]) -> None:
    study = kinds_changed(("protocol.yaml", "waves:\n", PRIVACY))
    welsh, english = consent_text(study, "work", "cy"), consent_text(study, "work")
    assert welsh.language == "cy"
    assert welsh.whole.startswith("Eich dewis chi yw cymryd rhan.")
    assert "29 Mawrth 2026" in welsh.short
    assert welsh.questions["interview"].startswith("A gawn ofyn")
    assert welsh.version != english.version


def test_the_version_of_the_consent_page_follows_its_words(
    kinds: Study, kinds_changed: Callable[..., Study]
) -> None:
    before = consent_text(kinds, "work").version
    assert consent_text(kinds, "work").version == before
    changed = kinds_changed(("surveys/work.yaml", "Taking part is your choice.", "Take part if you like."))
    assert consent_text(changed, "work").version != before
