"""A workspace in which every text that somebody else gives is made to harm, and a walk through all of its pages.

Each planted text begins with a word of its own, so that a test can say which of them it met. It would leave an
attribute, run as a script, be computed by a template or by a spreadsheet: whoever shows it has to show it as text.
"""

import io
import re
import shutil
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from html import unescape
from types import SimpleNamespace
from urllib.parse import urldefrag, urljoin, urlsplit

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret
from django.contrib.auth.hashers import make_password
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import Resolver404, resolve
from ruamel.yaml import YAML
from tests.platform.conftest import EXAMPLES, SECRET
from tests.platform.fieldwork.conftest import Browser, items
from tests.platform.office.conftest import Desk
from tests.platform.staff.conftest import PASSWORD

from equipoise.allocation import commitment
from equipoise.platform.approvals.actions import ask
from equipoise.platform.approvals.acts import IDENTIFY
from equipoise.platform.clock import set_clock
from equipoise.platform.fieldwork.links import make_links, make_open_link
from equipoise.platform.incidents.actions import record_incident
from equipoise.platform.incidents.stated import Stated
from equipoise.platform.incidents.texts import Texts
from equipoise.platform.people.actions import confirm_import
from equipoise.platform.people.allocation import commit_stage, draw_stage, hand_in_secret
from equipoise.platform.permissions import ROLES
from equipoise.platform.registry.actions import add_study, move_study, set_programme
from equipoise.platform.review.actions import Wanted, exclude
from equipoise.platform.services.actions import make_service
from equipoise.platform.staff.actions import WORKSPACE, CommandLine, Place, add_member, grant
from equipoise.platform.staff.models import StaffMember
from equipoise.protocol import load_study, lock
from equipoise.protocol.registration import lock_text

__all__ = ["HARM", "MARKDOWN", "World", "build", "harmful", "planted_words", "walk"]

HARM = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>{{7*191}}"
MARKDOWN = (
    "[{0}](javascript:alert(1)) [{0}][ref] <svg onload=alert(1)> ![{0}](javascript:alert(1)) <javascript:alert(1)>\n"
    "\n[ref]: data:text/html,<script>alert(1)</script>\n\n<iframe srcdoc='<script>alert(1)</script>'></iframe>\n\n"
    f"`{HARM}` {{0}} {HARM}\n"
)
WORD = re.compile(r"zq[a-z]+")
PEOPLE = 8
ORIGIN = "https://testserver"
NEVER_FOLLOWED = {"account_logout"}
# Texts of a protocol that a person reads.
OF_THE_PROTOCOL = (
    "study.title study.question study.registration.registry study.authors.0 study.funding study.conflicts "
    "study.contact partners.training-provider.name participants.roster.staff_ref.label "
    "participants.roster.email.label participants.roster.region.levels.0 participants.roster.region.label "
    "arms.control.label arms.control.description arms.messages.label waves.before.label waves.after.label "
    "contacts.weekly-message.label outcomes.wellbeing.label outcomes.wellbeing.unit outcomes.burnout.label "
    "outcomes.sickness.label analyses.effect.label interviews.trainees.label privacy.controller privacy.purpose "
    "privacy.categories privacy.basis privacy.condition privacy.recipients privacy.retention privacy.linkage "
    "privacy.officer privacy.complaint support.contacts.0.name support.contacts.0.email support.distress-rule"
)
OF_THE_SURVEY = (
    "title information pages.0.title pages.1.title pages.3.title pages.3.questions.0.ask "
    "pages.3.questions.0.hint pages.4.questions.0.ask pages.4.questions.0.hint"
)


@dataclass
class World:
    """What was made: the studies, the people, the members by role, links as paths, and the texts by their place.

    `met` are the pages that participants saw on their way.
    """

    folder: object
    studies: dict = field(default_factory=dict)
    people: list = field(default_factory=list)
    members: dict = field(default_factory=dict)
    links: dict = field(default_factory=dict)
    texts: dict = field(default_factory=dict)
    desks: dict = field(default_factory=dict)
    met: dict = field(default_factory=dict)

    def plant(self, place):
        """A text for this place."""
        return self.texts.setdefault(place, harmful(place))

    def desk(self, role):
        """The browser of whoever has this role in `swing`, signed in by both factors; of Nobody, who has none."""
        if role not in self.desks:
            member, desk = self.members[role], Desk()
            member.refresh_from_db()
            desk.client.raise_request_exception = False
            TOTP.activate(member, generate_totp_secret())
            desk.sign_in(member, factor=False)
            session = desk.client.session
            record_authentication(SimpleNamespace(session=session, user=member), member, "mfa")
            session.save()
            desk.get("/office/")  # the first page of a session notes that it has begun
            self.desks[role] = desk
        return self.desks[role]


