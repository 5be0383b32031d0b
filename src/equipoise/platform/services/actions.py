"""Making and ending services."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from equipoise.errors import InputError, Problem
from equipoise.platform.audit.actions import record
from equipoise.platform.crypto import token, token_hash
from equipoise.platform.database import writing
from equipoise.platform.permissions import Acting, can, check_permission
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.services.models import Service
from equipoise.platform.services.scopes import check_scopes
from equipoise.platform.staff.models import StaffMember

__all__ = ["DAYS", "MOST_DAYS", "Made", "end_service", "make_service", "note_use"]

DAYS, MOST_DAYS = 90, 365
_BEGINS = "equipoise-"  # so that a token which lies where it should not is recognised
_SHOWN = 6  # of 32 letters: what is left has 130 bits


@dataclass(frozen=True)
class Made:
    """A service just made, with its token: the only time that it can be read."""

    service: Service
    token: str


def make_service(
    who: Acting,
    study: Study,
    name: str,
    scopes: Iterable[str],
    *,
    keeper: StaffMember | None = None,
    partner: Partner | None = None,
    days: int = DAYS,
) -> Made:
    """Let a program work in a study.

    Args:
        who: needs `services.keep`.
        study: the only one that it reaches.
        name: what it is for, in staff's words.
        scopes: of `SCOPES`.
        keeper: who answers for it; whoever makes it when left out.
        partner: whose people it is for; everybody's when left out.
        days: how long its token works.
    Raises:
        InputError: no name or one that another service has, a scope or a number of days that there is not,
            or nobody to keep it.
    """
    check_permission(who, "services.keep", study)
    kept_by = _checked_keeper(who if keeper is None else keeper, study)
    chosen = check_scopes(scopes, for_partner=partner is not None)
    named = _checked_name(name)
    if not 1 <= days <= MOST_DAYS:
        raise InputError(Problem("", "days", f"found {days}; a token works for 1 to {MOST_DAYS} days"))
    text, moment = token(), datetime.now(UTC)
    with writing():
        Study.objects.select_for_update(no_key=True).get(pk=study.pk)  # two who make one at once wait here
        working = Service.objects.filter(study=study, name=named, ended_at=None, expires_at__gt=moment)
        if working.exists():
            message = f'"{named}" works in this study already; end it first, or give another name'
            raise InputError(Problem("", "name", message))
        made = Service.objects.create(
            study=study,
            partner=partner,
            keeper=kept_by,
            name=named,
            scopes=chosen,
            token_hash=token_hash(_BEGINS + text),
            token_begins=_BEGINS + text[:_SHOWN],
            made_at=moment,
            expires_at=moment + timedelta(days=days),
        )
        record(study.name, who.actor, "services.make", _told(made))
    return Made(made, _BEGINS + text)


def end_service(who: Acting, service: Service) -> None:
    """End a service: its token works no more, from the next request on.

    Raises:
        InputError: it has been ended already.
    """
    check_permission(who, "services.keep", service.study)
    with writing():
        ended = Service.objects.filter(pk=service.pk, ended_at=None).update(ended_at=datetime.now(UTC))
        if not ended:
            raise InputError(Problem(service.actor, "", "has been ended already"))
        record(service.study.name, who.actor, "services.end", {"service": service.actor})


def note_use(service: Service) -> None:
    """Keep the day on which a service was last used, once a day."""
    today = datetime.now(UTC).date()
    if service.used_on != today:
        with writing():
            Service.objects.filter(pk=service.pk).update(used_on=today)


def _checked_keeper(keeper: object, study: Study) -> StaffMember:
    if not isinstance(keeper, StaffMember):
        raise InputError(Problem("", "keeper", "name the member of staff who answers for the service"))
    if not can(keeper, "services.keep", study):
        message = f"may not keep services in {study.name}; choose one of its leads or data managers"
        raise InputError(Problem("", "keeper", message))
    return keeper


def _checked_name(name: str) -> str:
    text = " ".join(name.split())
    if not text:
        raise InputError(Problem("", "name", "is empty; say what the service is for"))
    longest: int = Service._meta.get_field("name").max_length
    if len(text) > longest:
        raise InputError(Problem("", "name", f"has {len(text)} letters; at most {longest} are kept"))
    return text


def _told(made: Service) -> dict[str, object]:
    partner = {} if made.partner is None else {"partner": made.partner.name}
    return {
        "service": made.actor,
        "name": made.name,
        "scopes": made.scopes,
        "keeper": made.keeper.actor,
        "until": made.expires_at.date().isoformat(),
        **partner,
    }
