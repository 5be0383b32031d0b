"""The verbs of the log. Nothing in it is ever changed: whoever corrects, closes or reopens states it anew.

The study's record has what was chosen and when; of what was written, and of who was named, it has digests
alone, under a key that goes when the participant erases.
"""

import re
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace

from django.db.models import Q

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.incidents.entries import DAYS, LISTED, said_of
from equipoise.platform.incidents.models import Incident, Statement, StatementText
from equipoise.platform.incidents.naming import NOBODY, Whom, whom
from equipoise.platform.incidents.stated import Stated, faults_in, stated_in
from equipoise.platform.incidents.texts import Texts, sealed_texts, texts_of
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, NotAllowedError, check_permission, reach
from equipoise.platform.registry.models import Study

__all__ = [
    "check_changing",
    "close_incident",
    "correct_incident",
    "erase_incidents",
    "new_code",
    "record_incident",
    "reopen_incident",
]

_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
_CODE = re.compile(f"[{_LETTERS}]{{10}}")
_HAPPENED = {"happened": "say what happened, without naming anybody and without the arm"}
_WHY = {"why": "is empty; say why, without naming anybody. What stood there before stays to be read"}
_DONE = {"done": "is empty; say what was done, or that nothing had to be"}


def new_code() -> str:
    """The name of an incident to come, drawn when its form is opened: a form sent twice is one incident."""
    return "".join(secrets.choice(_LETTERS) for _ in range(10))


def record_incident(who: Acting, study: Study, stated: Stated, texts: Texts, *, code: str = "") -> Incident:
    """Log something that happened.

    Args:
        who: needs `incidents.record`, for the partner whose people it concerns.
        study: in which.
        stated: what was chosen.
        texts: what was written; why is not asked yet.
        code: of the form, from `new_code`; the same form sent again gives the incident that there is.
    Raises:
        NotAllowedError: their role does not allow it, for these people.
        InputError: what is missing or cannot be.
    """
    named, problems = whom(who, study, stated)
    _check([*faults_in(study, stated, texts, _HAPPENED), *problems, *_faults_of_code(study, code)])
    check_permission(who, "incidents.record", study, named.partner_id)
    moment = now()
    new = Incident(study=study, code=code or new_code(), recorded_by=who.actor, recorded_at=moment)
    with writing():
        Incident.objects.bulk_create([new], ignore_conflicts=True)
        held: Incident = Incident.objects.select_for_update().select_related("study").get(code=new.code)
        if held.statements.exists():
            return _the_same(who, study, held)
        first = Statement(incident=held, number=1, actor=who.actor, at=moment, **_columns(stated, named))
        _store("incidents.record", first, texts)
    return held


def correct_incident(
    who: Acting, incident: Incident, stated: Stated, texts: Texts, *, seen: int
) -> Statement:
    """State an incident anew, because something in it was wrong or has become known.

    Args:
        who: needs `incidents.record`, and to have recorded the incident or to see all.
        incident: with its study.
        stated: the whole of it, changed or not.
        texts: the whole of them, with why it is corrected.
        seen: the number of the statement that they had before them.
    Raises:
        NotAllowedError: their role does not allow it, for these people.
        InputError: what is missing or cannot be; no reason; somebody else stated it anew meanwhile.
    """
    study = incident.study
    named, problems = whom(who, study, stated)
    with writing():
        newest = _held(who, incident, seen)
        needed = _WHY if texts_of(newest) is None else {**_HAPPENED, **_WHY}  # erased: nothing is asked for
        _check([*faults_in(study, stated, texts, needed, kept=newest.kind), *problems])
        check_permission(who, "incidents.record", study, named.partner_id)
        columns = _columns(stated, named) | {"closed": newest.closed}
        return _restated(who, "incidents.correct", newest, columns, texts)


def close_incident(who: Acting, incident: Incident, *, outcome: str, done: str, seen: int) -> Statement:
    """Say that nothing remains to be done about an incident, and how it stands.

    Args:
        who: as for `correct_incident`.
        incident: open.
        outcome: of `choices.OUTCOMES`; `mistake` takes it out of every count.
        done: what was done about it, in whole.
        seen: the number of the statement that they had before them.
    Raises:
        NotAllowedError: their role does not allow it, for these people.
        InputError: it is closed; no outcome; nothing was said of what was done.
    """
    with writing():
        newest = _held(who, incident, seen)
        _check_state(newest, closed=False)
        stated = replace(stated_in(newest), outcome=outcome)
        texts = replace(texts_of(newest) or Texts(), done=done, why="")
        _check(faults_in(incident.study, stated, texts, _DONE, kept=newest.kind))
        columns = _columns(stated, Whom(newest.participant, newest.partner)) | {"closed": True}
        return _restated(who, "incidents.close", newest, columns, texts)


