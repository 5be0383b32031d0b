"""The diagnosis of a study as one record: what is asked of it, computed in turn, and written as JSON."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from equipoise import __version__
from equipoise.diagnosis.performance import Performance
from equipoise.diagnosis.planning.advice import Advice, advise
from equipoise.diagnosis.planning.beside import Beside, formulas_beside
from equipoise.diagnosis.planning.comparison import Comparison, compare_designs, compare_studies
from equipoise.diagnosis.planning.curves import Curve, Over, power_curves
from equipoise.diagnosis.planning.money import Bought, Priced, cheapest_designs, what_money_buys
from equipoise.diagnosis.planning.smallest import Needed, detectable_effects, needed_people
from equipoise.diagnosis.planning.trying import Tried, Tries
from equipoise.diagnosis.scenario import Scenario
from equipoise.protocol.registration import current_hash
from equipoise.protocol.study import Study

__all__ = ["Diagnosed", "Step", "diagnosed", "diagnosis_schema"]

Step = Callable[[str], None]
"""Told in words what is being simulated, before it is."""


@dataclass(frozen=True)
class Diagnosed:
    """What a design will be able to show, under what its protocol assumes.

    Attributes:
        study: its id.
        protocol_hash: SHA-256 of the protocol that was diagnosed.
        code_version: of Equipoise.
        seed, simulations: the chance, and the trials simulated for each design and scenario.
        assumptions: as the protocol says them, defaults spelled out.
        performance: under what is assumed.
        no_effect: the same world without any effect, in which every rejection is false.
        formulas: closed forms beside what was simulated, where there are any.
        curves: power over effect, people and response.
        detectable: the smallest effect of each primary claim that is found with the power wanted.
        people_needed: how many people each primary claim needs; none where nobody is said to be expected.
        bought, priced: what budgets buy, and what the power wanted costs, where the protocol has costs.
        advice: what limits the design, what would help, what a reviewer would say.
        comparison: with other designs, those that the protocol names or another study; None without any.
    """

    study: str
    protocol_hash: str
    code_version: str
    seed: int
    simulations: int
    assumptions: Mapping[str, Any]
    performance: Performance
    no_effect: Performance
    formulas: tuple[Beside, ...]
    curves: tuple[Curve, ...] = ()
    detectable: tuple[Needed, ...] = ()
    people_needed: tuple[Needed, ...] = ()
    bought: tuple[Bought, ...] = ()
    priced: tuple[Priced, ...] = ()
    advice: Advice | None = None
    comparison: Comparison | None = None

    def to_json(self) -> str:
        """The record as text; equal records give equal bytes. Numbers that do not exist are null."""
        made = _ADAPTER.dump_python(self, mode="json")
        return json.dumps(made, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Diagnosed":
        """A record read back.

        Raises:
            ValueError: it is none, or of another version's form.
        """
        return _ADAPTER.validate_json(text)


def diagnosed(
    study: Study,
    tries: Tries,
    *,
    other: Study | None = None,
    more: bool = True,
    step: Step = lambda _: None,
) -> Diagnosed:
    """Ask everything of a study's design.

    Args:
        study: as loaded.
        tries: how many trials, from which seed, of whom, and where they are run.
        other: another study to put beside it.
        more: whether curves, detectable effects, people needed, money and advice are asked for, which takes
            most of the time.
        step: told in words what comes next.
    Raises:
        DesignError, NotSupportedError: what cannot be simulated or analysed.
    """
    step("as assumed")
    own = tries(study, Scenario())
    step("without any effect")
    nothing = tries(study, Scenario(effect=0.0)).performance
    asked = dict(_more(study, tries, own, step)) if more else {}
    return Diagnosed(
        study=study.protocol.study.id,
        protocol_hash=current_hash(study),
        code_version=__version__,
        seed=tries.seed,
        simulations=tries.simulations,
        assumptions=study.protocol.diagnosis.assume.model_dump(mode="json", by_alias=True),
        performance=own.performance,
        no_effect=nothing,
        formulas=formulas_beside(study, own.performance),
        comparison=_compared(study, other, tries, step),
        **asked,
    )


def diagnosis_schema() -> dict[str, Any]:
    """The JSON Schema of `diagnosis.json`."""
    return _ADAPTER.json_schema()


def _more(study: Study, tries: Tries, own: Tried, step: Step) -> Iterator[tuple[str, Any]]:
    curves: list[Curve] = []
    counted = study.protocol.participants is not None and study.protocol.participants.expected is not None
    for over in _OVER:
        if over != "people" or counted:
            step(f"power over {over}")
            curves.extend(power_curves(study, tries, over))
    yield "curves", tuple(curves)
    step("the smallest effect that is found")
    yield "detectable", detectable_effects(study, tries)
    if counted:
        step("the people needed")
        yield "people_needed", needed_people(study, tries)
    if counted and study.protocol.diagnosis.costs is not None:
        step("what the money buys")
        yield "bought", what_money_buys(study, tries)
        yield "priced", cheapest_designs(study, tries)
    step("what would help")
    yield "advice", advise(study, tries, own)


def _compared(study: Study, other: Study | None, tries: Tries, step: Step) -> Comparison | None:
    if other is not None:
        step(f"beside {other.protocol.study.id}")
        return compare_studies({each.folder.name: each for each in (study, other)}, tries)
    if not study.protocol.diagnosis.designs:
        return None
    step("beside its other designs")
    return compare_designs(study, tries)


_OVER: tuple[Over, ...] = ("effect", "people", "response")
_ADAPTER = TypeAdapter(Diagnosed)
