"""Reading people: what they agreed to, what the roster says of them, how the numbers add up."""

from collections.abc import Mapping

from equipoise.platform.people.contacts import contact_of, find_by_contact
from equipoise.platform.people.facts import facts_of
from equipoise.platform.people.models import Consent, Participant
from equipoise.platform.registry.queries import folder_of

__all__ = ["consents_of", "contact_of", "facts_of", "find_by_contact", "newest_consents"]


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
    return {row.activity: row for row in Consent.objects.filter(participant=participant).order_by("pk")}
