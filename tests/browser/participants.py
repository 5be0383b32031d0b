"""Makes a rehearsal with four live studies in a workspace, in a process of its own, and prints the links.

python tests/browser/participants.py WORKSPACE FOLDER     the studies, with links to every wave
python tests/browser/participants.py WORKSPACE clock TIME the rehearsal's clock set
python tests/browser/participants.py WORKSPACE watched    what was watched of each message's film
"""

import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from equipoise.allocation import commitment
from equipoise.platform.workspace import activate, create_workspace

ROOT = Path(__file__).parents[2]
SECRET = bytes(range(32))
FILM = b"\x00\x00\x00\x18ftypmp42" + bytes(5000)
PEOPLE = 6


def main(place: str, *rest: str) -> None:
    workspace = create_workspace(Path(place), mode="rehearsal")
    activate(workspace)
    from equipoise.platform.clock import set_clock

    if rest[0] == "clock":
        set_clock(datetime.fromisoformat(rest[1]).replace(tzinfo=UTC))
        return
    if rest[0] == "watched":
        from equipoise.platform.delivery.models import Watch

        print(json.dumps([[row.ranges, row.seconds, row.length] for row in Watch.objects.order_by("pk")]))
        return
    from equipoise.platform.serving import make_ready

    make_ready(workspace)
    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    print(json.dumps(links(Path(rest[0]))))


def links(folder: Path) -> dict[str, list[str]]:
    """Links by the name of study and wave, one a person."""
    from equipoise.platform.fieldwork.links import make_links, make_open_link
    from equipoise.platform.people.allocation import commit_stage, hand_in_secret
    from equipoise.platform.registry.models import Study
    from equipoise.platform.staff.actions import CommandLine

    who = CommandLine()
    swing = added(locked(folder, ROOT / "examples" / "hhp2" / "swing"))
    people = enrolled(swing, {"cohort": "2021", "region": "north", "started_on": "2021-01-11"})
    found = {
        f"swing.{wave}": [made.link for made in make_links(who, swing, wave, people)]
        for wave in ("before", "after")
    }
    found["swing.stop"] = [made.stop_link for made in make_links(who, swing, "before", people)]
    hiring = locked(folder, ROOT / "examples" / "hhp2" / "diversity-in-hiring", by_secret=True)
    study = added(hiring, live=False)
    hand_in_secret(who, study.stages.get(), SECRET.hex())
    commit_stage(who, study.stages.get())
    Study.objects.filter(pk=study.pk).update(state="live")
    study.refresh_from_db()
    found["diversity-in-hiring.session"] = [make_open_link(who, study, "session", "A newsletter")]
    kinds = locked(folder, ROOT / "tests" / "unit" / "protocol" / "kinds")
    study = added(kinds, live=False)
    Study.objects.filter(pk=study.pk).update(state="live")
    study.refresh_from_db()
    people = enrolled(study, {"team": "blue", "years": 3, "started_on": "2020-01-11"})
    found["kinds.before"] = [made.link for made in make_links(who, study, "before", people)]
    awards = added(locked(folder, ROOT / "examples" / "hhp2" / "symbolic-awards"))
    people = enrolled(awards, {"authority": "northmoor", "team": "Fostering", "started_on": "2020-01-11"})
    found["symbolic-awards.video"] = [message_link(person) for person in people]
    return found


def message_link(person) -> str:
    """The address of the page of a video that was sent to somebody."""
    from equipoise.platform.clock import now
    from equipoise.platform.crypto import token, token_hash
    from equipoise.platform.delivery.models import Dispatch, MessageLink
    from equipoise.platform.fieldwork.links import address

    text, moment = token(), now()
    dispatch = Dispatch.objects.create(
        study=person.study, participant=person, contact="thank-you-video", occasion=1, channel="email",
        carrier="smtp", state="sent", due_at=moment, next_at=moment, last_at=moment, sent_at=moment, version=1,
    )  # fmt: skip
    MessageLink.objects.create(dispatch=dispatch, token_hash=token_hash(text), made_at=moment)
    return address("message-page", text)


def locked(folder: Path, source: Path, *, by_secret: bool = False, change=None) -> Path:
    from equipoise.protocol import load_study, lock
    from equipoise.protocol.registration import lock_text

    place = folder / source.name
    shutil.copytree(source, place, ignore=shutil.ignore_patterns("amendments", "lock.json"))
    if source.name == "kinds":
        (place / "media" / "plan.mp4").write_bytes(FILM)
    if change is not None:
        change(place)
    if by_secret:
        path = place / "protocol.yaml"
        path.write_text(path.read_text("utf-8").replace("seed: public-round", "seed: team-secret"), "utf-8")
    registration = lock(
        load_study(place),
        time="2021-01-04T09:00:00Z",
        seed_commitment=commitment(SECRET),
        version="test",
        clock="rehearsal",
    )
    (place / "lock.json").write_text(lock_text(registration), "utf-8")
    return place


def added(folder: Path, *, live: bool = True):
    from equipoise.platform.registry.actions import add_study, move_study
    from equipoise.platform.staff.actions import CommandLine

    study = add_study(CommandLine(), folder)
    return move_study(CommandLine(), study, "live") if live else study


def enrolled(study, facts: dict[str, object]):
    from equipoise.platform.clock import now
    from equipoise.platform.people.models import Participant, RosterFacts

    people = [Participant.objects.create(study=study, enrolled_at=now()) for _ in range(PEOPLE)]
    RosterFacts.objects.bulk_create(RosterFacts(participant=person, values=facts) for person in people)
    return people


if __name__ == "__main__":
    main(*sys.argv[1:])
