"""What is done with people, a verb each, in one transaction with its entry in the record."""

from equipoise.platform.people.actions.arrivals import enrol_arrival
from equipoise.platform.people.actions.consents import record_consents
from equipoise.platform.people.actions.imports import confirm_import, import_source, undo_faults, undo_import
from equipoise.platform.people.actions.keys import rotate_keys, under_older_keys
from equipoise.platform.people.actions.updates import look_at_update, update_from, update_roster
from equipoise.platform.people.actions.withdrawals import check_withdrawal, resume_messages, withdraw

__all__ = [
    "check_withdrawal",
    "confirm_import",
    "enrol_arrival",
    "import_source",
    "look_at_update",
    "record_consents",
    "resume_messages",
    "rotate_keys",
    "under_older_keys",
    "undo_faults",
    "undo_import",
    "update_from",
    "update_roster",
    "withdraw",
]
