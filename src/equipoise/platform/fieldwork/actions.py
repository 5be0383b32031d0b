"""What participants do in a survey, each in one transaction: start, send a page, end, leave the study."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Max

from equipoise.platform.audit.actions import hold, record
from equipoise.platform.audit.canonical import canonical
from equipoise.platform.clock import now
from equipoise.platform.database import writing
from equipoise.platform.fieldwork.journeys import Journey
from equipoise.platform.fieldwork.models import OpenLink, QuotaPlace, SealedSubmission, Session, Submission
from equipoise.platform.fieldwork.prepared import prepared
from equipoise.platform.fieldwork.sessions import SESSION_OF_WAVE, STATE_OF_SESSION
from equipoise.platform.fieldwork.tickets import FormKey
from equipoise.platform.incidents.actions import erase_incidents
from equipoise.platform.people.actions import record_consents, withdraw
from equipoise.platform.people.actions.newcomers import complete_arrival, facts_awaited, turn_away
from equipoise.platform.people.models import Participant
from equipoise.platform.registry.models import Study
from equipoise.protocol.journey import quotas_of, screened_out
from equipoise.protocol.presentation import presentation
from equipoise.protocol.questionnaire import Questionnaire, QuestionPage, Quota

__all__ = ["ERASED", "Sent", "agree", "decline", "leave_study", "send_page", "start_session"]

ERASED = "fieldwork.erase"
_CODE = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True)
class Sent:
    """What became of a page that was sent.

    Attributes:
        journey: as it stands now.
        state: of the session.
        message: what the participant is told where the survey ended early.
    """

    journey: Journey
    state: str
    message: str = ""


def start_session(
    participant: Participant,
    wave: str,
    *,
    language: str | None,
    via: OpenLink | None = None,
    channel: str = "web",
    entered_by: str = "",
) -> Session:
    """The participant's session of a wave: the one that there is, or a new one with its order drawn.

    Args:
        participant: with their study.
        wave: its name; the caller has looked whether it is open.
        language: the one chosen.
        via: the open link by which they came.
        channel: web, telephone or paper.
        entered_by: the member of staff who enters the answers.
    """
    study = participant.study
    ready = prepared(study, wave, language)
    asked = ready.questionnaire
    new = Session(
        participant=participant,
        study=study,
        partner_id=participant.partner_id,
        wave=wave,
        code="".join(secrets.choice(_CODE) for _ in range(10)),
        language=asked.language,
        version=study.version,
        wording=asked.wording_version,
        order=presentation(asked, bytes(study.order_key), participant.key).as_json(),
        channel=channel,
        entered_by=entered_by,
        via=via,
        started_at=now(),
    )
    with writing():
        Session.objects.bulk_create([new], ignore_conflicts=True)  # one participant has one session of a wave
        (session,) = SESSION_OF_WAVE.all(participant.pk, wave)
    session.participant = participant
    return session


def send_page(
    session: Session,
    journey: Journey,
    page: QuestionPage,
    answers: Mapping[str, Any],
    *,
    key: FormKey,
    whole: bool,
) -> Sent:
    """Store one page; the same page sent again with the same answers adds nothing.

    Args:
        session: with its participant and study; still started when it was read.
        journey: of the session.
        page: as it was shown.
        answers: by column, with the reasons why there is none (`..._why`).
        key: of the form.
        whole: the page is finished; False for one put aside to come back to.
    Returns:
        How things stand; a state other than `started` is the end. The state is that of the database: where
        somebody left or finished meanwhile, nothing is stored.
    """
    asked = page.asked
    values = {name: answers[name] for one in asked for name in one.columns if name in answers}
    reasons = {one.why: answers[one.why] for one in asked if one.why in answers}
    onward = journey.with_answers(page, values, reasons, whole=whole)
    said = {**values, **reasons}
    submission = Submission(
        session=session,
        key=_key(key, said, whole),
        page=page.id,
        answers=said,
        shown=_shown(journey.questionnaire, page, whole),
        seconds=round(max(0.0, time.time() - key.made), 1),
        channel=key.channel,
        at=now(),
    )
    with writing():
        state = _state(session)
        if state != "started":
            return Sent(journey, state)
        Submission.objects.bulk_create([submission], ignore_conflicts=True)
        _keep_consents(session, page, values, key)
        if not whole:
            return Sent(onward, "started")
        state, message = _outcome(session, onward, page)
        if state != "started":
            Session.objects.filter(pk=session.pk).update(state=state, ended_at=now())
    return Sent(onward, state, message)


def agree(session: Session, version: str) -> None:
    """The participant agreed to this version of the words; a session that was declined goes on."""
    with writing():
        Session.objects.filter(pk=session.pk, state__in=("started", "declined")).update(
            state="started", ended_at=None, consent=version
        )
    session.state, session.consent = "started", version


def decline(session: Session) -> None:
    """End a session that the participant did not agree to; they can think again while the wave is open."""
    with writing():
        Session.objects.filter(pk=session.pk, state__in=("started", "declined")).update(
            state="declined", ended_at=now(), consent=""
        )
    session.state, session.consent = "declined", ""


def leave_study(
    participant: Participant,
    choice: str,
    *,
    channel: str,
    actor: str,
    reason: str = "",
    approved_by: str = "",
) -> None:
    """Stop messages, stop everything, or erase: what the participant chose, at once.

    Erasing removes every answer, and what was written in the log of incidents; the digests under the seals
    stay, so that the record still verifies.

    Raises:
        InputError: as for `withdraw`.
    """
    with writing():
        if choice in ("everything", "erase"):
            Session.objects.filter(participant=participant, state="started").update(
                state="withdrawn", ended_at=now()
            )
        if choice == "erase":
            _erase_answers(participant, actor)
            erase_incidents(participant, actor)
        withdraw(participant, choice, channel=channel, actor=actor, reason=reason, approved_by=approved_by)


def _keep_consents(session: Session, page: QuestionPage, values: Mapping[str, Any], key: FormKey) -> None:
    """A question of consent inside a survey is an answer and an agreement, in the words that were asked."""
    said = {
        one.activity: values[one.key] == "yes"
        for one in page.asked
        if one.activity is not None and one.key in values
    }
    if said:
        record_consents(
            session.participant,
            said,
            version=session.wording,
            notice="",
            language=key.language,
            channel=key.channel,
            actor=key.entered_by or f"participant:{session.participant.key}",
        )


def _erase_answers(participant: Participant, actor: str) -> None:
    """Remove every answer; how many were under a seal is entered, so that the record still adds up."""
    hold(participant.study.name)  # so that none of them is sealed between here and the end
    rows = Submission.objects.filter(session__participant=participant)
    number = rows.count()
    sealed = SealedSubmission.objects.filter(submission_id__in=rows.values("pk")).update(erased=True)
    Session.objects.filter(participant=participant).delete()
    details = {"participant": participant.key, "submissions": number, "sealed": sealed}
    record(participant.study.name, actor, ERASED, details)


def _state(session: Session) -> str:
    """The session's state as it is now, its row held until the page is stored."""
    found = STATE_OF_SESSION.first(session.pk)
    if found is None or found[1] not in ("enrolled", "screening"):
        return "withdrawn"
    return str(found[0])