def reopen_incident(who: Acting, incident: Incident, *, why: str, seen: int) -> Statement:
    """Take up again what was closed.

    Args:
        who: as for `correct_incident`.
        incident: closed.
        why: what has come to light.
        seen: the number of the statement that they had before them.
    Raises:
        NotAllowedError: their role does not allow it, for these people.
        InputError: it is open, or nothing was said of why.
    """
    with writing():
        newest = _held(who, incident, seen)
        _check_state(newest, closed=True)
        stated = replace(stated_in(newest), outcome="ongoing")
        texts = replace(texts_of(newest) or Texts(), why=why)
        _check(faults_in(incident.study, stated, texts, _WHY, kept=newest.kind))
        columns = _columns(stated, Whom(newest.participant, newest.partner)) | {"closed": False}
        return _restated(who, "incidents.reopen", newest, columns, texts)


def erase_incidents(participant: Participant, actor: str) -> None:
    """Destroy what was written of a participant, and that it was they; the incidents stay to be counted.

    A statement of the same incident that names nobody is of them as well. One that names somebody else is
    not touched. Call it inside the transaction that erases.
    """
    named = Statement.objects.filter(participant=participant)
    incidents = list(named.values_list("incident", flat=True).distinct())
    if not incidents:
        return
    theirs = Q(statement__participant=participant) | Q(statement__participant=None)
    StatementText.objects.filter(theirs, statement__incident__in=incidents).delete()
    named.update(participant=None)
    # Not which incidents, nor of what kind: the entry stands beside the one that says who erased.
    record(participant.study.name, actor, "incidents.erase", {"incidents": len(incidents)})


def check_changing(who: Acting, newest: Statement) -> None:
    """Stop whoever may not state this incident anew.

    Args:
        who: needs `incidents.record`, and to have recorded it or to see all of its partner's.
        newest: its newest statement, with its incident and study.
    Raises:
        NotAllowedError: they may not.
    """
    incident = newest.incident
    check_permission(who, "incidents.record", incident.study, newest.partner_id)
    sees = reach(who, "incidents.see", incident.study).covers(newest.partner_id)
    if incident.recorded_by != who.actor and not sees:
        raise NotAllowedError("what somebody else recorded is corrected by whoever may see all incidents")


def _held(who: Acting, incident: Incident, seen: int) -> Statement:
    """The newest statement, its incident's row held until the transaction ends."""
    held = Incident.objects.select_for_update().get(pk=incident.pk)
    rows = held.statements.select_related("incident__study", "participant__partner", "partner", "text")
    newest: Statement = rows.get(number=held.newest)
    check_changing(who, newest)
    if held.newest != seen:
        message = "somebody has changed this incident since you opened it; look at it again"
        raise InputError(Problem(incident.study.name, "incident", message))
    return newest


def _restated(
    who: Acting, verb: str, newest: Statement, columns: Mapping[str, object], texts: Texts
) -> Statement:
    number = newest.number + 1
    further = Statement(incident=newest.incident, number=number, actor=who.actor, at=now(), **columns)
    _store(verb, further, texts)
    Incident.objects.filter(pk=newest.incident_id).update(newest=number)
    return further


def _store(verb: str, statement: Statement, texts: Texts) -> None:
    """A statement, its texts and its entry in the record, inside the transaction of the verb."""
    if statement.participant is not None:
        _check_there(statement.participant)
    statement.save(force_insert=True)
    kept, digests = sealed_texts(statement, texts)
    kept.save(force_insert=True)
    record(statement.incident.study.name, statement.actor, verb, {**said_of(statement), **digests})


def _columns(stated: Stated, named: Whom) -> dict[str, object]:
    chosen = {name: getattr(stated, name) for name in (*LISTED, *DAYS)}
    return {**chosen, "participant": named.participant, "partner": named.partner}


def _check(problems: Sequence[Problem]) -> None:
    if problems:
        raise InputError(problems)


def _the_same(who: Acting, study: Study, there: Incident) -> Incident:
    if (there.study_id, there.recorded_by) != (study.pk, who.actor):
        message = "was sent before by somebody else; open the form again"
        raise InputError(Problem(study.name, "incident", message))
    return there


def _faults_of_code(study: Study, code: str) -> list[Problem]:
    if not code or _CODE.fullmatch(code):
        return []
    return [Problem(study.name, "incident", "was not opened here; open the form again")]


def _check_state(newest: Statement, *, closed: bool) -> None:
    if newest.closed != closed:
        message = "is open and can be closed" if closed else "is closed; open it again first"
        raise InputError(Problem(newest.incident.study.name, newest.incident.code, message))


def _check_there(participant: Participant) -> None:
    """Somebody who erases meanwhile is not written of; their row is held, so that one waits for the other."""
    held = Participant.objects.select_for_update().get(pk=participant.pk)
    if held.state == "erased":
        raise InputError(Problem(participant.study.name, "named", NOBODY))
