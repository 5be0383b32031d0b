"""An amendment is the next version of a folder: the same lock, something added, nothing unsaid."""

import pytest

from equipoise.errors import InputError
from equipoise.platform.permissions import NotAllowedError
from equipoise.platform.registry.actions import add_amendment, add_study, move_study
from equipoise.platform.registry.models import Stage
from equipoise.platform.registry.queries import current_version, folder_of, wave_times
from equipoise.platform.staff.actions import CommandLine, Place, grant

pytestmark = pytest.mark.django_db
LABEL = ("label: After the texts", "label: Two months later")


@pytest.fixture
def folder(locked_folder):
    return locked_folder()


@pytest.fixture
def study(folder, alice):
    """The study of `folder`, live."""
    study = add_study(CommandLine(), folder)
    grant(CommandLine(), alice, "lead", Place(study))
    return move_study(alice, study, "live")


def test_it_is_in_force_at_once_and_the_first_version_can_still_be_read(
    study, alice, folder, amended, recorded
):
    version = add_amendment(alice, study, amended(folder, *LABEL))
    assert (version.number, study.version) == (2, 2)
    assert wave_times(study)["after"].label == "Two months later"
    assert folder_of(study, 1).protocol.waves["after"].label == "After the texts"
    assert current_version(study).protocol_hash == version.protocol_hash
    assert recorded(study.name)[-1] == "study.amend"


def test_what_no_amendment_records_is_refused(study, alice, folder, amended):
    amended(folder, *LABEL)
    path = folder / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("label: Before the texts", "label: First"), "utf-8")
    with pytest.raises(InputError):
        add_amendment(alice, study, folder)
    assert (study.version, study.versions.count()) == (1, 1)


def test_a_folder_without_a_new_amendment_is_refused(study, alice, folder):
    with pytest.raises(InputError, match="there is no new amendment"):
        add_amendment(alice, study, folder)


def test_another_study_is_refused(study, alice, locked_folder):
    with pytest.raises(InputError, match="is flexitime, not swing"):
        add_amendment(alice, study, locked_folder("flexitime"))


def test_an_amendment_that_is_in_force_cannot_be_rewritten(study, alice, folder, amended):
    add_amendment(alice, study, amended(folder, *LABEL))
    first = next((folder / "amendments").glob("*.yaml"))
    first.write_text(first.read_text("utf-8").replace("A clearer label", "Another reason"), "utf-8")
    amended(folder, "label: Before the texts", "label: First")
    with pytest.raises(InputError, match="was changed or removed"):
        add_amendment(alice, study, folder)
    assert study.version == 2


def test_strata_can_change_until_who_is_drawn_is_fixed(study, alice, folder, amended):
    amended(folder, "strata: [cohort, region]", "strata: [cohort]")
    Stage.objects.filter(study=study).update(state="committed")
    with pytest.raises(InputError, match="is committed; its arms, strata, ratio and method"):
        add_amendment(alice, study, folder)
    assert study.version == 1
    Stage.objects.filter(study=study).update(state="planned")
    assert add_amendment(alice, study, folder).number == 2


def test_a_study_that_is_published_is_not_amended(study, alice, folder, amended):
    for state in ("closed", "published"):
        study = move_study(alice, study, state, reason="Everybody has answered")
    with pytest.raises(InputError, match="is published"):
        add_amendment(alice, study, amended(folder, *LABEL))


def test_somebody_with_an_old_page_open_amends_what_is_in_force_now(study, alice, folder, amended):
    add_amendment(alice, study, amended(folder, *LABEL))
    study.version = 1
    amended(folder, "label: Before the texts", "label: First")
    assert add_amendment(alice, study, folder).number == 3


def test_only_the_lead_amends(study, members, folder, amended):
    amended(folder, *LABEL)
    for name in ("Bob", "Carol"):
        with pytest.raises(NotAllowedError):
            add_amendment(members[name], study, folder)
