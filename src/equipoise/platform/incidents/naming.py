"""Whom an incident happened to: somebody who takes part, or nobody in particular of a partner's people."""

from dataclasses import dataclass

from django.db.models import Q

from equipoise.errors import Problem
from equipoise.platform.incidents.stated import Stated
from equipoise.platform.people.contacts import find_by_contact, identifier_digest
from equipoise.platform.people.models import Participant
from equipoise.platform.permissions import Acting, Reach, check_permission, reach
from equipoise.platform.registry.models import Partner, Study
from equipoise.platform.registry.queries import partners, roster_columns

__all__ = ["NOBODY", "Whom", "find_participants", "whom"]

NOBODY = "nobody is found by this; leave it empty where it happened to nobody who takes part"


@dataclass(frozen=True)
class Whom:
    """The participant who is named, if any, and whose people it concerns, if anybody's in particular."""

    participant: Participant | None = None
    partner: Partner | None = None

    @property
    def partner_id(self) -> int | None:
        """For permissions."""
        return None if self.partner is None else self.partner.pk


def whom(who: Acting, study: Study, stated: Stated) -> tuple[Whom, list[Problem]]:
    """Whom somebody means, among those of whom they may record an incident, and what is wrong with it.

    Args:
        who: needs `incidents.record`.
        study: in which.
        stated: names a participant, a partner, or nobody.
    Raises:
        NotAllowedError: they may record incidents of nobody.
    """
    if not (mine := reach(who, "incidents.record", study)):
        check_permission(who, "incidents.record", study)
    if not stated.named.strip():
        return _of_nobody(mine, study, stated.partner)
    found = find_participants(who, study, stated.named)
    if len(found) == 1:
        return Whom(found[0], found[0].partner), []
    several = "several people are found by this; use the code of the one who is meant"
    return Whom(), [Problem(study.name, "named", several if found else NOBODY)]


def find_participants(who: Acting, study: Study, text: str) -> list[Participant]:
    """Those whom a text can mean, of whom somebody may record an incident.

    Everybody who records knows people by their codes. Identifiers find somebody for those who see people;
    e-mail addresses and telephone numbers, which only those who still take part have, for those who may know
    who takes part. Whoever had everything erased is not found.

    Args:
        who: needs `incidents.record`.
        study: of this workspace.
        text: a code, an identifier, an e-mail address or a telephone number.
    """
    text = text.strip()[:320]
    mine = reach(who, "incidents.record", study)
    sees, knows = reach(who, "people.see", study), reach(who, "people.participation", study)
    known = Participant.objects.filter(study=study).exclude(state="erased").select_related("partner")
    found = {each.pk: each for each in mine.narrow(known.filter(key=text.lower()))}
    if sees:
        rows = sees.narrow(mine.narrow(known.filter(_identified(study, text)))).distinct()[:20]
        found |= {each.pk: each for each in rows}
    if knows:
        for each in find_by_contact(study, text):
            if mine.covers(each.partner_id) and knows.covers(each.partner_id):
                found.setdefault(each.pk, each)
    return list(found.values())


def _of_nobody(mine: Reach, study: Study, name: str) -> tuple[Whom, list[Problem]]:
    allowed = [each for each in partners(study) if mine.covers(each.pk)]
    if not name and mine.everybody:
        return Whom(), []
    if not name and len(allowed) == 1:
        return Whom(None, allowed[0]), []
    chosen = next((each for each in allowed if each.name == name), None)
    if chosen is None:
        listed = ", ".join(each.name for each in allowed)
        return Whom(), [Problem(study.name, "partner", f"say whose people it concerns: {listed}")]
    return Whom(None, chosen), []


def _identified(study: Study, text: str) -> Q:
    columns = [name for name, column in roster_columns(study).items() if column.role == "identifier"]
    digests = [identifier_digest(study, name, text) for name in columns]
    return Q(lookups__study=study, lookups__column__in=columns, lookups__digest__in=digests)
