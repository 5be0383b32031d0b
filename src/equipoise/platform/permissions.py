"""Who may do what: a table of verb by role. Whether the study's state allows it is for `policies`.

`check_permission` raises and `can` answers, so that a page, its buttons and the action behind it cannot
disagree. A role is held in the whole workspace, in a programme, in a study, or in a study for the people of
one partner. Whoever holds a masked role in a study is denied what would show them the arms, whatever other
role they hold, until the results are unmasked.
"""

from dataclasses import dataclass
from typing import Any, Protocol

from equipoise.errors import EquipoiseError

__all__ = [
    "EVERYBODY",
    "MASKED_ROLES",
    "PERMISSIONS",
    "REVEALING",
    "ROLES",
    "Acting",
    "Grant",
    "InStudy",
    "NotAllowedError",
    "Reach",
    "can",
    "check_permission",
    "reach",
]

ROLES = {
    "administrator": "Keeps the workspace: staff, studies in and out; sees no participant and no answer",
    "lead": "Leads the study: everything but what is concealed from everybody",
    "data-manager": "Keeps rosters, people, links and data in order",
    "coordinator": "Looks after the people of a partner; never learns who has answered",
    "analyst": "Reviews and analyses the data without knowing the arms",
    "interviewer": "Speaks with participants, and reports what comes up",
    "coder": "Codes what people said without knowing the arms",
    "auditor": "Reads the record and what was decided; sees no contact details and no answers",
}
MASKED_ROLES = frozenset({"analyst", "coder"})

# Verbs of the workspace have no study; all others are asked of one study.
PERMISSIONS: dict[str, frozenset[str]] = {
    verb: frozenset(roles.split())
    for verb, roles in {
        "workspace.staff": "administrator",
        "workspace.keys": "administrator",
        "workspace.backup": "administrator",
        "workspace.release": "administrator",
        "workspace.programmes": "administrator",
        "study.add": "administrator lead",
        "study.see": "administrator lead data-manager coordinator analyst interviewer coder auditor",
        "study.roles": "administrator lead",
        "study.amend": "lead",
        "study.launch": "lead",
        "study.pause": "lead data-manager",
        "study.close": "lead",
        "study.publish": "lead",
        "people.import": "lead data-manager coordinator",
        "people.see": "lead data-manager coordinator",
        "people.participation": "lead data-manager",  # whether somebody takes part, answers, agreed to what
        "people.contact": "lead data-manager coordinator",
        "people.update": "lead data-manager coordinator",
        "people.withdraw": "lead data-manager",
        "people.erase": "lead data-manager",
        "people.report": "lead data-manager",
        "allocation.see": "lead data-manager auditor",
        "allocation.commit": "lead",
        "allocation.draw": "lead",
        "surveys.preview": "lead data-manager analyst auditor",
        "surveys.response": "lead data-manager coordinator analyst auditor",
        "surveys.links": "lead data-manager",
        "surveys.enter": "lead data-manager",
        "messages.calendar": "lead data-manager auditor",  # what goes to how many, and what became of it
        "messages.preview": "lead data-manager auditor",
        "messages.confirm": "lead",  # let a new or changed contact go out; end data collection's messages
        "messages.send": "lead data-manager",  # now, again, or not at all; settle what nobody knows
        "messages.files": "lead data-manager",  # for a partner or the post, and what came back of it
        "incidents.log": "lead data-manager coordinator interviewer auditor",  # open it; see their part of it
        "incidents.see": "lead data-manager auditor",
        "incidents.record": "lead data-manager coordinator interviewer",
        "extracts.import": "lead data-manager",
        "data.export": "lead data-manager analyst",
        "data.identify": "lead data-manager",
        "data.review": "lead data-manager analyst",
        "data.delete": "lead data-manager",
        "results.seal": "lead data-manager analyst",
        "results.unmask": "lead",
        "approvals.see": "lead data-manager auditor",
        "approvals.decide": "lead data-manager auditor",
        "approvals.reveal": "lead data-manager auditor",  # decide of what shows the arms
        "services.keep": "lead data-manager",
        "audit.see": "administrator lead data-manager auditor",
    }.items()
}

