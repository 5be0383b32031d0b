"""What goes with a study's move from one state to the next, and with an amendment, in the same transaction.

Apps above this one say what has to be done by `follows_moves` and `follows_amendments`, so that every way to
launch or amend a study does it.
"""

from collections.abc import Callable

from equipoise.platform.permissions import Acting
from equipoise.platform.registry.models import Study
from equipoise.protocol import Study as StudyFolder

__all__ = ["follow_amendment", "follow_move", "follows_amendments", "follows_moves"]

Move = Callable[[Acting, Study, str], object]
Amendment = Callable[[Acting, Study, StudyFolder], object]
_moves: list[Move] = []
_amendments: list[Amendment] = []


def follows_moves(act: Move) -> Move:
    """Add to what is done when a study's state has changed; it is told who, the study and its old state."""
    _moves.append(act)
    return act


def follows_amendments(act: Amendment) -> Amendment:
    """Add to what is done when an amendment comes into force; it is told who, the study, its new folder."""
    _amendments.append(act)
    return act


def follow_move(who: Acting, study: Study, was: str) -> None:
    """Do what goes with a move that was just stored."""
    for act in _moves:
        act(who, study, was)


def follow_amendment(who: Acting, study: Study, loaded: StudyFolder) -> None:
    """Do what goes with an amendment that was just stored."""
    for act in _amendments:
        act(who, study, loaded)
