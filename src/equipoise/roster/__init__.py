"""Who can take part: rosters read, matched to the protocol, typed, checked for doubles."""

from equipoise.roster.declared import declared_columns, eligible_people, identifier_of
from equipoise.roster.eligibility import Eligibility, select_eligible
from equipoise.roster.importing import RosterFile, RosterImport, examine_rosters, read_roster, read_rosters
from equipoise.roster.matching import Mapping, mapping_path, propose_mapping, read_mapping, write_mapping
from equipoise.roster.reading import read_table
from equipoise.roster.reporting import ImportReport
from equipoise.roster.written import as_imported, roster_bytes

__all__ = [
    "Eligibility",
    "ImportReport",
    "Mapping",
    "RosterFile",
    "RosterImport",
    "as_imported",
    "declared_columns",
    "eligible_people",
    "examine_rosters",
    "identifier_of",
    "mapping_path",
    "propose_mapping",
    "read_mapping",
    "read_roster",
    "read_rosters",
    "read_table",
    "roster_bytes",
    "select_eligible",
    "write_mapping",
]
