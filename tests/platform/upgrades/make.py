"""A small demonstration workspace as a version made it, to be upgraded by every later one.

    python tests/platform/upgrades/make.py VERSION      with the code of that version first in PYTHONPATH

Run it once for a version, before the first change of tables after it, and never again: what it made is what
people have. All of it is made up: nobody takes part, the keys protect nothing, and no address is anybody's.
"""

import hashlib
import json
import lzma
import re
import shutil
import sqlite3
import sys
import tarfile
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[2] / "examples" / "hhp2"
SECRET = bytes(range(32))
KEYS = ("signing", "lookup", "contacts-1")
PEOPLE = 16
SCREENING = {"qualified": "yes", "years_qualified": "12", "has_hired": "no"}
REGIONS = ("north", "midlands", "east", "south")
OPENS = datetime(2021, 2, 10, 12, tzinfo=UTC)
DRAWN = datetime(2021, 3, 1, 10, tzinfo=UTC)
HIRING = datetime(2021, 5, 12, 10, tzinfo=UTC)


def main(version):
    """Make the workspace and pack it."""
    from equipoise.platform.workspace import activate, create_workspace

    folder = Path(tempfile.mkdtemp()) / "workspace"
    workspace = create_workspace(folder, mode="rehearsal")
    for name in KEYS:  # keys that anybody can make again hold no secret
        (folder / "keys" / f"{name}.key").write_text(
            hashlib.sha256(f"synthetic {name}".encode()).hexdigest() + "\n"
        )
    activate(workspace)
    from equipoise.platform.serving import make_ready

    make_ready(workspace)
    links = list(lived(folder.parent))
    pack(version, folder, links)


def lived(place):
    """Two studies with people, answers, a drawn stage, an erasure; gives the links by which people go on."""
    from equipoise.platform.clock import set_clock
    from equipoise.platform.fieldwork.actions import leave_study
    from equipoise.platform.fieldwork.links import make_links, make_open_link
    from equipoise.platform.fieldwork.models import LinkRequest
    from equipoise.platform.fieldwork.sealing import seal_everything
    from equipoise.platform.people.actions import confirm_import
    from equipoise.platform.people.allocation import commit_stage, draw_stage, hand_in_secret
    from equipoise.platform.people.models import Participant
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.registry.queries import stages
    from equipoise.platform.staff.actions import CommandLine, add_member, grant

    who = CommandLine()
    set_clock(OPENS)
    alice = add_member(who, "alice@example.org", "Alice (synthetic)")
    carol = add_member(who, "carol@example.org", "Carol (synthetic)")
    alice.set_password("a password of nobody at all")
    alice.save()
    grant(who, carol, "administrator", study_id=None)
    swing = move_study(who, add_study(who, locked(place, "swing")), "live")
    grant(who, alice, "lead", study_id=swing.pk)
    confirm_import(who, swing, roster(place))
    people = list(Participant.objects.filter(study=swing).order_by("pk"))
    made = make_links(who, swing, "before", people)
    for number, each in enumerate(made[:8]):
        answer(each.link, pages=5 if number % 2 else 2)
    LinkRequest.objects.create(participant=people[9], at=OPENS, sent_at=OPENS)
    LinkRequest.objects.create(participant=people[10], at=OPENS - timedelta(days=3))  # too old to be sent
    leave_study(people[1], "erase", channel="web", actor=f"participant:{people[1].key}")
    leave_study(people[2], "everything", channel="web", actor=f"participant:{people[2].key}")
    seal_everything()
    set_clock(DRAWN)
    (stage,) = stages(swing)
    hand_in_secret(who, stage, SECRET.hex())
    draw_stage(who, commit_stage(who, stage))
    hiring = add_study(who, locked(place, "diversity-in-hiring"))
    grant(who, alice, "lead", study_id=hiring.pk)
    set_clock(HIRING)
    (stage,) = stages(hiring)
    hand_in_secret(who, stage, SECRET.hex())
    commit_stage(who, stage)
    hiring = move_study(who, hiring, "live")
    answer(make_open_link(who, hiring, "session", "Newsletter"), pages=1)
    seal_everything()
    set_clock(datetime(2021, 5, 12, 12, tzinfo=UTC))
    after = make_links(who, swing, "after", people[3:6])
    yield from (each.link for each in after)


