"""The third example, whose partner alone can reach its people: from the launch to a settled e-mail, without a carrier."""

import csv
import io
from datetime import UTC, datetime

import pytest

from equipoise.platform.delivery.files import ReceiptFile, files_of, make_file, read_receipts
from equipoise.platform.delivery.launching import launch_problems
from equipoise.platform.delivery.models import Dispatch
from equipoise.platform.delivery.planning.planner import plan_due
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.models import Allocation, Participant
from equipoise.platform.registry.actions import move_study
from equipoise.platform.registry.models import Stage

from .conftest import HEADER

pytestmark = pytest.mark.django_db


def test_its_invitations_and_weekly_e_mails_go_by_the_partner_and_come_back_as_receipts(
    add_example, alice, tmp_path, at
):
    study = add_example("mod-ing")
    path = tmp_path / "defence.csv"
    rows = [f"P{each},civilian,support,2020-09-0{each}" for each in range(1, 7)]
    path.write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    confirm_import(alice, study, path, partner="defence")
    assert launch_problems(study) == []
    study = move_study(alice, study, "live")

    at(datetime(2021, 3, 22, 12, tzinfo=UTC))
    plan_due()
    (invited,) = files_of(study)
    assert (invited.send, invited.partner.name, invited.counts) == (
        "before.invite",
        "defence",
        {"planned": 6},
    )
    made = make_file(alice, study, "before.invite", 1, form="csv", folder=tmp_path)
    lines = list(csv.DictReader(io.StringIO(made.read_text("utf-8-sig"))))
    assert {line["due"] for line in lines} == {
        f"{invited.due:%Y-%m-%d %H:%M}"
    }  # London keeps UTC until the 28th
    assert all("/s/" in line["link"] for line in lines)

    stage = Stage.objects.get(study=study)
    Stage.objects.filter(pk=stage.pk).update(state="drawn")
    people = list(Participant.objects.filter(study=study).order_by("pk"))
    Allocation.objects.bulk_create(
        Allocation(stage=stage, participant=each, stratum="civilian", arm=arm, at=invited.due)
        for each, arm in zip(people, ["messages", "control"] * 3, strict=True)
    )
    at(datetime(2021, 4, 13, 12, tzinfo=UTC))
    plan_due()
    weekly = next(each for each in files_of(study) if each.send == "weekly-email")
    assert (weekly.occasion, weekly.counts) == (1, {"planned": 3})
    make_file(alice, study, "weekly-email", 1, folder=tmp_path)

    at(datetime(2021, 4, 16, 12, tzinfo=UTC))
    back = tmp_path / "dispatch-receipts.csv"
    back.write_text("staff_ref,week,sent_on\nP1,1,2021-04-14\nP3,1,2021-04-14\nP5,1,2021-04-14\n", "utf-8")
    assert read_receipts(alice, study, ReceiptFile(back, "weekly-email")).counts["sent"] == 3
    sent = Dispatch.objects.filter(contact="weekly-email", state="sent")
    assert {each.sent_at for each in sent} == {datetime(2021, 4, 14, 11, tzinfo=UTC)}
