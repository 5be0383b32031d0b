"""Makes a rehearsal as staff meet it, in a process of its own, and prints the links by which they set a password.

python tests/browser/office.py WORKSPACE FOLDER

`swing` is live, drawn and half answered; `diversity-in-hiring` recruits openly; `symbolic-awards` is locked, and
its privacy notice has a blank. Alice leads all of them, Carol keeps the workspace, Bob has no role. In `swing`, a
request waits for Alice to decide, and a file with contact details for her to take.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from participants import ROOT, SECRET, added, locked

from equipoise.platform.workspace import activate, create_workspace

HEADER = "Trainee ID,Email,Mobile,Region,Start date"
REGIONS = ("north", "midlands", "east", "south")
PEOPLE = 60


def main(place: str, folder: str) -> None:
    workspace = create_workspace(Path(place), mode="rehearsal")
    activate(workspace)
    from equipoise.platform.clock import set_clock
    from equipoise.platform.serving import make_ready

    make_ready(workspace)
    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    people = studies(Path(folder))
    set_clock(datetime(2021, 3, 1, 10, tzinfo=UTC))
    draw()
    set_clock(datetime(2021, 5, 12, 12, tzinfo=UTC))
    answer(people[20:40], "after")
    links = staff()
    ask_for_two(people[-1])
    send(people)
    log("harmhappen", people[7])
    print(json.dumps({"links": links, "people": [person.key for person in people]}))


def studies(folder: Path) -> list:
    """The three studies; the people of `swing`, of whom half have answered the first wave."""
    from equipoise.platform.fieldwork.links import make_open_link
    from equipoise.platform.people.allocation import commit_stage, hand_in_secret
    from equipoise.platform.registry.actions import move_study, set_programme
    from equipoise.platform.staff.actions import CommandLine

    who, source = CommandLine(), ROOT / "examples" / "hhp2"
    swing = added(locked(folder, source / "swing"))
    set_programme(who, swing, "hhp2", "Happier, healthier professionals (synthetic)")
    people = [person for year in (2020, 2021) for person in enrolled(swing, folder, year)]
    answer(people[:30], "before")
    hiring = added(locked(folder, source / "diversity-in-hiring", by_secret=True), live=False)
    hand_in_secret(who, hiring.stages.get(), SECRET.hex())
    commit_stage(who, hiring.stages.get())
    hiring = move_study(who, hiring, "live")
    make_open_link(who, hiring, "session", "A newsletter")
    awards = locked(folder, source / "symbolic-awards", change=blank)
    set_programme(who, added(awards, live=False), "hhp2", "")
    return people


def enrolled(study, folder: Path, year: int) -> list:
    """Half of the people, whose roster is matched as the study's folder says."""
    from equipoise.platform.people.actions import confirm_import
    from equipoise.platform.staff.actions import CommandLine

    lines = [
        f"T{year}-{each:03d},person.{year}.{each}@trainees.example.org,07700 900{(year % 100) * 30 + each:03d},"
        f"{REGIONS[each % 4]},{year}-01-11"
        for each in range(PEOPLE // 2)
    ]
    roster = folder / f"cohort-{year}.csv"
    roster.write_text("\n".join([HEADER, *lines]) + "\n", "utf-8")
    imported = confirm_import(CommandLine(), study, roster)
    return list(imported.participants.select_related("study").order_by("pk"))


def blank(folder: Path) -> None:
    path = folder / "protocol.yaml"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.strip().startswith("complaint:")), "utf-8")


def answer(people: list, wave: str) -> None:
    """A third of them have only begun."""
    from equipoise.platform.clock import now
    from equipoise.platform.fieldwork.actions import start_session
    from equipoise.platform.fieldwork.models import Session

    for number, person in enumerate(people):
        session = start_session(person, wave, language=None)
        if number % 3:
            Session.objects.filter(pk=session.pk).update(state="complete", ended_at=now())


def draw() -> None:
    from equipoise.platform.people.allocation import commit_stage, draw_stage, hand_in_secret
    from equipoise.platform.registry.queries import study_named
    from equipoise.platform.staff.actions import CommandLine

    stage = study_named("swing").stages.get()
    for verb, *rest in ((hand_in_secret, SECRET.hex()), (commit_stage,), (draw_stage,)):
        stage.refresh_from_db()
        verb(CommandLine(), stage, *rest)


