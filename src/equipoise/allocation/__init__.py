"""Allocation by lot: verifiable, from a seed that nobody could choose, exact in its probabilities.

Knows arrays and frozen records; files, clocks and public beacons are its callers' business.
"""

from equipoise.allocation.balance import BalanceRow, balance_table
from equipoise.allocation.clusters import clusters_of, inherited_arms
from equipoise.allocation.design import METHOD_NAMES, Design, design
from equipoise.allocation.methods import METHODS, Allocation, allocate, simulate
from equipoise.allocation.probabilities import every_allocation, exact_probabilities, unit_probabilities
from equipoise.allocation.record import AllocationRecord, record_of
from equipoise.allocation.roster_hash import canonical_roster, roster_hash
from equipoise.allocation.seed import PublicRound, Seed, commitment, derive_seed, first_round, given_seed
from equipoise.allocation.text import strata_labels
from equipoise.allocation.verify import Verification, seed_from_secret, verify_allocation

__all__ = [
    "METHODS",
    "METHOD_NAMES",
    "Allocation",
    "AllocationRecord",
    "BalanceRow",
    "Design",
    "PublicRound",
    "Seed",
    "Verification",
    "allocate",
    "balance_table",
    "canonical_roster",
    "clusters_of",
    "commitment",
    "derive_seed",
    "design",
    "every_allocation",
    "exact_probabilities",
    "first_round",
    "given_seed",
    "inherited_arms",
    "record_of",
    "roster_hash",
    "seed_from_secret",
    "simulate",
    "strata_labels",
    "unit_probabilities",
    "verify_allocation",
]