def _key(key: FormKey, said: Mapping[str, Any], whole: bool) -> str:
    """Of the form and of what it said: a page changed and sent again from a page kept by the browser
    counts."""
    return hashlib.sha256(f"{key.nonce}\0{whole}\0".encode() + canonical(said)).hexdigest()[:32]


def _shown(asked: Questionnaire, page: QuestionPage, whole: bool) -> dict[str, Any]:
    order = {
        "blocks": [block.id for block in page.blocks],
        "items": {block.id: [one.key for one in block.asked] for block in page.blocks if block.random_order},
        "choices": {
            one.key: [choice.code for choice in one.choices] for one in page.asked if one.random_order
        },
    }
    saw: dict[str, Any] = {"wording": asked.wording_version, "language": asked.language, "order": order}
    return saw if whole else {**saw, "partial": True}


def _outcome(session: Session, journey: Journey, page: QuestionPage) -> tuple[str, str]:
    """The session's next state, and what the participant is told of it."""
    rules, answers, facts = journey.prepared.rules, journey.answers, journey.facts
    rule = screened_out(page, rules, answers, facts)
    if rule is not None:
        turn_away(session.participant)
        return "screened-out", rule.message
    if session.participant.state == "screening" and not _arrived(session, journey):
        return "screened-out", ""
    if journey.questionnaire.quotas:
        full = _full_quota(session, quotas_of(journey.questionnaire, rules, answers, facts))
        if full is not None:
            return "quota-full", full.message
    return ("started", "") if journey.next_page is not None else ("complete", "")


def _arrived(session: Session, journey: Journey) -> bool:
    """Enrol whoever came by an open link once the pages that hold the roster's columns are behind them."""
    awaited = facts_awaited(session.participant.study)
    ahead = {asked.key for page in journey.pages if page.id not in journey.reached for asked in page.asked}
    return bool(awaited & ahead) or complete_arrival(session.participant, journey.answers)


def _full_quota(session: Session, quotas: tuple[Quota, ...]) -> Quota | None:
    """Take a place in each quota; the first that has none left, in which case no place is taken."""
    study = session.participant.study
    # Places are counted one session at a time; what refers to the study can be added meanwhile.
    Study.objects.select_for_update(no_key=True).get(pk=study.pk)
    places = QuotaPlace.objects.filter(study=study, wave=session.wave)
    mine = set(places.filter(session=session).values_list("quota", flat=True))
    wanted = [quota for quota in quotas if quota.name not in mine]
    taken = {
        quota.name: places.filter(quota=quota.name).aggregate(count=Count("pk"), last=Max("number"))
        for quota in wanted
    }
    full = next((quota for quota in wanted if taken[quota.name]["count"] >= quota.at_most), None)
    if full is not None:
        places.filter(session=session).delete()
        return full
    QuotaPlace.objects.bulk_create(
        QuotaPlace(
            study=study, wave=session.wave, quota=name, number=(so_far["last"] or 0) + 1, session=session
        )
        for name, so_far in taken.items()
    )
    return None
