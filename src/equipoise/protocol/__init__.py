"""What a study says that it will do: its folder read, checked, spelled out, locked and compared."""

from equipoise.protocol.folder import Study, load_study
from equipoise.protocol.registration import Registration, changes_since_lock, current_hash, lock

__all__ = ["Registration", "Study", "changes_since_lock", "current_hash", "load_study", "lock"]
