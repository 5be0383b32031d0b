"""What may be said of an incident: its kinds, from the protocol, and fixed lists in everyday words."""

from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.recorded import FIELDWORK_EVENTS

__all__ = [
    "DISTRESS",
    "EXPECTED",
    "LISTS",
    "MISTAKE",
    "NOT_SERIOUS",
    "OTHER",
    "OUTCOMES",
    "RELATED",
    "SERIOUS",
    "WAYS",
    "counted_elsewhere",
    "kind_words",
    "kinds_of",
]

OTHER = "other"
DISTRESS = "distress"
NOT_SERIOUS = "no"
MISTAKE = "mistake"

WAYS = {
    "participant": "A participant told us",
    "staff": "Somebody on the study noticed it",
    "answer": "An answer in a survey or an interview",
    "partner": "The partner told us",
}
# The criteria that good clinical practice makes an event serious by (ICH E6 and E2A), in words of our own.
SERIOUS = {
    NOT_SERIOUS: "Not serious",
    "death": "Somebody died",
    "danger": "Somebody's life was in danger",
    "hospital": "Somebody had to go into hospital, or to stay there longer",
    "disability": "Somebody can lastingly do less than before",
    "birth": "A child was born with harm to their health",
    "other": "Somebody needed help quickly, so that none of these came about",
}
EXPECTED = {
    "yes": "Yes, the protocol or the information for participants speaks of it",
    "no": "No",
    "unsure": "It is not clear",
}
RELATED = {
    "no": "No, it would have happened anyway",
    "possibly": "Possibly",
    "likely": "Likely",
    "unsure": "It is not clear",
}
OUTCOMES = {
    "ongoing": "It still goes on",
    "resolved": "It is resolved",
    "unknown": "It is not known",
    MISTAKE: "It was logged by mistake or twice, and counts nowhere",
}
LISTS = {"way": WAYS, "serious": SERIOUS, "expected": EXPECTED, "related": RELATED, "outcome": OUTCOMES}


def kinds_of(study: Study) -> dict[str, str]:
    """The kinds that can be logged: the protocol's harms, its other events, and anything else.

    What fieldwork counts of itself (who stopped messages, left the employer, withdrew) is not among them:
    logged as well, it would count twice.
    """
    protocol = folder_of(study).protocol
    declared = dict.fromkeys((*protocol.harms, *protocol.events))
    logged = [name for name in declared if name not in (*FIELDWORK_EVENTS, OTHER)]
    return {name: kind_words(name) for name in (*logged, OTHER)}


def counted_elsewhere(study: Study) -> list[str]:
    """The harms of the protocol that are counted without anybody logging them, in words."""
    harms = folder_of(study).protocol.harms
    return [kind_words(name).lower() for name in harms if name in FIELDWORK_EVENTS]


def kind_words(name: str) -> str:
    """A kind in words; one that an amendment took out of the protocol is still readable.

    >>> kind_words("data_breach"), kind_words("other")
    ('Data breach', 'Something else')
    """
    return "Something else" if name == OTHER else name.replace("_", " ").capitalize()