def staff() -> dict[str, str]:
    """A link for each member of staff, by name."""
    from equipoise.platform.registry.queries import studies
    from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant
    from equipoise.platform.staff.passwords import password_link

    who = CommandLine()
    cast = {name: add_member(who, f"{name.lower()}@example.org", name) for name in ("Alice", "Bob", "Carol")}
    grant(who, cast["Carol"], "administrator")
    for study in studies():
        grant(who, cast["Alice"], "lead", Place(study))
    return {name: password_link(who, member) for name, member in cast.items()}


def send(people: list) -> None:
    """The first three texts to half of them: most arrived, one is in doubt, some failed; and an alarm."""
    from datetime import timedelta

    from equipoise.platform.clock import now
    from equipoise.platform.delivery.models import Alarm, ClosedAddress, Dispatch, PartnerFile

    swing, states = people[0].study, ["delivered"] * 7 + ["sent", "failed", "missed"]
    for occasion in (1, 2, 3):
        due = now() - timedelta(days=7 * (4 - occasion))
        for number, person in enumerate(people[::2]):
            state = "unknown" if (number, occasion) == (0, 3) else states[(number + occasion) % 10]
            Dispatch.objects.create(
                study=swing,
                participant=person,
                contact="weekly-message",
                occasion=occasion,
                channel="sms",
                carrier="notify",
                due_at=due,
                next_at=due,
                last_at=due + timedelta(days=6),
                sent_at=due if state in ("sent", "delivered", "unknown") else None,
                state=state,
                parts=1,
                reason={"failed": "closed-address", "missed": "late", "unknown": "no-answer"}.get(state, ""),
            )
    for number, person in enumerate(people[:6]):
        Dispatch.objects.create(
            study=swing,
            participant=person,
            contact="after.invite",
            occasion=1,
            channel="letter",
            carrier="post",
            due_at=now(),
            next_at=now(),
            last_at=now() + timedelta(days=7),
            state="planned" if number % 2 else "sending",
        )
    made = {"carrier": "post", "contact": "after.invite", "occasion": 1, "actor": "command-line", "at": now()}
    PartnerFile.objects.create(study=swing, kind="made", file_hash="0" * 64, counts={"people": 3}, **made)
    ClosedAddress.objects.create(
        participant=people[0], column="mobile", digest="0" * 64, reason="refused", at=now()
    )
    Alarm.objects.create(study=swing, kind="unknown", numbers={"number": 1}, since=now())


def log(code: str, person) -> None:
    """An incident under this code, corrected once."""
    from dataclasses import replace

    from equipoise.platform.incidents.actions import correct_incident, record_incident
    from equipoise.platform.incidents.stated import Stated, today_of
    from equipoise.platform.incidents.texts import Texts
    from equipoise.platform.staff.actions import CommandLine

    who, today, texts = CommandLine(), today_of(person.study), Texts("Rang in tears", "Gave a number")
    stated = Stated("distress", today, today, "staff", "no", "yes", "possibly", "ongoing", person.key)
    incident = record_incident(who, person.study, stated, texts, code=code)
    serious, why = replace(stated, serious="hospital"), replace(texts, why="The ward rang")
    correct_incident(who, incident, serious, why, seen=1)


def ask_for_two(person) -> None:
    """An erasure that was asked for at the command line, and Alice's file that was approved."""
    from equipoise.platform.approvals.actions import Rehearsal, ask, decide
    from equipoise.platform.approvals.acts import ERASE, IDENTIFY
    from equipoise.platform.registry.queries import study_named
    from equipoise.platform.staff.actions import CommandLine
    from equipoise.platform.staff.queries import member_named

    swing, alice = study_named("swing"), member_named("alice@example.org")
    subject = {"participant": person.key, "channel": "telephone"}
    ask(CommandLine(), swing, ERASE, reason="Rang and asked", subject=subject)
    file = ask(alice, swing, IDENTIFY, reason="Letters", subject={"columns": ["email"]})
    decide(Rehearsal(), file, "approve", "Letters are in the protocol")


if __name__ == "__main__":
    main(*sys.argv[1:])
