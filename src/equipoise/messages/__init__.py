"""Messages as they are read: templates filled for a participant, as e-mail, text message and letter."""

from equipoise.messages.compiled import Compiled

__all__ = ["Compiled"]
