"""Pages for staff over a study of 100,000 participants in 50 partners: server time of each, one process.

Two waves, answered by 60 and 40 in 100; everybody is in the draw. Beside the lead of the study stands a
coordinator of one of its partners: their pages go by the same tables.
"""

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent
PEOPLE, PARTNERS = 100_000, 50
SECRET = bytes(32)
_ROUNDS = 7
_STATED = "under 100 ms"
_NAMES = [f"p{number:02d}" for number in range(PARTNERS)]


def main() -> None:
    """Print what was measured, a line each."""
    with tempfile.TemporaryDirectory(prefix="equipoise-bench-") as folder:
        subprocess.run(
            [sys.executable, "-c", "import sys, office; office.fill(sys.argv[1]); office.look()", folder],
            cwd=HERE,
            check=True,
        )


def fill(place: str) -> None:
    """Make the workspace, in this process."""
    from equipoise.platform.workspace import activate, create_workspace

    workspace = create_workspace(Path(place) / "workspace", mode="rehearsal")
    activate(workspace)
    from equipoise.allocation import commitment
    from equipoise.platform.clock import set_clock
    from equipoise.platform.people.allocation import commit_stage, draw_stage, hand_in_secret
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.serving import make_ready
    from equipoise.platform.staff.actions import CommandLine, Place, add_member, grant
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    make_ready(workspace)
    who = CommandLine()
    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    folder = _study(Path(place) / "large")
    said = {"time": "2021-01-04T09:00:00Z", "seed_commitment": commitment(SECRET), "version": "bench"}
    (folder / "lock.json").write_text(lock_text(lock(load_study(folder), clock="rehearsal", **said)), "utf-8")
    study = move_study(who, add_study(who, folder), "live")
    _people(study)
    stage = study.stages.get()
    hand_in_secret(who, stage, SECRET.hex())
    set_clock(datetime(2021, 3, 2, 10, tzinfo=UTC))
    commit_stage(who, stage)
    draw_stage(who, stage)
    set_clock(datetime(2021, 4, 20, 12, tzinfo=UTC))
    _answers(study)
    for name, role, partner in (("Lead", "lead", None), ("Near", "coordinator", study.partners.first())):
        member = add_member(who, f"{name.lower()}@example.org", f"{name} (synthetic)")
        grant(who, member, role, Place(study, partner))


def look() -> None:
    """Open each page as the lead and as a coordinator, and print its median time."""
    from equipoise.platform.people.models import Participant
    from equipoise.platform.staff.models import StaffMember

    lead, near = (StaffMember.objects.get(email=f"{name}@example.org") for name in ("lead", "near"))
    person = Participant.objects.filter(partner__name=_NAMES[0]).first()
    people = (
        "people/",
        "people/?page=900",
        "people/?sort=-partner&page=1000",
        "people/?state=enrolled&answered=after",
        "people/?missing=after&partner=p00",
        f"people/{person.key}/",
        "people/import/",
        "surveys/",
        "surveys/after/days",
        "incidents/",
        "",
    )
    rest = (
        "allocation/",
        "allocation/main/strata",
        "data/",
        "data/review/",
        "record/",
        "approvals/",
        "staff/",
    )
    for who, places in ((lead, people + rest), (near, people)):
        desk = _desk(who)
        for place in places:
            print(f"{who.name.partition(' ')[0]}, /{place.replace(person.key, 'KEY')}: {_timed(desk, place)}")


def _timed(desk, place: str) -> str:
    path, took = f"/office/studies/large/{place}", []
    for _ in range(_ROUNDS + 1):
        started = time.perf_counter()
        page = desk.get(path, secure=True)
        took.append(1000 * (time.perf_counter() - started))
        if page.status_code != 200:
            return f"answers {page.status_code}"
    return f"{statistics.median(took[1:]):.0f} ms, median of {_ROUNDS} (stated: {_STATED})"


