"""Reading people: what they agreed to, what is known of them, how the numbers add up."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from equipoise.platform.kept import KeptQuery
from equipoise.platform.people.contacts import contact_of, find_by_contact
from equipoise.platform.people.facts import facts_of
from equipoise.platform.people.models import Consent, Participant, RosterImport
from equipoise.platform.people.records import person_record
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of

__all__ = [
    "Counts",
    "consents_of",
    "contact_of",
    "facts_of",
    "find_by_contact",
    "newest_consents",
    "person_record",
    "reconcile",
]

_CONSENTS: KeptQuery[Consent] = KeptQuery(
    lambda participant: Consent.objects.filter(participant_id=participant).order_by("pk"), -1
)


@dataclass(frozen=True)
class Counts:
    """Where everybody of a study is, from the rows that were read to those who take part.

    Everybody who was ever enrolled is in exactly one state: imported or came = enrolled + screening +
    withdrawn + erased + not eligible after screening. An import that was undone counts nowhere.

    Attributes:
        imported: brought by imports and updates.
        came: by an open link, or enrolled one by one.
        ineligible: on a roster and not enrolled, by the protocol's condition.
        unknown: on a roster and not enrolled, because it cannot be told.
        late: on a roster after enrolment had ended.
        kept_out: on a roster again after they had left.
        refused: rows left out because of a problem.
        enrolled: take part now.
        screening: came and have not answered enough yet to tell whether they may take part.
        screened_out: came and may not take part.
        withdrawn: left the study.
        erased: left it and had everything erased.
        left: of those enrolled, who left their employer.
        messages_stopped: of those enrolled, who want no messages.
    """

    imported: int
    came: int
    ineligible: int
    unknown: int
    late: int
    kept_out: int
    refused: int
    enrolled: int
    screening: int
    screened_out: int
    withdrawn: int
    erased: int
    left: int
    messages_stopped: int

    @property
    def adds_up(self) -> bool:
        """Whether everybody who came in is accounted for."""
        states = self.enrolled + self.screening + self.screened_out + self.withdrawn + self.erased
        return self.imported + self.came == states


def reconcile(study: Study) -> Counts:
    """Count everybody of a study; five queries, however many people there are."""
    told: Counter[str] = Counter()
    stands = RosterImport.objects.filter(study=study, undone_at=None)
    for counts in stands.values_list("counts", flat=True):
        told.update(counts)
    people = Participant.objects.filter(study=study)
    states = dict(people.values_list("state").annotate(count=Count("pk")))
    takes_part = people.filter(state="enrolled")
    return Counts(
        imported=told["new"],
        came=people.filter(imported=None).count(),
        ineligible=told["ineligible"],
        unknown=told["unknown"],
        late=told["late"],
        kept_out=told["kept_out"],
        refused=told["refused"],
        enrolled=states.get("enrolled", 0),
        screening=states.get("screening", 0),
        screened_out=states.get("ineligible", 0),
        withdrawn=states.get("withdrawn", 0),
        erased=states.get("erased", 0),
        left=takes_part.filter(left_at__isnull=False).count(),
        messages_stopped=takes_part.filter(messages_stopped_at__isnull=False).count(),
    )


def consents_of(participant: Participant) -> Mapping[str, bool]:
    """What may be done with a participant now, by activity of the protocol.

    The newest answer counts. Without one, what the protocol makes an opt-out or says needs none may be done,
    and an opt-in may not. Nothing may be done with somebody who has left, and nothing sent to somebody who
    stopped messages.

    Args:
        participant: with their study.
    """
    declared = folder_of(participant.study).protocol.participants
    rules = declared.consent if declared else {}
    if participant.state not in ("screening", "enrolled"):
        return dict.fromkeys(rules, False)
    given: dict[str, bool] = {activity: rule != "opt-in" for activity, rule in rules.items()}
    given |= {name: row.given for name, row in newest_consents(participant).items() if name in rules}
    if participant.messages_stopped_at is not None and "messages" in given:
        given["messages"] = False
    return given


def newest_consents(participant: Participant) -> dict[str, Consent]:
    """The answer that counts to each activity that was ever asked: the last one stored."""
    return {row.activity: row for row in _CONSENTS.all(participant.pk)}
