"""In which state what may be done: the four state tables of a study, the verbs that each state allows, and
the verbs that take two people."""

from equipoise.errors import InputError, Problem

__all__ = [
    "RESULTS_ALLOW",
    "RESULTS_MOVES",
    "STAGE_MOVES",
    "STUDY_ALLOWS",
    "STUDY_MOVES",
    "TWO_PEOPLE",
    "WAVE_STATES",
    "check_move",
    "check_results_state",
    "check_state",
    "check_two_people",
    "moves_from",
]

# state -> {next state: the verb whose permission the move needs}. A draft never enters a workspace.
STUDY_MOVES: dict[str, dict[str, str]] = {
    "draft": {"locked": "study.add"},
    "locked": {"live": "study.launch"},
    "live": {"paused": "study.pause", "closed": "study.close"},
    "paused": {"live": "study.pause", "closed": "study.close"},
    "closed": {"published": "study.publish"},
    "published": {},
}
STAGE_MOVES: dict[str, dict[str, str]] = {
    "planned": {"committed": "allocation.commit"},
    "committed": {"drawn": "allocation.draw"},
    "drawn": {},
}
RESULTS_MOVES: dict[str, dict[str, str]] = {
    "masked": {"sealed": "results.seal"},
    "sealed": {"unmasked": "results.unmask"},
    "unmasked": {},
}
WAVE_STATES = ("planned", "open", "closed")  # follow from the wave's times and the study's state alone

# verb -> the states of the study in which it may be done
STUDY_ALLOWS: dict[str, frozenset[str]] = {
    "people.import": frozenset({"locked", "live", "paused"}),
    "people.update": frozenset({"locked", "live", "paused", "closed"}),
    "allocation.commit": frozenset({"locked", "live"}),
    "allocation.draw": frozenset({"live"}),
    "surveys.links": frozenset({"live", "paused"}),
    "surveys.enter": frozenset({"live"}),
    "surveys.answer": frozenset({"live"}),
    "messages.confirm": frozenset({"locked", "live", "paused"}),
    "messages.send": frozenset({"live"}),
    "messages.files": frozenset({"live", "paused", "closed"}),
    "extracts.import": frozenset({"locked", "live", "paused", "closed"}),
    "results.seal": frozenset({"closed", "published"}),
    "results.unmask": frozenset({"closed", "published"}),
    "study.amend": frozenset({"locked", "live", "paused", "closed"}),
}

# What staff never do alone: one asks for it, another approves it.
TWO_PEOPLE = frozenset({"results.unmask", "data.identify", "people.erase"})

# verb -> the states of the results in which it may be done
RESULTS_ALLOW: dict[str, frozenset[str]] = {
    "data.review": frozenset({"masked"}),
    "extracts.import": frozenset({"masked"}),  # once sealed, the data no longer change
}


def moves_from(table: dict[str, dict[str, str]], state: str) -> dict[str, str]:
    """The states that may follow, each with its verb."""
    return table[state]


def check_move(table: dict[str, dict[str, str]], state: str, wanted: str, *, of: str) -> str:
    """The verb that a move needs.

    Raises:
        InputError: the move is not in the table; says which are.
    """
    allowed = table[state]
    if wanted not in allowed:
        after = ", ".join(allowed) or "nothing"
        raise InputError(
            Problem(of, "", f"is {state} and cannot become {wanted}; after {state} comes {after}")
        )
    return allowed[wanted]


def check_state(verb: str, state: str, *, of: str) -> None:
    """Stop what the study's state does not allow.

    Raises:
        InputError: names the state and those in which it could be done.
    """
    allowed = STUDY_ALLOWS[verb]
    if state not in allowed:
        wanted = " or ".join(name for name in STUDY_MOVES if name in allowed)
        raise InputError(Problem(of, "", f"is {state}; {verb} can be done while it is {wanted}"))


def check_results_state(verb: str, state: str, *, of: str) -> None:
    """Stop what the state of the results does not allow.

    Raises:
        InputError: names the state and those in which it could be done.
    """
    allowed = RESULTS_ALLOW[verb]
    if state not in allowed:
        wanted = " or ".join(name for name in RESULTS_MOVES if name in allowed)
        message = f"the results are {state}; {verb} can be done while they are {wanted}"
        raise InputError(Problem(of, "", message))


def check_two_people(verb: str, asked_by: str, approved_by: str, *, of: str) -> None:
    """Stop what one person would do alone that takes two.

    Raises:
        InputError: nobody has approved it, or nobody else than who asked; says where to ask.
    """
    if verb in TWO_PEOPLE and approved_by in ("", asked_by):
        message = f"{verb} takes two people: one asks for it, and another approves it on the page Approvals"
        raise InputError(Problem(of, "", message))