def _desk(member):
    from types import SimpleNamespace

    from allauth.account.internal.flows.login import record_authentication
    from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
    from django.test import Client

    client = Client(HTTP_HOST="localhost")
    client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
    TOTP.activate(member, generate_totp_secret())
    session = client.session
    record_authentication(SimpleNamespace(session=session, user=member), member, "mfa")
    session.save()
    return client


def _people(study) -> None:
    from equipoise.platform.clock import now
    from equipoise.platform.people.contacts import identifier_digest
    from equipoise.platform.people.models import Consent, Lookup, Participant, RosterFacts

    partners = list(study.partners.order_by("name"))
    people = Participant.objects.bulk_create(
        (
            Participant(study=study, partner=partners[number % PARTNERS], enrolled_at=now())
            for number in range(PEOPLE)
        ),
        batch_size=5_000,
    )
    facts = (
        {"authority": person.partner.name, "team": "Assessment", "started_on": "2015-01-05"}
        for person in people
    )
    RosterFacts.objects.bulk_create(
        (RosterFacts(participant=person, values=said) for person, said in zip(people, facts, strict=True)),
        batch_size=5_000,
    )
    Lookup.objects.bulk_create(
        (
            Lookup(
                study=study,
                participant=person,
                column="staff_ref",
                digest=identifier_digest(study, "staff_ref", f"S{number:06d}"),
                identifies=True,
            )
            for number, person in enumerate(people)
        ),
        batch_size=5_000,
    )
    Consent.objects.bulk_create(
        (
            Consent(participant=person, activity="survey", given=True, version="1", channel="web", at=now())
            for person in people
        ),
        batch_size=5_000,
    )


def _answers(study) -> None:
    from equipoise.platform.fieldwork.models import Session
    from equipoise.platform.people.models import Participant

    people = list(Participant.objects.filter(study=study).order_by("pk"))
    for wave, begins, share in (
        ("before", datetime(2021, 2, 5, 9, tzinfo=UTC), 6),
        ("after", datetime(2021, 4, 6, 9, tzinfo=UTC), 4),
    ):
        Session.objects.bulk_create(
            (
                Session(
                    participant=person,
                    study=study,
                    partner_id=person.partner_id,
                    wave=wave,
                    code=f"{wave[0]}{number:08d}",
                    state="complete" if number % 7 else "started",
                    language="en-GB",
                    version=1,
                    wording="",
                    order={},
                    started_at=begins + timedelta(minutes=number % 20_000),
                    ended_at=begins + timedelta(minutes=number % 20_000 + 5) if number % 7 else None,
                )
                for number, person in enumerate(people)
                if number % 10 < share
            ),
            batch_size=5_000,
        )


def _study(folder: Path) -> Path:
    """The example `symbolic-awards` with 50 partners, in which everybody works for one."""
    source = ROOT / "examples" / "hhp2" / "symbolic-awards"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("amendments", "lock.json"))
    text = (folder / "protocol.yaml").read_text("utf-8")
    begin, end = text.index("partners:"), text.index("participants:")
    partners = "".join(
        f"  {name}: {{name: Partner {name} (synthetic), people: {PEOPLE // PARTNERS}}}\n" for name in _NAMES
    )
    text = text[:begin] + "partners:\n" + partners + "\n" + text[end:]
    text = text.replace("id: symbolic-awards", "id: large").replace("expected: 1969", f"expected: {PEOPLE}")
    text = text.replace(
        "[northmoor, eastvale, harrowmere, kingsbrook, stonewick, larkhaven, millmere]",
        f"[{', '.join(_NAMES)}]",
    )
    (folder / "protocol.yaml").write_text(text, "utf-8")
    for file in list((folder / "media").glob("northmoor.*")):
        for name in _NAMES:
            shutil.copy(file, file.with_name(file.name.replace("northmoor", name)))
    return folder


if __name__ == "__main__":
    main()
