"""Allocation by lot: verifiable, from a seed that nobody could choose, exact in its probabilities.

The draw knows arrays and frozen records; `units`, `stages` and `tables` go between it and a study with its
people. Clocks and public beacons are its callers' business.
"""

from equipoise.allocation.allocating import Allocation, allocate, arm_on_arrival
from equipoise.allocation.arrival import arrival_plan
from equipoise.allocation.balance import BalanceRow, balance_table
from equipoise.allocation.beside import Beside
from equipoise.allocation.chance.beacon import QUICKNET, Beacon, ExpectedRound
from equipoise.allocation.chance.roster_hash import canonical_roster, roster_hash
from equipoise.allocation.chance.secret import read_secret, secret_from_text
from equipoise.allocation.chance.seed import (
    PublicRound,
    Seed,
    commitment,
    derive_seed,
    first_round,
    given_seed,
)
from equipoise.allocation.design import METHOD_NAMES, Design, design
from equipoise.allocation.enrolment import arrivals_in
from equipoise.allocation.methods import METHODS, ArrivalPlan
from equipoise.allocation.people.clusters import clusters_of, inherited_arms
from equipoise.allocation.people.known import with_known
from equipoise.allocation.people.units import Units, beside_of, is_rolling, people_in_pairs, units_of
from equipoise.allocation.probabilities import (
    Estimated,
    UnitProbabilities,
    every_allocation,
    exact_probabilities,
    pair_probabilities,
    unit_probabilities,
)
from equipoise.allocation.record import AllocationRecord, record_of
from equipoise.allocation.simulating import simulate
from equipoise.allocation.stages import draw_stage, record_arrivals, refuse_unready, stage_of, stage_seed
from equipoise.allocation.tables import arms_text, balance_rows, balance_text
from equipoise.allocation.text import strata_labels
from equipoise.allocation.verify import Verification, seed_from_secret, verify_allocation

__all__ = [
    "METHODS",
    "METHOD_NAMES",
    "QUICKNET",
    "Allocation",
    "AllocationRecord",
    "ArrivalPlan",
    "BalanceRow",
    "Beacon",
    "Beside",
    "Design",
    "Estimated",
    "ExpectedRound",
    "PublicRound",
    "Seed",
    "UnitProbabilities",
    "Units",
    "Verification",
    "allocate",
    "arm_on_arrival",
    "arms_text",
    "arrival_plan",
    "arrivals_in",
    "balance_rows",
    "balance_table",
    "balance_text",
    "beside_of",
    "canonical_roster",
    "clusters_of",
    "commitment",
    "derive_seed",
    "design",
    "draw_stage",
    "every_allocation",
    "exact_probabilities",
    "first_round",
    "given_seed",
    "inherited_arms",
    "is_rolling",
    "pair_probabilities",
    "people_in_pairs",
    "read_secret",
    "record_arrivals",
    "record_of",
    "refuse_unready",
    "roster_hash",
    "secret_from_text",
    "seed_from_secret",
    "simulate",
    "stage_of",
    "stage_seed",
    "strata_labels",
    "unit_probabilities",
    "units_of",
    "verify_allocation",
    "with_known",
]
