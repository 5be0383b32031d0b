"""What may go out: a person has said so of each send, in the form that it has now.

The launch says it of all that the study sends. What an amendment or an upgrade adds or changes waits until
somebody says it anew, and so does everything once data collection has ended.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from equipoise.errors import EquipoiseError, InputError, Problem, nearest
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.models import ConfirmedContact
from equipoise.platform.delivery.planning.audience import outcomes_asked
from equipoise.platform.delivery.planning.carriers import lacking_for
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import STUDY_ALLOWS, check_state
from equipoise.platform.registry.following import follows_moves
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of, stopped_at
from equipoise.protocol import Study as StudyFolder
from equipoise.protocol.checks.schedule import schedule_problems
from equipoise.protocol.send_digests import send_digest
from equipoise.protocol.sends import Send, sends

__all__ = [
    "Unconfirmed",
    "confirm",
    "confirm_at_launch",
    "confirmed",
    "confirmed_in",
    "digests",
    "unconfirmed",
]


@dataclass(frozen=True)
class Unconfirmed:
    """A send that waits for a person.

    Attributes:
        send: as the folder in force has it.
        changed: it was confirmed before, in another form.
    """

    send: Send
    changed: bool


def confirmed(study: Study) -> dict[str, ConfirmedContact]:
    """What may go out: by name, that each send is confirmed in the form that it has now."""
    return confirmed_in(study, folder_of(study), stopped_at(study))


def confirmed_in(study: Study, loaded: StudyFolder, stopped: datetime | None) -> dict[str, ConfirmedContact]:
    """`confirmed`, in the form that a folder gives.

    Args:
        study: whose sends.
        loaded: a folder of it.
        stopped: when data collection ended; what was confirmed before was confirmed of another study.
    """
    told = ConfirmedContact.objects.filter(study=study)
    told = told if stopped is None else told.filter(at__gt=stopped)
    stand = {(each.contact, each.digest): each for each in told}
    forms = digests(loaded)
    return {name: stand[name, digest] for name, digest in forms.items() if (name, digest) in stand}


def unconfirmed(study: Study) -> list[Unconfirmed]:
    """What waits for a person, in the order of the protocol; nothing once the study is closed."""
    if study.state not in STUDY_ALLOWS["messages.confirm"]:
        return []
    stand = confirmed(study)
    before = set(ConfirmedContact.objects.filter(study=study).values_list("contact", flat=True))
    waiting = [send for name, send in sends(folder_of(study)).items() if name not in stand]
    if stopped_at(study) is not None:
        waiting = [send for send in waiting if send.wave is None]  # nobody is asked anything any more
    return [Unconfirmed(send, send.name in before) for send in waiting]


def confirm(who: Acting, study: Study, names: Iterable[str]) -> None:
    """Let sends go out in the form that they have now.

    Args:
        who: needs `messages.confirm`.
        study: locked, live or paused.
        names: of sends; one that is confirmed already stays so.
    Raises:
        InputError: there is no such send, its schedule cannot be kept, it belongs to a wave and data
            collection has ended, or nobody carries it; all that is wrong is told at once.
    """
    check_permission(who, "messages.confirm", study)
    check_state("messages.confirm", study.state, of=study.name)
    with writing():
        held = Study.objects.select_for_update().get(pk=study.pk)
        check_state("messages.confirm", held.state, of=held.name)
        loaded, chosen = folder_of(held), list(dict.fromkeys(names))
        problems = list(_problems(held, loaded, chosen))
        if problems:
            raise InputError(problems)
        new = set(chosen) - confirmed(held).keys()
        _confirm(who, held, {name: digest for name, digest in digests(loaded).items() if name in new})


@follows_moves
def confirm_at_launch(who: Acting, study: Study, was: str) -> None:
    """The launch of a study lets go out all that it sends; inside the launch's transaction."""
    if was == "locked" and study.state == "live":
        _confirm(who, study, digests(folder_of(study)))


def digests(loaded: StudyFolder) -> dict[str, str]:
    """What is confirmed of each send, by its name; those whose times cannot be read are left out."""
    found = {}
    for name in sends(loaded):
        try:
            found[name] = send_digest(loaded, name)
        except EquipoiseError:
            continue  # the schedule's problems are told to whoever would confirm it
    return found


def _confirm(who: Acting, study: Study, said: Mapping[str, str]) -> None:
    if not said:
        return
    moment = now()
    for contact, digest in said.items():
        told = {"by": who.actor, "at": moment}
        ConfirmedContact.objects.update_or_create(study=study, contact=contact, digest=digest, defaults=told)
    record(study.name, who.actor, "messages.confirm", {"sends": dict(said)})


def _problems(study: Study, loaded: StudyFolder, names: list[str]) -> Iterable[Problem]:
    known = sends(loaded)
    if not names:
        listed = ", ".join(each.send.name for each in unconfirmed(study)) or "none"
        yield Problem(study.name, "messages", f"nothing was named; what waits for somebody: {listed}")
    yield from schedule_problems(loaded)
    for name in names:
        if name not in known:
            yield Problem(study.name, name, f"is not sent by this study. Sends: {nearest(name, list(known))}")
        elif known[name].wave is not None and stopped_at(study) is not None:
            yield Problem(study.name, name, "data collection has ended, so nobody is asked any more")
        elif asked := outcomes_asked(study, known[name]):
            message = (
                "which is known only once the data are analysed; select by the roster, arms or answering"
            )
            yield Problem(study.name, name, f"its expression asks for {', '.join(asked)}, {message}")
        elif settings.WORKSPACE.live and (lacking := lacking_for(known[name])) is not None:
            yield Problem(study.name, name, lacking)