# What shows, or lets somebody work out, who is in which arm.
REVEALING = frozenset(
    {
        "allocation.see",
        "allocation.commit",
        "allocation.draw",
        "approvals.reveal",
        "messages.calendar",
        "messages.confirm",
        "messages.files",
        "messages.send",
        "people.report",
        "results.unmask",
    }
)


@dataclass(frozen=True)
class Grant:
    """A role as it holds in a study; `partner_id` where it holds for one partner's people only, `verbs` where
    it holds for some of the role's verbs only."""

    role: str
    partner_id: int | None = None
    verbs: frozenset[str] | None = None

    def leaves_out(self, verb: str) -> bool:
        """Whether the role is held without this verb."""
        return self.verbs is not None and verb not in self.verbs


class InStudy(Protocol):
    """A study, as far as permissions need to know it."""

    pk: int
    programme_id: int | None
    results: str


class Acting(Protocol):
    """Who acts: a member of staff, a service, or the command line on behalf of whoever owns the files."""

    @property
    def actor(self) -> str:
        """How the record names them."""

    def grants_in(self, study: InStudy | None) -> frozenset[Grant]:
        """What they hold in a study, what they hold everywhere included; only the latter without a study."""


class NotAllowedError(EquipoiseError):
    """Somebody asked for what their role does not allow; the page answers 403."""


@dataclass(frozen=True)
class Reach:
    """Whose people a verb reaches: everybody's, those of some partners, or nobody's (then it is false)."""

    everybody: bool
    partners: frozenset[int] = frozenset()

    def __bool__(self) -> bool:
        return self.everybody or bool(self.partners)

    def covers(self, partner_id: int | None) -> bool:
        """Whether somebody of this partner is reached; of no partner, only where everybody is."""
        return self.everybody or partner_id in self.partners

    def narrow(self, rows: Any, field: str = "partner_id") -> Any:
        """A query of people, or of what belongs to them, without those who are not reached."""
        return rows if self.everybody else rows.filter(**{f"{field}__in": sorted(self.partners)})


EVERYBODY = Reach(everybody=True)


def reach(who: Acting, verb: str, study: InStudy | None = None) -> Reach:
    """Whose people somebody may do this to.

    Raises:
        KeyError: no such verb; a verb that the table does not list is a fault of ours.
    """
    allowed = PERMISSIONS[verb]
    held = who.grants_in(study)
    masked = verb in REVEALING and study is not None and study.results != "unmasked"
    if masked and any(grant.role in MASKED_ROLES for grant in held):
        return Reach(everybody=False)
    partners = {grant.partner_id for grant in held if grant.role in allowed and not grant.leaves_out(verb)}
    return Reach(None in partners, frozenset(each for each in partners if each is not None))


def can(who: Acting, verb: str, study: InStudy | None = None, partner_id: int | None = None) -> bool:
    """Whether somebody may do this.

    Args:
        who: whoever acts.
        verb: of `PERMISSIONS`.
        study: in which; None for the workspace.
        partner_id: of the person to whom it is done; None for what is done to the study as a whole.
    Raises:
        KeyError: no such verb.
    """
    return reach(who, verb, study).covers(partner_id)


def check_permission(
    who: Acting, verb: str, study: InStudy | None = None, partner_id: int | None = None
) -> None:
    """Stop whoever may not do this; see `can`.

    Raises:
        NotAllowedError: names the verb and the roles that may, never the study.
    """
    if not can(who, verb, study, partner_id):
        roles = " or ".join(sorted(PERMISSIONS[verb]))
        raise NotAllowedError(f"{verb} needs the role of {roles} in this study")