def answer(link, *, pages):
    """Somebody opens their link, agrees, and sends so many pages with the second choice everywhere."""
    from tests.platform.fieldwork.conftest import Browser

    class Here(Browser):
        def __init__(self):
            super().__init__(csrf=False)
            self.client.defaults |= {"SERVER_NAME": "localhost", "HTTP_ORIGIN": "https://localhost"}

    browser = Here().open(link).send()
    browser.send(
        {
            "consent.survey": "yes",
            "consent.interview": "no",
            "consent.recording": "no",
            "consent.quotation": "no",
        }
    )
    for _ in range(pages):
        if "/page/" in browser.path:
            browser.send(second_choices(browser))
    assert browser.response.status_code == 200, browser.text


def second_choices(browser):
    """What the page asks, answered; whom the study turns away answers otherwise."""
    tags = [
        dict(re.findall(r'([a-z-]+)="([^"]*)"', tag)) for tag in re.findall(r"<input[^>]*>", browser.html)
    ]
    found = {}
    for tag in tags:
        if tag.get("type") == "radio":
            found.setdefault(tag["name"], []).append(tag["value"])
    said = {
        name: values[min(1, len(values) - 1)] for name, values in found.items() if not name.endswith("_why")
    }
    said |= {tag["name"]: "3" for tag in tags if tag.get("inputmode") == "numeric"}
    return said | {name: value for name, value in SCREENING.items() if name in said}


def locked(place, name):
    """An example, locked by the secret that everybody knows."""
    from equipoise.allocation import commitment
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    folder = place / name
    left_out = shutil.ignore_patterns(
        "amendments", "lock.json", "data", "rosters", "findings", "report", "README.md"
    )
    shutil.copytree(EXAMPLES / name, folder, ignore=left_out)
    path = folder / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("seed: public-round", "seed: team-secret"), "utf-8")
    made = lock(
        load_study(folder),
        time="2021-01-04T09:00:00Z",
        seed_commitment=commitment(SECRET),
        version="test",
        clock="rehearsal",
    )
    (folder / "lock.json").write_text(lock_text(made), "utf-8")
    return folder


def roster(place):
    """Made-up people at addresses that are nobody's."""
    path = place / "roster.csv"
    lines = [
        f"T20-{each:04d},person.{each}@trainees.example.org,07700 900{each:03d},{2020 + each // 4 % 2},"
        f"{REGIONS[each % 4]},2020-01-13"
        for each in range(PEOPLE)
    ]
    path.write_text("\n".join(["staff_ref,email,mobile,cohort,region,started_on", *lines]) + "\n", "utf-8")
    return path


def pack(version, folder, links):
    """The database as SQL and as rows for every database, and the folder, each compressed."""
    from django.apps import apps
    from django.core import serializers

    with closing(sqlite3.connect(folder / "database.sqlite3")) as opened:
        sql = "\n".join(opened.iterdump())
    left_out = {"contenttypes", "sessions"}
    rows = [
        row
        for model in apps.get_models()
        if model._meta.app_label not in left_out
        for row in model.objects.order_by("pk")
    ]
    fixture = serializers.serialize("json", [row for row in rows if row._meta.model_name != "permission"])
    with closing(sqlite3.connect(folder / "database.sqlite3")) as opened:
        applied = opened.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
    said = {"migrations": applied, "rows": json.loads(fixture), "links": links}
    (HERE / f"{version}.sql.xz").write_bytes(lzma.compress(sql.encode(), preset=9))
    (HERE / f"{version}.json.xz").write_bytes(lzma.compress(json.dumps(said).encode(), preset=9))
    with tarfile.open(HERE / f"{version}.tar.xz", "w:xz", preset=9) as archive:
        for name in ("workspace.yaml", "keys", "studies"):
            archive.add(folder / name, name, filter=plain)


def plain(member):
    """Without who made it and when."""
    member.uid = member.gid = member.mtime = 0
    member.uname = member.gname = ""
    return member


if __name__ == "__main__":
    main(sys.argv[1])
