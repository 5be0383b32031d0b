"""What is done with people, a verb each, in one transaction with its entry in the record."""

from equipoise.platform.people.actions.consents import record_consents
from equipoise.platform.people.actions.imports import confirm_import, import_source, undo_faults, undo_import
from equipoise.platform.people.actions.withdrawals import check_withdrawal, resume_messages, withdraw

__all__ = [
    "check_withdrawal",
    "confirm_import",
    "import_source",
    "record_consents",
    "resume_messages",
    "undo_faults",
    "undo_import",
    "withdraw",
]
