"""Who may do what: a table of verb by role. Whether the study's state allows it is for `policies`.

`check_permission` raises and `can` answers, so that a page, its buttons and the action behind it cannot
disagree.
"""

from typing import Protocol

from equipoise.errors import EquipoiseError

__all__ = ["PERMISSIONS", "ROLES", "NotAllowedError", "can", "check_permission"]

ROLES = {
    "administrator": "Keeps the workspace: staff, studies in and out; sees no participant and no answer",
    "lead": "Leads the study: everything but what is concealed from everybody",
}

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
        "study.see": "administrator lead",
        "study.roles": "administrator lead",
        "study.amend": "lead",
        "study.launch": "lead",
        "study.pause": "lead",
        "study.close": "lead",
        "study.publish": "lead",
        "people.import": "lead",
        "people.see": "lead",
        "people.update": "lead",
        "people.withdraw": "lead",
        "people.erase": "lead",
        "people.report": "lead",
        "allocation.see": "lead",
        "allocation.commit": "lead",
        "allocation.draw": "lead",
        "surveys.preview": "lead",
        "surveys.response": "lead",
        "surveys.links": "lead",
        "surveys.enter": "lead",
        "data.export": "lead",
        "results.seal": "lead",
        "results.unmask": "lead",
        "audit.see": "administrator lead",
    }.items()
}


class NotAllowedError(EquipoiseError):
    """Somebody asked for what their role does not allow; the page answers 403."""


class Acting(Protocol):
    """Who acts: a member of staff, or the command line on behalf of whoever owns the workspace's files."""

    @property
    def actor(self) -> str:
        """How the record names them."""

    def roles_in(self, study_id: int | None) -> frozenset[str]:
        """Their roles in a study; those of the workspace where there is none."""


def can(who: Acting, verb: str, study_id: int | None = None) -> bool:
    """Whether somebody may do this.

    Raises:
        KeyError: no such verb; a verb that the table does not list is a fault of ours.
    """
    return bool(PERMISSIONS[verb] & who.roles_in(study_id))


def check_permission(who: Acting, verb: str, study_id: int | None = None) -> None:
    """Stop whoever may not do this.

    Raises:
        NotAllowedError: names the verb and the roles that may, never the study.
    """
    if not can(who, verb, study_id):
        roles = " or ".join(sorted(PERMISSIONS[verb]))
        raise NotAllowedError(f"{verb} needs the role of {roles} in this study")