def harmful(place):
    """A text that would harm, with a word by which it is known."""
    return f"={_word(place)}{HARM}"


def _word(place):
    """Letters alone, and different for each place."""
    return "zq" + re.sub(
        r"[0-9]", lambda found: "abcdefghij"[int(found[0])], re.sub(r"[^a-z0-9]", "", place.lower())
    )


def planted_words(text):
    """Which planted texts stand in this one."""
    return set(WORD.findall(text))


def build(folder):
    """Make the workspace's content: `swing` drawn and half answered, `diversity-in-hiring` open."""
    world = World(folder)
    set_clock(datetime(2021, 2, 10, 12, tzinfo=UTC))
    _staff(world)
    swing = add_study(CommandLine(), _locked(world, "swing", _plant_study))
    swing = move_study(CommandLine(), swing, "live")
    set_programme(CommandLine(), swing, "planted", world.plant("programme"))
    swing.refresh_from_db()
    world.studies["swing"] = swing
    _roles(world, swing)
    _people(world, swing)
    _answers(world, swing, "before")
    set_clock(datetime(2021, 3, 1, 10, tzinfo=UTC))
    _draw(swing)
    set_clock(datetime(2021, 5, 12, 12, tzinfo=UTC))
    _answers(world, swing, "after")
    _open_study(world)
    _left(world)
    _said_by_staff(world, swing)
    _waiting_file(world)
    for role in world.members:
        world.desk(role)
    return world


def _staff(world):
    for name in (*ROLES, "Nobody"):
        world.members[name] = add_member(CommandLine(), f"{name}@example.org", world.plant(f"staff {name}"))
    grant(CommandLine(), world.members["administrator"], "administrator", WORKSPACE)
    StaffMember.objects.update(password=make_password(PASSWORD))


def _roles(world, study):
    for role in ROLES:
        if role != "administrator":
            partner = study.partners.get() if role == "coordinator" else None
            grant(CommandLine(), world.members[role], role, Place(study, partner=partner))


def _locked(world, name, change):
    place = world.folder / name
    shutil.copytree(EXAMPLES / name, place, ignore=shutil.ignore_patterns("amendments", "lock.json"))
    change(world, place)
    told = {"time": "2021-01-04T09:00:00Z", "version": "test", "clock": "rehearsal"}
    (place / "lock.json").write_text(
        lock_text(lock(load_study(place), seed_commitment=commitment(SECRET), **told))
    )
    return place


def _plant_study(world, place):
    path = place / "protocol.yaml"
    path.write_text(path.read_text("utf-8").replace("strata: [cohort, region]", "strata: [region]"), "utf-8")
    _plant(world, path, OF_THE_PROTOCOL)
    _plant(world, place / "surveys" / "wellbeing.yaml", OF_THE_SURVEY)
    for name in ("background", "methods", "ethics"):
        path = place / "narrative" / f"{name}.md"
        word = _word(f"narrative {name}")
        world.texts[f"narrative {name}"] = word
        path.write_text(f"{path.read_text('utf-8')}\n\n{MARKDOWN.replace('{0}', word)}", "utf-8")


def _plant(world, path, places):
    yaml, written = YAML(), io.StringIO()
    read = yaml.load(path.read_text("utf-8"))
    for place in places.split():
        *way, last = [int(part) if part.isdigit() else part for part in place.split(".")]
        at = read
        for part in way:
            at = at[part]
        at[last] = world.plant(f"{path.stem} {place}")
    yaml.dump(read, written)
    path.write_text(written.getvalue(), "utf-8")


def _people(world, study):
    regions = (world.texts["protocol participants.roster.region.levels.0"], "midlands", "east", "south")
    header = "Trainee ID,Email,Mobile,Region,Start date\n"
    rows = [
        f'"{_quoted(harmful("identifier") + str(number))}",={{{{7*191}}}}.{number}@example.org,07700 900{number:03d},'
        f'"{_quoted(regions[number % 4])}",2020-07-13'
        for number in range(PEOPLE)
    ]
    path = world.folder / "cohort-2020.csv"
    path.write_text(header + "\n".join(rows) + "\n", "utf-8")
    imported = confirm_import(CommandLine(), study, path)
    world.texts["identifier"] = harmful("identifier")
    world.people = list(imported.participants.select_related("study").order_by("pk"))


def _quoted(text):
    return text.replace('"', '""')


