"""What a service can be allowed: each scope stands for verbs of the table of permissions, and no others."""

from collections.abc import Iterable

from equipoise.errors import InputError, Problem, nearest

__all__ = ["ROLE", "SCOPES", "WHOLE_STUDY", "check_scopes", "verbs_of"]

# A scope never allows more than this role has: what the table takes from the role, it takes from services.
ROLE = "data-manager"
SCOPES: dict[str, tuple[str, frozenset[str]]] = {
    "study:read": ("See the study's state, its waves and versions", frozenset({"study.see"})),
    "counts:read": ("See how many answered", frozenset({"surveys.response"})),
    "rosters:write": ("Send rosters", frozenset({"people.import", "people.update"})),
    "frames:read": ("Make and fetch the data, masked as for staff", frozenset({"data.export"})),
}
WHOLE_STUDY = frozenset({"frames:read"})  # a frame has everybody in it, so no one partner's service gets it


def check_scopes(scopes: Iterable[str], *, for_partner: bool) -> list[str]:
    """The scopes, each once and in the table's order.

    Args:
        scopes: by name.
        for_partner: whether the service is for one partner's people only.
    Raises:
        InputError: there is none, one is unknown, or one is not for a partner.
    """
    asked = set(scopes)
    if unknown := sorted(asked - SCOPES.keys()):
        listed = nearest(unknown[0], list(SCOPES))
        raise InputError(Problem("", "scopes", f'"{unknown[0]}" is not a scope. Scopes: {listed}'))
    if not asked:
        raise InputError(Problem("", "scopes", f"choose one or more of {', '.join(SCOPES)}"))
    if for_partner and (whole := sorted(asked & WHOLE_STUDY)):
        message = f"{', '.join(whole)} reaches everybody of the study; leave it or the partner out"
        raise InputError(Problem("", "scopes", message))
    return [scope for scope in SCOPES if scope in asked]


def verbs_of(scopes: Iterable[str]) -> frozenset[str]:
    """The verbs that scopes stand for; none for one that is no longer in the table."""
    return frozenset().union(*(SCOPES[scope][1] for scope in scopes if scope in SCOPES))
