"""What the design can show: a study's data simulated from its assumptions, with an effect planted."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from equipoise.diagnosis.simulated.people import invent_participants
    from equipoise.diagnosis.simulated.simulate import Simulated, simulate_study
    from equipoise.diagnosis.simulated.writing import write_simulated

__all__ = ["Simulated", "invent_participants", "simulate_study", "write_simulated"]

_WHERE = {
    "Simulated": "simulated.simulate",
    "invent_participants": "simulated.people",
    "simulate_study": "simulated.simulate",
    "write_simulated": "simulated.writing",
}


def __getattr__(name: str) -> object:
    # Simulation needs scipy, which takes most of a second to import: writing a table does not.
    if name in _WHERE:
        return getattr(import_module(f"equipoise.diagnosis.{_WHERE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
