"""What a study still lacks before it can go live: the set-up checklist, and the refusal of a launch.

Apps above this one add what they know of by `adds_conditions`, so that the page, the launch and the command
line look at the same list.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.conf import settings

from equipoise.errors import Problem
from equipoise.platform.registry.models import Study
from equipoise.platform.registry.queries import folder_of
from equipoise.protocol.privacy import missing_privacy

__all__ = ["Condition", "adds_conditions", "conditions", "readiness"]


@dataclass(frozen=True)
class Condition:
    """One line of the checklist.

    Attributes:
        name: for pages, to lead to where it is done.
        title: what it is about, in words.
        problem: what is missing; None where it is met.
        needed: a launch waits for it; otherwise it can follow.
    """

    name: str
    title: str
    problem: Problem | None
    needed: bool = True


Conditions = Callable[[Study], Iterable[Condition]]
_further: list[Conditions] = []


def adds_conditions(check: Conditions) -> Conditions:
    """Add to the checklist of every study."""
    _further.append(check)
    return check


def conditions(study: Study) -> list[Condition]:
    """The whole checklist in a fixed order."""
    return [*_conditions(study), *(each for check in _further for each in check(study))]


def readiness(study: Study) -> list[Problem]:
    """Everything that keeps the study from going live."""
    return [each.problem for each in conditions(study) if each.needed and each.problem is not None]


def _conditions(study: Study) -> Iterator[Condition]:
    loaded = folder_of(study)
    protocol = loaded.protocol
    registration = loaded.registration
    lacking = None
    if registration is None:
        lacking = Problem(study.name, "", "is not locked; lock it with `equipoise lock STUDY`")
    yield Condition("locked", "The protocol is locked", lacking)
    blanks = tuple(missing_privacy(loaded))
    title = "The privacy notice has no blanks"
    yield from (Condition("privacy", title, problem) for problem in blanks or (None,))
    unsupported = protocol.support is None or not protocol.support.contacts
    message = "nobody is named whom a participant can turn to; add a contact"
    yield Condition(
        "support",
        "Participants know whom to turn to",
        Problem(study.name, "support.contacts", message) if unsupported else None,
    )
    message = "is empty; every page names whom a participant can ask"
    yield Condition(
        "contact",
        "The study has a contact",
        Problem(study.name, "study.contact", message) if protocol.study.contact is None else None,
    )
    if settings.WORKSPACE.live:
        message = "the study says that it is synthetic, so it can only be rehearsed"
        yield Condition(
            "synthetic",
            "The study is meant for real people",
            Problem(study.name, "study.synthetic", message) if protocol.study.synthetic else None,
        )