def _answers(world, study, wave):
    """The first answers everything, the second begins, the last is left with a link that nobody has opened."""
    made = make_links(CommandLine(), study, wave, world.people)
    world.links[wave] = urlsplit(made[-1].link).path
    world.links["stop"] = urlsplit(made[-1].stop_link).path
    consent = {f"consent.{name}": "yes" for name in ("survey", "interview", "recording", "quotation")}
    for link, whole in ((made[0].link, True), (made[1].link, False)):
        browser = _Noted(world.met).open(link).send().send(consent)
        for page in ("wellbeing", "burnout", "connection", "absence", "close") if whole else ():
            answers = items(study, "wellbeing", page)
            if page == "close":
                answers["comment"] = world.plant("answer")
            browser.send(answers)
    world.links["session"] = browser.path
    world.links["cookies"] = browser.client.cookies


class _Noted(Browser):
    """A participant's browser that keeps the pages that it was sent."""

    def __init__(self, met):
        super().__init__()
        self.met = met

    def _note(self, path):
        super()._note(path)
        self.met[self.path] = self.response


def _draw(study):
    stage = study.stages.get()
    for verb, *rest in ((hand_in_secret, SECRET.hex()), (commit_stage,), (draw_stage,)):
        stage.refresh_from_db()
        verb(CommandLine(), stage, *rest)


def _open_study(world):
    def change(_, place):
        path = place / "protocol.yaml"
        path.write_text(path.read_text("utf-8").replace("seed: public-round", "seed: team-secret"), "utf-8")

    study = add_study(CommandLine(), _locked(world, "diversity-in-hiring", change))
    hand_in_secret(CommandLine(), study.stages.get(), SECRET.hex())
    commit_stage(CommandLine(), study.stages.get())
    world.studies[study.name] = study = move_study(CommandLine(), study, "live")
    grant(CommandLine(), world.members["lead"], "lead", Place(study))
    link = make_open_link(CommandLine(), study, "session", world.plant("label")[:80])
    world.links["open"] = urlsplit(link).path


def _left(world):
    desk, one = world.desk("lead"), world.people[3]
    page = f"/office/studies/swing/people/{one.key}/leave"
    said = {"name": one.key, "reason": world.plant("reason"), "choice": "everything", "channel": "telephone"}
    assert desk.act(page, said).status_code == 303, desk.text


def _said_by_staff(world, study):
    """What staff write into the log of incidents, the review of the data, a request, and the name of a service."""
    lead = world.members["lead"]
    day = date(2021, 5, 11)
    stated = Stated(
        "distress", day, day, "participant", "no", "yes", "possibly", "ongoing", world.people[0].key
    )
    texts = Texts(world.plant("incident"), world.plant("incident done"))
    record_incident(lead, study, stated, texts)
    exclude(lead, study, [Wanted(world.people[0].key, (), world.plant("exclusion"))])
    ask(lead, study, IDENTIFY, reason=world.plant("request"), subject={"columns": ["email"]})
    make_service(lead, study, world.plant("service")[:80], ["study:read"])


def _waiting_file(world):
    """A file that the lead has uploaded and not confirmed; everything in it is made to harm, its name included."""
    desk = world.desk("lead")
    rows = f"{world.plant('column')},Email\n{harmful('cell')},nobody\n"
    file = SimpleUploadedFile(f"{harmful('file')}.csv", rows.encode())
    world.texts["file"] = _word("file")
    desk.act("/office/studies/swing/people/import/", {"kind": "update", "end": "yes", "file": file})
    assert desk.page.status_code == 303, desk.text
    world.links["waiting"] = desk.page["Location"]


def walk(desk, start, most=2):
    """Every page that can be reached by links, by its address: so many of each kind.

    Returns:
        The answers by address, and the kinds of page that were met.
    """
    waiting, found, kinds = list(start), {}, {}
    while waiting:
        path = waiting.pop(0)
        kind = _kind(path)
        if path in found or kind is None or kinds.get(kind, 0) >= most or kind[0] in NEVER_FOLLOWED:
            continue
        kinds[kind] = kinds.get(kind, 0) + 1
        page = desk.client.get(path, secure=True)
        found[path] = page
        if page.status_code in (302, 303):
            waiting.append(page["Location"])
        elif page.get("Content-Type", "").startswith("text/html"):
            waiting += _onward(path, page.content.decode())
    return found, {name for name, _ in kinds}


def _kind(path):
    """The name of the address and what its question asks for; None for what is not ours."""
    parts = urlsplit(path)
    if parts.netloc not in ("", "testserver") or parts.scheme not in ("", "https"):
        return None
    try:
        return resolve(parts.path).url_name, "&".join(sorted(re.findall(r"(\w+)=", parts.query)))
    except Resolver404:
        return None


def _onward(path, html):
    for href in re.findall(r'<a[^>]*\shref="([^"]*)"', html):
        yield urldefrag(urljoin(ORIGIN + path, unescape(href)))[0].removeprefix(ORIGIN)
