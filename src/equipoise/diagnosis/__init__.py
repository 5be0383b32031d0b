"""What the design can show: a study's data simulated from its assumptions, with an effect planted."""

from equipoise.diagnosis.people import invent_participants
from equipoise.diagnosis.simulate import Simulated, simulate_study
from equipoise.diagnosis.writing import write_simulated

__all__ = ["Simulated", "invent_participants", "simulate_study", "write_simulated"]
