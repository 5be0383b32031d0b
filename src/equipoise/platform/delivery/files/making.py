"""Making the file of a send: whoever may still be written to, filled, and from then on out of our hands.

The file is written before anything is said of it. Only when it lies there complete do its dispatches become
`sending`, all of them in one transaction, and only if each may still go out. The workspace keeps the file's
hash and no copy.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db.models import F

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.delivery.channels.partner_file import FORMS
from equipoise.platform.delivery.engine.events import add_all
from equipoise.platform.delivery.files.contents import Contents
from equipoise.platform.delivery.files.listing import FileOf, file_of, partner_word
from equipoise.platform.delivery.files.waiting import AT_ONCE, may_go, to_be_filed
from equipoise.platform.delivery.models import Dispatch, PartnerFile
from equipoise.platform.delivery.planning.confirming import confirmed
from equipoise.platform.permissions import Acting, check_permission
from equipoise.platform.policies import check_state
from equipoise.platform.registry.models import Study

__all__ = ["MOST_LETTERS", "VERB", "make_file"]

VERB = "messages.files"
MOST_LETTERS = 200  # in one file: a pile that a person can count


def make_file(
    who: Acting,
    study: Study,
    send: str,
    occasion: int,
    *,
    partner: str | None = None,
    form: str | None = None,
    again: bool = False,
    folder: Path | None = None,
) -> Path:
    """Make the mail-merge file for a partner, or the letters for the post.

    Args:
        who: needs `messages.files`.
        study: live.
        send: its name.
        occasion: of it, from 1.
        partner: whose people, where several partners have some; `none` for those of no partner.
        form: xlsx or csv for a partner, xlsx when left out; letters are always pdf.
        again: make the file anew for those who are in one already and of whom nothing has come back.
        folder: where to; a new place of the workspace's own when left out. The caller deletes what is not to
            be kept: whoever has the file can answer for the people in it.
    Returns:
        The file.
    Raises:
        NotAllowedError: their role does not allow it.
        InputError: the study is not live, what is sent waits for a person, there is nobody for the file, it
            cannot have this form, or somebody left or stopped messages while it was made.
        CheckFailedError: somebody's contact details cannot be read.
    """
    check_permission(who, VERB, study)
    check_state("messages.send", study.state, of=study.name)
    wanted = file_of(study, send, occasion, partner)
    _check_confirmed(study, send)
    form = _form(wanted, form)
    rows = to_be_filed(study, wanted, again=again)
    most = MOST_LETTERS if wanted.carrier == "post" else None
    contents = Contents(study, wanted, list(rows.values_list("pk", flat=True)), most)
    place = (folder or _own_place()) / f"{study.name}-{wanted.name}.{form}"
    if place.exists():
        raise InputError(Problem(str(place), "", "is there already, and is never overwritten; move it away"))
    try:
        file_hash = _written(place, contents.parts(form))
        if not contents.taken:
            raise InputError(Problem(study.name, "", _nobody(wanted, contents, again)))
        _let_go(who, contents, form, file_hash, again=again)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return place


def _check_confirmed(study: Study, send: str) -> None:
    if send not in confirmed(study):
        message = "what it sends has changed, and waits until a person lets it go out; see the page Messages"
        raise InputError(Problem(study.name, send, message))


def _form(wanted: FileOf, form: str | None) -> str:
    if wanted.carrier == "post":
        return "pdf"
    return form or FORMS[0]


def _own_place() -> Path:
    place = Path(settings.WORKSPACE.folder) / "uploads"
    place.mkdir(mode=0o700, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=place))


def _written(place: Path, parts: Iterable[bytes]) -> str:
    """Write the file, for its owner's eyes only, and give its hash."""
    hashed = hashlib.sha256()
    place.touch(mode=0o600, exist_ok=False)
    with place.open("wb") as file:
        for part in parts:
            hashed.update(part)
            file.write(part)
    return hashed.hexdigest()


def _nobody(wanted: FileOf, contents: Contents, again: bool) -> str:
    if contents.left_out:
        return (
            f"nobody can be put into the file: of {contents.left_out:,} something that the message needs is "
            "missing; look at the problems of this occasion, and bring the roster up to date"
        )
    if again:
        return "nobody is in an earlier file whose receipt is still missing; there is nothing to make again"
    if wanted.counts.get("planned"):
        why = "each has left, stopped messages, said no, answered, or had as many messages as the cap allows"
        return f"nobody who waits may be sent this occasion now: {why}"
    if wanted.counts.get("sending"):
        return "everybody is in a file already; make it again only if that one was lost, and never sent"
    return "nobody waits for this occasion any more"


def _let_go(who: Acting, contents: Contents, form: str, file_hash: str, *, again: bool) -> None:
    """Say in one transaction that everybody of the file is in it, if all of them still may be."""
    study, wanted = contents.study, contents.wanted
    with writing():
        held = Study.objects.select_for_update(no_key=True).get(pk=study.pk)
        check_state("messages.send", held.state, of=study.name)
        if held.version != study.version:
            raise InputError(Problem(study.name, "", "an amendment came into force meanwhile; make it again"))
        for at in range(0, len(contents.taken), AT_ONCE):
            some = contents.taken[at : at + AT_ONCE]
            rows = Dispatch.objects.filter(pk__in=some, state="sending" if again else "planned")
            there = may_go(rows, held, wanted).select_for_update(of=("self",)).values_list("pk", flat=True)
            if len(there) != len(some):
                message = (
                    "somebody left, stopped messages, said no or answered while it was made, or another one "
                )
                raise InputError(Problem(study.name, "", f"{message}was made meanwhile; make it again"))
            Dispatch.objects.filter(pk__in=some).update(
                state="sending", attempts=F("attempts") + 1, version=held.version
            )
            add_all([(number, "file", form) for number in some], "file")
        _recorded(who, contents, file_hash)


def _recorded(who: Acting, contents: Contents, file_hash: str) -> None:
    wanted = contents.wanted
    counts = {"people": len(contents.taken), "left_out": contents.left_out}
    made = PartnerFile.objects.create(
        study=contents.study,
        partner=wanted.partner,
        carrier=wanted.carrier,
        kind="made",
        contact=wanted.send,
        occasion=wanted.occasion,
        file_hash=file_hash,
        counts=counts,
        actor=who.actor,
        at=now(),
    )
    details = {
        "file": made.pk,
        "carrier": wanted.carrier,
        "send": wanted.send,
        "occasion": wanted.occasion,
        "partner": partner_word(wanted.partner),
        "file_hash": file_hash,
        "counts": counts,
    }
    record(contents.study.name, who.actor, VERB, details)
