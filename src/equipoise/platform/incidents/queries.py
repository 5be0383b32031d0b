"""Reading the log: who sees which incidents, how many there are, which have waited too long."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, F, Q, QuerySet

from equipoise.platform.incidents.choices import DISTRESS, MISTAKE, NOT_SERIOUS, kinds_of
from equipoise.platform.incidents.models import Statement
from equipoise.platform.incidents.stated import today_of
from equipoise.platform.permissions import Acting, Reach, reach
from equipoise.platform.registry.models import Study

__all__ = [
    "WAITS_DAYS",
    "KindCount",
    "Waiting",
    "counts",
    "history",
    "newest_statements",
    "statement_of",
    "visible",
    "waiting",
]

# How many days an incident may be open since it was learnt of before the overview asks for it. The serious
# ones are those that good clinical practice wants reported within a day.
WAITS_DAYS = {"serious": 1, DISTRESS: 3}


@dataclass(frozen=True)
class KindCount:
    """How often something was logged.

    Attributes:
        incidents: all of the kind, whoever was named and has erased since included.
        people: participants to whom it happened, each once.
        serious: of the incidents, the serious ones.
    """

    incidents: int = 0
    people: int = 0
    serious: int = 0


@dataclass(frozen=True)
class Waiting:
    """Open incidents that somebody should look at today."""

    serious: int
    distress: int


def newest_statements(study: Study) -> "QuerySet[Statement]":
    """The statement that counts of each incident of a study, as a query."""
    return Statement.objects.filter(incident__study=study, number=F("incident__newest"))


def visible(who: Acting, study: Study) -> "QuerySet[Statement]":
    """The newest statements that somebody may read, as a query.

    Whoever may see incidents sees those of everybody, or of the people of their partners. Whoever may only
    record them sees what they themselves recorded.
    """
    rows = newest_statements(study)
    seen, written = reach(who, "incidents.see", study), reach(who, "incidents.record", study)
    if seen.everybody:
        return rows
    mine = Q(incident__recorded_by=who.actor)
    return rows.filter(_of(seen) | (mine & _of(written)))


def statement_of(who: Acting, study: Study, code: str) -> Statement | None:
    """The newest statement of an incident; None where there is none that somebody may read."""
    rows = visible(who, study).select_related("incident__study", "participant", "partner", "text")
    return rows.filter(incident__code=code).first()


def history(statement: Statement) -> list[Statement]:
    """Every statement of the incident that this one is of, newest first."""
    rows = Statement.objects.filter(incident=statement.incident_id).order_by("-number")
    return list(rows.select_related("incident__study", "participant", "partner", "text"))


def counts(study: Study) -> dict[str, KindCount]:
    """How often each kind was logged: those that the protocol names, and those that it named once.

    What was logged by mistake counts nowhere.
    """
    found = {kind: KindCount() for kind in kinds_of(study)}
    rows = newest_statements(study).exclude(outcome=MISTAKE).values_list("kind").order_by("kind")
    counted = rows.annotate(
        number=Count("pk"),
        people=Count("participant", distinct=True),
        of_serious=Count("pk", filter=~Q(serious=NOT_SERIOUS)),
    )
    return found | {kind: KindCount(*numbers) for kind, *numbers in counted}


def waiting(who: Acting, studies: Iterable[Study]) -> dict[int, Waiting]:
    """Open incidents, of those that somebody sees, which have waited longer than they should.

    Args:
        who: whose look it is.
        studies: one or several; those in which nothing of the kind is open cost one question together.
    Returns:
        By the number of the study, where there are any.
    """
    grave = ~Q(serious=NOT_SERIOUS)
    rows = Statement.objects.filter(incident__study__in=list(studies), number=F("incident__newest"))
    concerned = rows.filter(grave | Q(kind=DISTRESS), closed=False).values("incident__study")
    found = {study.pk: _waiting(who, study) for study in Study.objects.filter(pk__in=concerned)}
    return {study: each for study, each in found.items() if each.serious or each.distress}


def _waiting(who: Acting, study: Study) -> Waiting:
    today, grave = today_of(study), ~Q(serious=NOT_SERIOUS)
    due = {name: Q(learnt_on__lte=today - timedelta(days=days)) for name, days in WAITS_DAYS.items()}
    found = (
        visible(who, study)
        .filter(closed=False)
        .aggregate(
            of_serious=Count("pk", filter=grave & due["serious"]),
            of_distress=Count("pk", filter=~grave & Q(kind=DISTRESS) & due[DISTRESS]),
        )
    )
    return Waiting(found["of_serious"], found["of_distress"])


def _of(reached: Reach) -> Q:
    return Q() if reached.everybody else Q(partner__in=sorted(reached.partners))
