"""What a study says that it will do: its folder read, checked, spelled out, locked and compared."""

from equipoise.protocol.folder import load_study
from equipoise.protocol.models.registration import Registration
from equipoise.protocol.registration import changes_since_lock, current_hash, lock
from equipoise.protocol.study import Study

__all__ = ["Registration", "Study", "changes_since_lock", "current_hash", "load_study", "lock"]
